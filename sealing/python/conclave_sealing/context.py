"""`ConclaveMeeting`, the extension 0xF0C0 of the GroupContext (sealing-protocol.md, 3). Pure."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from conclave_sealing.encoding import Reader, vector
from conclave_sealing.keys import Link, authenticate

MAX_COHOSTS = 200
MAX_REVOKED = 500
_ENTRIES: tuple[Literal["open", "lobby"], ...] = ("open", "lobby")


@dataclass(frozen=True, slots=True)
class Policy:
    entry: Literal["open", "lobby"] = "open"
    is_locked: bool = False
    history: int = 0
    cohosts: tuple[bytes, ...] = ()
    """Signature keys, ascending."""
    revoked: tuple[bytes, ...] = ()
    """Invitation ids of 16 bytes, ascending."""

    def encode(self) -> bytes:
        return (
            bytes([_ENTRIES.index(self.entry), self.is_locked])
            + self.history.to_bytes(2, "big")
            + vector(b"".join(self.cohosts))
            + vector(b"".join(self.revoked))
        )


@dataclass(frozen=True, slots=True)
class MeetingContext:
    meeting: bytes
    instance: bytes
    creator: bytes
    fingerprint: bytes
    mac: bytes
    policy: Policy

    @classmethod
    def make(
        cls, meeting: str, instance: bytes, creator: bytes, link: Link | None, policy: Policy
    ) -> MeetingContext:
        fingerprint = link.fingerprint if link else bytes(16)
        made = cls(meeting.encode(), instance, creator, fingerprint, bytes(32), policy)
        return replace(made, mac=made._mac(link)) if link else made

    def _fixed(self) -> bytes:
        return b"\x01" + vector(self.meeting) + self.instance + self.creator + self.fingerprint

    def _mac(self, link: Link) -> bytes:
        return authenticate(link.keys().admission, b"conclave meeting v1", self._fixed())

    def encode(self) -> bytes:
        return self._fixed() + self.mac + self.policy.encode()

    def with_policy(self, policy: Policy) -> MeetingContext:
        return replace(self, policy=policy)

    def is_same_meeting(self, other: MeetingContext) -> bool:
        return self._fixed() == other._fixed() and self.mac == other.mac

    def proves(self, link: Link) -> bool:
        """Made by somebody with this link."""
        return (
            self.meeting == link.meeting.encode()
            and self.fingerprint == link.fingerprint
            and hmac.compare_digest(self.mac, self._mac(link))
        )

    @classmethod
    def read(cls, content: bytes) -> MeetingContext | None:
        """None unless these are exactly the bytes of a ConclaveMeeting."""
        reader = Reader(content)
        try:
            if reader.number(1, 1) != 1:
                return None
            found = cls(
                meeting=reader.vector(),
                instance=reader.take(16),
                creator=reader.take(32),
                fingerprint=reader.take(16),
                mac=reader.take(32),
                policy=_read_policy(reader),
            )
            reader.end()
        except ValueError:
            return None
        return found


def _read_policy(reader: Reader) -> Policy:
    entry = _ENTRIES[reader.number(1, 1)]
    is_locked = reader.number(1, 1) == 1
    history = reader.number(2, 0xFFFF)
    cohosts = _read_list(reader, 32, MAX_COHOSTS)
    return Policy(entry, is_locked, history, cohosts, _read_list(reader, 16, MAX_REVOKED))


def _read_list(reader: Reader, size: int, most: int) -> tuple[bytes, ...]:
    """At most `most` values of `size` bytes, ascending, none twice."""
    content = reader.vector()
    if len(content) % size or len(content) > size * most:
        raise ValueError("no list of these")
    found = tuple(content[at : at + size] for at in range(0, len(content), size))
    if any(first >= second for first, second in pairwise(found)):
        raise ValueError("not ascending")
    return found
