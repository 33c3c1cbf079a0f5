"""Which addresses the engine binds: from injected listings and from this machine's own."""

from __future__ import annotations

import ipaddress
import socket
import struct

import pytest

from conclave.media.addresses import (
    InterfaceAddress,
    interface_addresses,
    media_addresses,
    parse_dumps,
)

pytestmark = pytest.mark.unit


def address(text: str, *, is_up: bool = True, is_lasting: bool = True) -> InterfaceAddress:
    return InterfaceAddress(ipaddress.ip_address(text), is_up, is_lasting)


def message(kind: int, body: bytes) -> bytes:
    data = struct.pack("=LHHLL", 16 + len(body), kind, 2, 1, 0) + body
    return data + bytes(-len(data) % 4)


def attribute(kind: int, value: bytes) -> bytes:
    data = struct.pack("=HH", 4 + len(value), kind) + value
    return data + bytes(-len(data) % 4)


def link(index: int, flags: int) -> bytes:
    return message(16, struct.pack("=BxHlLL", 0, 1, index, flags, 0) + attribute(3, b"eth\0"))


def interface(family: int, index: int, flags: int, *attributes: bytes) -> bytes:
    body = struct.pack("=BBBBL", family, 24, flags, 0, index) + b"".join(attributes)
    return message(20, body)


DONE = message(3, bytes(4))


def test_what_is_configured_is_taken_as_it_is() -> None:
    configured = [ipaddress.ip_address(text) for text in ("::1", "127.0.0.1", "::1")]
    assert media_addresses(configured, [address("10.0.0.1")]) == ["::1", "127.0.0.1"]


def test_addresses_that_no_client_can_use_are_left_out() -> None:
    listed = [
        address("fe80::1"),
        address("169.254.3.4"),
        address("ff02::1"),
        address("0.0.0.0"),  # noqa: S104 - must not be offered
        address("::ffff:10.0.0.9"),
        address("10.0.0.8", is_up=False),
        address("2001:db8::2", is_lasting=False),
        address("10.0.0.1"),
        address("10.0.0.1"),
    ]
    assert media_addresses(None, listed) == ["10.0.0.1"]


def test_loopback_comes_last_and_ipv4_before_ipv6() -> None:
    listed = [address(text) for text in ("::1", "127.0.0.1", "2001:db8::1", "10.0.0.2", "10.0.0.1")]
    assert media_addresses([], listed) == [
        "10.0.0.1",
        "10.0.0.2",
        "2001:db8::1",
        "127.0.0.1",
        "::1",
    ]


def test_the_kernels_answer_is_read() -> None:
    links = link(1, 0x49) + link(2, 0x1) + link(3, 0x0) + DONE
    four, six = socket.AF_INET, socket.AF_INET6
    wide = attribute(8, struct.pack("=L", 0x40))
    addresses = (
        interface(four, 1, 0x80, attribute(1, b"\x7f\0\0\1"), attribute(2, b"\x7f\0\0\1"))
        + interface(four, 2, 0x81, attribute(1, b"\x0a\0\0\2"), attribute(2, b"\x0a\0\0\1"))
        + interface(four, 3, 0x80, attribute(2, b"\x0a\0\0\3"))
        + interface(six, 2, 0x80, attribute(1, ipaddress.IPv6Address("2001:db8::1").packed))
        + interface(six, 2, 0x01, attribute(1, ipaddress.IPv6Address("2001:db8::2").packed))
        + interface(six, 2, 0x00, attribute(1, ipaddress.IPv6Address("2001:db8::3").packed), wide)
        + interface(17, 2, 0, attribute(1, b"\0" * 6))
        + interface(four, 2, 0, attribute(2, b"\x0a\0"))
        + interface(four, 2, 0)
        + DONE
    )
    assert list(parse_dumps(links, addresses)) == [
        address("127.0.0.1"),
        address("10.0.0.1"),
        address("10.0.0.3", is_up=False),
        address("2001:db8::1"),
        address("2001:db8::2", is_lasting=False),
        address("2001:db8::3", is_lasting=False),
    ]


@pytest.mark.parametrize("cut", range(0, 60, 3))
def test_a_cut_answer_ends_quietly(cut: int) -> None:
    whole = interface(socket.AF_INET, 1, 0x80, attribute(2, b"\x7f\0\0\1")) + DONE
    for found in parse_dumps(link(1, 1)[:cut], whole[:cut]):
        assert str(found.address) == "127.0.0.1"
    broken = struct.pack("=LHHLL", 3, 20, 0, 0, 0)
    assert list(parse_dumps(broken, broken)) == []


def test_this_machine_has_a_loopback() -> None:
    assert "127.0.0.1" in media_addresses(None)
    assert all(str(item.address) for item in interface_addresses())
