"""The head of an MLS message: all of it that the delivery service reads.

`version | wire_format | group_id<V> | epoch | content_type` (RFC 9420, 6 and 6.3). What follows is
bytes to carry. Must never raise anything but `Unreadable`, nor look further than the content type.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

_MLS_10 = 1
_WELCOME = 3
_PRIVATE_MESSAGE = 2


class ContentType(IntEnum):
    APPLICATION = 1
    PROPOSAL = 2
    COMMIT = 3


class Unreadable(ValueError):
    """These bytes are no such MLS message."""


@dataclass(frozen=True, slots=True)
class Header:
    group_id: bytes
    epoch: int
    content_type: ContentType


def parse_private(message: bytes) -> Header:
    """The head of a PrivateMessage in an MLSMessage."""
    _expect(message, _PRIVATE_MESSAGE)
    group_id, at = _vector(message, 4)
    if len(message) < at + 9:
        raise Unreadable("it ends in its head")
    try:
        content_type = ContentType(message[at + 8])
    except ValueError:
        raise Unreadable("an unknown content type") from None
    return Header(group_id, int.from_bytes(message[at : at + 8], "big"), content_type)


def check_welcome(message: bytes) -> None:
    """A Welcome in an MLSMessage says nothing else that the delivery service could read."""
    _expect(message, _WELCOME)


def _expect(message: bytes, wire_format: int) -> None:
    if len(message) < 4 or int.from_bytes(message[:2], "big") != _MLS_10:
        raise Unreadable("not MLS 1.0")
    if int.from_bytes(message[2:4], "big") != wire_format:
        raise Unreadable("another wire format")


def _vector(message: bytes, at: int) -> tuple[bytes, int]:
    """(content, where it ends) of a variable-size vector (RFC 9420, 2.1.2)."""
    if len(message) <= at:
        raise Unreadable("it ends in its head")
    prefix = message[at] >> 6
    if prefix == 3:
        raise Unreadable("a length that is none")
    size = 1 << prefix
    if len(message) < at + size:
        raise Unreadable("it ends in its head")
    length = int.from_bytes(message[at : at + size], "big") & ((1 << (8 * size - 2)) - 1)
    if prefix and length < 1 << (8 * (size // 2) - 2):
        raise Unreadable("a length that is not written in its shortest form")
    start = at + size
    if len(message) < start + length:
        raise Unreadable("it ends in its head")
    return message[start : start + length], start + length
