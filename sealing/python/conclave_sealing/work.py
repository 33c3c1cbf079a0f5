"""Proof of work for a crowded door (sealing-protocol.md, 7). Pure, and slow by nature."""

from __future__ import annotations

from hashlib import sha256

_LABEL = b"conclave work v1"
MOST_BITS = 24
"""What a server may ask for: more is an attempt to keep this machine busy."""


def do_work(challenge: bytes, bits: int, key_package: bytes) -> bytes:
    """The first nonce (8 bytes) whose hash begins with `bits` zero bits: 2^bits tries on average,
    about a microsecond each. ValueError for more than `MOST_BITS`."""
    if not 0 <= bits <= MOST_BITS:
        raise ValueError("too much work")
    begun = sha256(_LABEL + challenge + sha256(key_package).digest())
    top = 1 << (64 - bits)
    for number in range(1 << 40):
        nonce = number.to_bytes(8, "big")
        tried = begun.copy()
        tried.update(nonce)
        if int.from_bytes(tried.digest()[:8], "big") < top:
            return nonce
    raise ValueError("no nonce")
