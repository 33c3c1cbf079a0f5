"""What the delivery service asks of the slice that owns meetings.

Must never carry a name: the doorkeeper tells whose room it is and what somebody may do there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from conclave.accounts import Actor

EntryRole = Literal["host", "guest"]
MemberRole = Literal["host", "cohost", "member"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody may stand at this meeting's door."""

    org_id: str
    role: EntryRole
    may_begin: bool = True
    """Found the group when there is none; else a host has to."""


@dataclass(frozen=True, slots=True)
class Invited:
    """What a personal invitation is worth to who knocks with it."""

    outcome: Literal["bound", "other_device", "expired", "revoked", "unknown"]
    device: bytes | None
    """The device key to which it is bound, 32 bytes: members compare it with who knocks."""
    is_cohost: bool


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a browser needs to enter the media room; `url` empty is this server."""

    url: str
    token: str


class Doorkeeper(Protocol):
    async def admits(self, meeting_id: str, actor: Actor | None) -> Entry | None:
        """None for unknown, malformed and ended meetings alike."""

    async def invited(
        self, meeting_id: str, invitation_id: str, device: bytes, binding: bytes
    ) -> Invited:
        """Bound now, if nobody came with it before. Raises `Unavailable`, or `NotFound`."""

    async def ticket(self, meeting_id: str, identity: str, role: MemberRole, media: int) -> Ticket:
        """A fresh token for one member's media, good for what `media` says in bits (microphone 1,
        camera 2, screen 4). Raises `Unavailable`, or `NotFound`."""


EpochListener = Callable[[str, int], Awaitable[None]]
"""`await listener(meeting_id, epoch)`: somebody sends with this epoch's key from now on, so
receivers need key frames."""

SilenceListener = Callable[[str, frozenset[str]], Awaitable[None]]
"""`await listener(meeting_id, identities)`: a host or co-host stops all media of these members."""

PermitListener = Callable[[str, Mapping[str, int]], Awaitable[None]]
"""`await listener(meeting_id, media)`: by identity, what these members may send from now on."""

MuteSource = Literal["microphone", "camera", "screen_share"]
MuteListener = Callable[[str, str, MuteSource], Awaitable[None]]
"""`await listener(meeting_id, identity, source)`: a host or co-host mutes this member."""
