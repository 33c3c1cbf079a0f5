"""Proof of work: what somebody's machine has to do before a crowded door listens to it.

No puzzle for people, no third party, and nothing kept for who only asks: a challenge is a MAC by a
key of this process over place, source, expiry and difficulty. What was used is remembered for as
long as it would be good, so each works once. The algorithm is in
docs/reference/sealing-protocol.md, 7. Must never store anything for a challenge that was not met.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets

from conclave.kernel.clock import Clock

LIFE_S = 120
NONCE_BYTES = 8
_LABEL = b"conclave work v1"
_MAC_LABEL = b"conclave work challenge v1"
_RANDOM = 8
_MAC = 16
# random || expires (seconds of this process's clock, 4) || bits (1) || MAC
_SIZE = _RANDOM + 4 + 1 + _MAC


def work_hash(challenge: bytes, content: bytes, nonce: bytes) -> bytes:
    """SHA-256 over label, challenge, the SHA-256 of what is handed in, and the nonce (8 bytes)."""
    return hashlib.sha256(_LABEL + challenge + hashlib.sha256(content).digest() + nonce).digest()


def zero_bits(digest: bytes) -> int:
    """How many bits are zero before the first one."""
    return len(digest) * 8 - int.from_bytes(digest, "big").bit_length()


class Toll:
    """For one process; `capacity` met challenges are remembered, past it none is taken."""

    def __init__(self, clock: Clock, *, key: bytes | None = None, capacity: int = 50_000) -> None:
        self._clock = clock
        self._key = key or secrets.token_bytes(32)
        self._capacity = capacity
        # MAC -> until when it would be good. Insertion order is nearly order of expiry.
        self._spent: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._spent)

    def challenge(self, place: str, source: str, bits: int) -> bytes:
        """29 bytes, good for `LIFE_S` at this place and from this source."""
        expires = int(self._clock.monotonic()) + LIFE_S
        head = secrets.token_bytes(_RANDOM) + expires.to_bytes(4, "big") + bytes([bits])
        return head + self._mac(place, source, head)

    def is_met(
        self, place: str, source: str, content: bytes, challenge: bytes, nonce: bytes
    ) -> bool:
        """Is this challenge ours, still good and not used, and its work done for `content`?"""
        if len(challenge) != _SIZE or len(nonce) != NONCE_BYTES:
            return False
        head, mac = challenge[:-_MAC], challenge[-_MAC:]
        expires, bits = int.from_bytes(head[_RANDOM:-1], "big"), head[-1]
        return (
            hmac.compare_digest(mac, self._mac(place, source, head))
            and self._clock.monotonic() < expires
            and mac not in self._spent
            and zero_bits(work_hash(challenge, content, nonce)) >= bits
        )

    def spend(self, challenge: bytes) -> bool:
        """It works no second time; False: there is no room to remember it, so it must not work."""
        if len(self._spent) >= self._capacity:
            now = self._clock.monotonic()
            self._spent = {mac: at for mac, at in self._spent.items() if at > now}
            if len(self._spent) >= self._capacity:
                return False
        self._spent[challenge[-_MAC:]] = int.from_bytes(challenge[_RANDOM : _RANDOM + 4], "big")
        return True

    def _mac(self, place: str, source: str, head: bytes) -> bytes:
        # Neither an id nor a source holds a zero byte.
        content = b"\0".join((_MAC_LABEL, place.encode(), source.encode(), head))
        return hmac.digest(self._key, content, "sha256")[:_MAC]


class Pressure:
    """How many have come lately: a count that halves every `half_s`."""

    def __init__(self, clock: Clock, *, half_s: float = 30.0) -> None:
        self._clock = clock
        self._half_s = half_s
        self._value = 0.0
        self._at = clock.monotonic()

    def add(self) -> None:
        self._value = self.value + 1
        self._at = self._clock.monotonic()

    @property
    def value(self) -> float:
        return self._value * math.pow(2, (self._at - self._clock.monotonic()) / self._half_s)
