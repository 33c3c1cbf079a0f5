"""The head of an MLS message: read exactly, and nothing but `Unreadable` for anything else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conclave.sealing.header import (
    ContentType,
    Header,
    Unreadable,
    check_welcome,
    parse_private,
)

pytestmark = pytest.mark.unit


def vector(content: bytes) -> bytes:
    """RFC 9420, 2.1.2."""
    size = len(content)
    if size < 1 << 6:
        return bytes([size]) + content
    if size < 1 << 14:
        return (size | 1 << 14).to_bytes(2, "big") + content
    return (size | 2 << 30).to_bytes(4, "big") + content


@given(
    group_id=st.one_of(st.binary(max_size=70), st.integers(0, 20_000).map(bytes)),
    epoch=st.integers(0, (1 << 64) - 1),
    content_type=st.sampled_from(ContentType),
    rest=st.binary(max_size=40),
)
def test_what_is_written_is_read(
    group_id: bytes, epoch: int, content_type: ContentType, rest: bytes
) -> None:
    head = b"\x00\x01\x00\x02" + vector(group_id) + epoch.to_bytes(8, "big")
    message = head + bytes([content_type]) + rest
    assert parse_private(message) == Header(group_id, epoch, content_type)
    for end in range(0, len(head), max(1, len(head) // 40)):
        with pytest.raises(Unreadable):
            parse_private(message[:end])


@given(st.one_of(st.binary(max_size=80), st.binary(max_size=40).map(b"\x00\x01\x00\x02".__add__)))
def test_any_bytes_are_read_or_unreadable(message: bytes) -> None:
    for read in (parse_private, check_welcome):
        with contextlib.suppress(Unreadable):
            read(message)


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\x00\x02\x00\x02\x00" + bytes(8) + b"\x01",  # another version
        b"\x00\x01\x00\x01\x00" + bytes(8) + b"\x01",  # PublicMessage
        b"\x00\x01\x00\x03\x00" + bytes(8) + b"\x01",  # Welcome
        b"\x00\x01\x00\x02\x00" + bytes(8) + b"\x00",  # reserved content type
        b"\x00\x01\x00\x02\x00" + bytes(8) + b"\x04",
        b"\x00\x01\x00\x02\xc0" + bytes(30) + b"\x01",  # a length of eight bytes
        b"\x00\x01\x00\x02\x40\x01x" + bytes(8) + b"\x01",  # 1, written in two bytes
        b"\x00\x01\x00\x02\x80\x00\x00\x41" + bytes(0x41 + 8) + b"\x01",  # 65, written in four
        b"\x00\x01\x00\x02\xbf\xff\xff\xff" + bytes(40),  # longer than there is
    ],
)
def test_what_is_not_as_it_has_to_be(message: bytes) -> None:
    with pytest.raises(Unreadable):
        parse_private(message)


def test_a_welcome() -> None:
    check_welcome(b"\x00\x01\x00\x03")
    with pytest.raises(Unreadable):
        check_welcome(b"\x00\x01\x00\x02")
