"""The TLS presentation language as MLS writes it (RFC 9420, 2.1): integers and vectors.

Pure. A `Reader` takes nothing but the shortest form, as the Rust engine does.
"""

from __future__ import annotations


def vector(content: bytes) -> bytes:
    """`opaque<V>` (RFC 9420, 2.1.2), up to 16,383 bytes."""
    size = len(content)
    if size >= 1 << 14:
        raise ValueError("too long")
    return (bytes([size]) if size < 64 else (0x4000 | size).to_bytes(2, "big")) + content


class Reader:
    """What is left of `content`; every reading raises ValueError where it does not fit."""

    def __init__(self, content: bytes) -> None:
        self.rest = content

    def take(self, length: int) -> bytes:
        if length > len(self.rest):
            raise ValueError("too short")
        taken, self.rest = self.rest[:length], self.rest[length:]
        return taken

    def number(self, length: int, most: int) -> int:
        """Big-endian, of `length` bytes."""
        value = int.from_bytes(self.take(length), "big")
        if value > most:
            raise ValueError("out of range")
        return value

    def vector(self) -> bytes:
        first = self.number(1, 0x7F)
        if first < 0x40:
            return self.take(first)
        length = (first & 0x3F) << 8 | self.number(1, 0xFF)
        if length < 0x40:
            raise ValueError("not the shortest length")
        return self.take(length)

    def end(self) -> None:
        if self.rest:
            raise ValueError("something follows")
