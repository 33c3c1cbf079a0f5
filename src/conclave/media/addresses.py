"""Which local addresses the media engine binds and offers to clients.

What the settings name, else every address of this machine that a client could use. Must never ask
another host. Addresses that come later (a new lease, a new interface) are seen at the next start.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

IPAddress = IPv4Address | IPv6Address

# linux/netlink.h, linux/rtnetlink.h, linux/if_addr.h, linux/if.h
_NETLINK_ROUTE = 0
_RTM_NEWLINK, _RTM_GETLINK = 16, 18
_RTM_NEWADDR, _RTM_GETADDR = 20, 22
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_NLM_F_REQUEST_DUMP = 0x301
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_IFA_F_TEMPORARY, _IFA_F_DADFAILED, _IFA_F_DEPRECATED, _IFA_F_TENTATIVE = 0x01, 0x08, 0x20, 0x40
_IFF_UP = 0x1

_NLMSG_HEADER = struct.Struct("=LHHLL")
_IFADDRMSG = struct.Struct("=BBBBL")
_IFINFOMSG = struct.Struct("=BxHlLL")
_RTATTR = struct.Struct("=HH")


@dataclass(frozen=True, slots=True)
class InterfaceAddress:
    """One address as the system lists it."""

    address: IPAddress
    is_up: bool = True
    """Its interface is up."""
    is_lasting: bool = True
    """Checked against duplicates, and neither deprecated nor a temporary privacy address."""


def media_addresses(
    configured: Sequence[IPAddress] | None,
    listed: Iterable[InterfaceAddress] | None = None,
) -> list[str]:
    """Addresses for the engine, most preferred first. `listed`: the machine's, for tests."""
    if configured:
        return list(dict.fromkeys(str(address) for address in configured))
    usable = {
        item.address
        for item in (interface_addresses() if listed is None else listed)
        if item.is_up and item.is_lasting and _is_reachable(item.address)
    }
    return [str(address) for address in sorted(usable, key=_preference)]


def _is_reachable(address: IPAddress) -> bool:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return False
    return not (address.is_link_local or address.is_multicast or address.is_unspecified)


def _preference(address: IPAddress) -> tuple[bool, int, int]:
    """Loopback last; IPv4 first, as it is what works most often; else in numeric order."""
    return address.is_loopback, address.version, int(address)


def interface_addresses() -> list[InterfaceAddress]:
    """Every address of this machine. Empty is impossible: there is always a loopback."""
    if sys.platform == "linux":
        try:
            return list(parse_dumps(_dump(_RTM_GETLINK), _dump(_RTM_GETADDR)))
        except (OSError, ValueError):  # a sandbox without netlink
            pass
    return _resolved_addresses()


def _resolved_addresses() -> list[InterfaceAddress]:
    """What this machine's own name stands for: the best that is portable."""
    found: list[IPAddress] = [IPv4Address("127.0.0.1")]
    if socket.has_dualstack_ipv6():
        found.append(IPv6Address("::1"))
    try:
        entries = socket.getaddrinfo(
            socket.gethostname(), None, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICSERV
        )
    except OSError:
        entries = []
    found += (ip_address(str(entry[4][0]).partition("%")[0]) for entry in entries)
    return [InterfaceAddress(address) for address in dict.fromkeys(found)]


def _dump(request: int) -> bytes:
    """All messages that the kernel answers one dump request with."""
    answer = bytearray()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_ROUTE) as route:
        route.settimeout(2)
        route.bind((0, 0))
        body = struct.pack("=B15x", socket.AF_UNSPEC)
        length = _NLMSG_HEADER.size + len(body)
        route.send(_NLMSG_HEADER.pack(length, request, _NLM_F_REQUEST_DUMP, 1, 0) + body)
        while True:
            chunk = route.recv(1 << 18)
            answer += chunk
            kinds = [kind for kind, _ in _messages(chunk)]
            if not chunk or _NLMSG_DONE in kinds or _NLMSG_ERROR in kinds:
                return bytes(answer)


def parse_dumps(links: bytes, addresses: bytes) -> Iterator[InterfaceAddress]:
    """Read the answers to RTM_GETLINK and RTM_GETADDR (rtnetlink(7))."""
    up = set()
    for kind, body in _messages(links):
        if kind == _RTM_NEWLINK and len(body) >= _IFINFOMSG.size:
            _, _, index, flags, _ = _IFINFOMSG.unpack_from(body)
            if flags & _IFF_UP:
                up.add(index)
    for kind, body in _messages(addresses):
        if kind != _RTM_NEWADDR or len(body) < _IFADDRMSG.size:
            continue
        family, _, flags, _, index = _IFADDRMSG.unpack_from(body)
        attributes = dict(_attributes(body[_IFADDRMSG.size :]))
        # On point-to-point links IFA_ADDRESS is the other end and IFA_LOCAL ours.
        packed = attributes.get(_IFA_LOCAL, attributes.get(_IFA_ADDRESS, b""))
        if (family, len(packed)) not in ((socket.AF_INET, 4), (socket.AF_INET6, 16)):
            continue
        if len(wide := attributes.get(_IFA_FLAGS, b"")) == 4:
            (flags,) = struct.unpack("=L", wide)
        passing = _IFA_F_DADFAILED | _IFA_F_DEPRECATED | _IFA_F_TENTATIVE
        if family == socket.AF_INET6:  # for IPv4 the same bit means "secondary"
            passing |= _IFA_F_TEMPORARY
        yield InterfaceAddress(ip_address(packed), index in up, not flags & passing)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _NLMSG_HEADER.size <= len(data):
        length, kind, *_ = _NLMSG_HEADER.unpack_from(data, offset)
        if length < _NLMSG_HEADER.size:
            return
        yield kind, data[offset + _NLMSG_HEADER.size : offset + length]
        offset += (length + 3) & ~3


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    offset = 0
    while offset + _RTATTR.size <= len(data):
        length, kind = _RTATTR.unpack_from(data, offset)
        if length < _RTATTR.size:
            return
        yield kind, data[offset + _RTATTR.size : offset + length]
        offset += (length + 3) & ~3
