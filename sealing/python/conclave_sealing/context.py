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
MAX_PEOPLE = 200
MAX_BLOCKED = 200
ORDINARY = 0x1F7
"""What an attendee may do in a room without a template: all but sharing among many."""
Template = Literal["none", "family", "class", "clinic", "club", "board"]
Part = Literal["presenter", "attendee", "listener"]
_TEMPLATES: tuple[Template, ...] = ("none", "family", "class", "clinic", "club", "board")
_PARTS: dict[Part, int] = {"attendee": 0, "presenter": 2, "listener": 3}
_STANDING = 37
_ENTRIES: tuple[Literal["open", "lobby"], ...] = ("open", "lobby")


@dataclass(frozen=True, slots=True)
class Standing:
    """What one person is and may do beside what everybody may."""

    key: bytes
    part: Part = "attendee"
    more: int = 0
    """Permissions, in 16 bits: also these."""
    less: int = 0
    """Not these."""

    def encode(self) -> bytes:
        rights = self.more.to_bytes(2, "big") + self.less.to_bytes(2, "big")
        return self.key + bytes([_PARTS[self.part]]) + rights

    @classmethod
    def read(cls, content: bytes) -> Standing:
        role = content[32]
        part = next((name for name, number in _PARTS.items() if number == role), None)
        if part is None:
            raise ValueError("no part")
        more, less = content[33:35], content[35:37]
        return cls(content[:32], part, int.from_bytes(more, "big"), int.from_bytes(less, "big"))


@dataclass(frozen=True, slots=True)
class Policy:
    entry: Literal["open", "lobby"] = "open"
    is_locked: bool = False
    history: int = 0
    cohosts: tuple[bytes, ...] = ()
    """Signature keys, ascending."""
    revoked: tuple[bytes, ...] = ()
    """Invitation ids of 16 bytes, ascending."""
    template: Template = "none"
    attendees: int = ORDINARY
    """What an attendee may do, in 16 bits."""
    people: tuple[Standing, ...] = ()
    """By key, ascending."""
    blocked: tuple[bytes, ...] = ()
    """Signature keys of devices that stay outside, ascending."""

    def encode(self) -> bytes:
        return (
            bytes([_ENTRIES.index(self.entry), self.is_locked])
            + self.history.to_bytes(2, "big")
            + vector(b"".join(self.cohosts))
            + vector(b"".join(self.revoked))
            + bytes([_TEMPLATES.index(self.template)])
            + self.attendees.to_bytes(2, "big")
            + vector(b"".join(standing.encode() for standing in self.people))
            + vector(b"".join(self.blocked))
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
    return Policy(
        entry,
        is_locked,
        history,
        cohosts,
        revoked=_read_list(reader, 16, MAX_REVOKED),
        template=_TEMPLATES[reader.number(1, len(_TEMPLATES) - 1)],
        attendees=reader.number(2, 0xFFFF),
        people=tuple(
            Standing.read(one) for one in _read_list(reader, _STANDING, MAX_PEOPLE, key=32)
        ),
        blocked=_read_list(reader, 32, MAX_BLOCKED),
    )


def _read_list(
    reader: Reader, size: int, most: int, *, key: int | None = None
) -> tuple[bytes, ...]:
    """At most `most` values of `size` bytes; the first `key` bytes of each (all of them where it
    is None) ascend, none twice."""
    content = reader.vector()
    if len(content) % size or len(content) > size * most:
        raise ValueError("no list of these")
    found = tuple(content[at : at + size] for at in range(0, len(content), size))
    if any(first[:key] >= second[:key] for first, second in pairwise(found)):
        raise ValueError("not ascending")
    return found
