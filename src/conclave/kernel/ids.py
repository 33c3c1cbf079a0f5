"""Ids: a prefix, `_`, and 26 characters of lower-case base32 (Crockford's alphabet, 128 bits).

Most are UUIDv7 (RFC 9562): they sort by time and tell when they were made. What serves as a link
that must not be guessed (`mtg_`) is 128 random bits and tells nothing. Must never be parsed for
meaning beyond its prefix.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import NewType

OrgId = NewType("OrgId", str)
UserId = NewType("UserId", str)
MeetingId = NewType("MeetingId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# 26 characters hold 130 bits; the first one carries only three of them.
_BODY = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")


def new_id(prefix: str, now: datetime) -> str:
    """`prefix_` + UUIDv7 with `now` (aware) in its first 48 bits."""
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    random = secrets.randbits(74)
    value = milliseconds << 80 | 0x7 << 76 | (random >> 62) << 64 | 0b10 << 62
    return f"{prefix}_{_encode(value | random & ((1 << 62) - 1))}"


def unguessable_id(prefix: str) -> str:
    """`prefix_` + 128 random bits."""
    return f"{prefix}_{_encode(secrets.randbits(128))}"


def is_id(prefix: str, text: str) -> bool:
    """Could `text` be an id that this program made with `prefix`?"""
    head, separator, body = text.partition("_")
    return head == prefix and separator == "_" and _BODY.fullmatch(body) is not None


def _encode(value: int) -> str:
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
