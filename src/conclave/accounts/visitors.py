"""What a request tells of the browser it comes from, as coarsely as its owner needs it.

Shown in the list of sessions and in notices; the address family takes part in deciding whether a
session is used where it was proven. Must never keep or show a full address or user agent.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from conclave.kernel.http import source

IPV4, IPV6, LOOPBACK, UNKNOWN = "ipv4", "ipv6", "loopback", "unknown"

# The first that fits: most browsers also name those they descend from.
_BROWSERS = (
    (r"Edg(?:e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Vivaldi/", "Vivaldi"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrom(?:e|ium)/|CriOS/", "Chrome"),
    (r"Safari/", "Safari"),
)
_SYSTEMS = (
    (r"Android", "Android"),
    (r"iPhone|iPod", "iPhone"),
    (r"iPad", "iPad"),
    (r"Windows", "Windows"),
    (r"CrOS", "ChromeOS"),
    (r"Macintosh|Mac OS X", "macOS"),
    (r"Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Visitor:
    browser: str
    """"Firefox on Linux"; in words of ours alone."""
    place: str
    """"203.0.113.0/24", "2001:db8::/48"; "" where there is none that says anything."""
    family: str
    source: str
    """Who counts as one source for rate limits."""


def visitor_of(connection: HTTPConnection) -> Visitor:
    host = connection.client.host if connection.client else None
    return Visitor(
        browser_of(connection.headers.get("user-agent", "")),
        place_of(host),
        family_of(host),
        source(connection),
    )


def browser_of(user_agent: str) -> str:
    text = user_agent[:512]
    browser = next((name for form, name in _BROWSERS if re.search(form, text)), "Browser")
    system = next((name for form, name in _SYSTEMS if re.search(form, text)), None)
    return browser if system is None else f"{browser} on {system}"


def place_of(host: str | None) -> str:
    address = _address(host)
    if address is None or address.is_loopback:
        return ""
    prefix = 24 if address.version == 4 else 48
    return str(ipaddress.ip_network((address, prefix), strict=False))


def family_of(host: str | None) -> str:
    """`ipv4`, `ipv6`, `loopback` (of both), or `unknown` (a Unix socket)."""
    address = _address(host)
    if address is None:
        return UNKNOWN
    if address.is_loopback:
        return LOOPBACK
    return IPV4 if address.version == 4 else IPV6


def _address(host: str | None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
