"""Origins and hosts: is a request from our own pages, and under which address do people see us?

Pure functions. A `Host` header is a claim of whoever asks; it is used for links only after
`valid_host`, and never to decide about rights beyond "same as the page's origin".
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def split_host(host: str) -> tuple[str, int | None] | None:  # noqa: PLR0911
    """(name or address, port) of a `Host` header, lower case; None when it is not well-formed."""
    if not host or len(host) > 255 or not host.isascii():
        return None
    if host.startswith("["):
        name, closing, rest = host[1:].partition("]")
        if not closing or (rest and not rest.startswith(":")):
            return None
        port_text = rest[1:] if rest else None
        try:
            name = f"[{ipaddress.IPv6Address(name)}]"
        except ValueError:
            return None
    else:
        name, separator, port = host.partition(":")
        port_text = port if separator else None
        if not all(_LABEL.fullmatch(label) for label in name.removesuffix(".").split(".")):
            return None
    if port_text is None:
        return name.lower(), None
    # Not str.isdigit: it takes digits of other scripts and superscripts.
    if not re.fullmatch(r"[0-9]{1,5}", port_text) or not 0 < int(port_text) <= 65535:
        return None
    return name.lower(), int(port_text)


def split_origin(origin: str) -> tuple[str, str, int] | None:
    """(scheme, name, port) of an `Origin` header; None for `null` and whatever is not http(s)."""
    scheme, separator, host = origin.partition("://")
    scheme = scheme.lower()
    if not separator or scheme not in _DEFAULT_PORTS:
        return None
    parts = split_host(host)
    if parts is None:
        return None
    name, port = parts
    return scheme, name, port if port is not None else _DEFAULT_PORTS[scheme]


def is_own_origin(origin: str, host: str, public_url: str | None) -> bool:
    """Is `origin` the public URL's, or that of the host under which the browser reached us?

    The scheme is not compared with the connection's: a proxy may end TLS in front of us.
    """
    asked = split_origin(origin)
    if asked is None:
        return False
    if public_url is not None and asked == split_origin(origin_of(public_url)):
        return True
    parts = split_host(host)
    if parts is None:
        return False
    name, port = parts
    return asked[1] == name and asked[2] == (port or _DEFAULT_PORTS[asked[0]])


def origin_of(url: str) -> str:
    """scheme://host[:port] of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback_host(host: str) -> bool:
    """Was this machine addressed as itself: `localhost` or a loopback address?"""
    parts = split_host(host)
    if parts is None:
        return False
    name = parts[0].strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
