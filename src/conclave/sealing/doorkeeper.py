"""What the delivery service asks of the slice that owns meetings.

Must never carry a name: the doorkeeper tells whose room it is and what somebody may do there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a browser needs to enter the media room; `url` empty is this server."""

    url: str
    token: str


class Doorkeeper(Protocol):
    async def admits(self, meeting_id: str, actor: Actor | None) -> Entry | None:
        """None for unknown, malformed and ended meetings alike."""

    async def ticket(self, meeting_id: str, identity: str, role: MemberRole) -> Ticket:
        """A fresh token for one member's media. Raises `Unavailable`, or `NotFound`."""


EpochListener = Callable[[str, int], Awaitable[None]]
"""`await listener(meeting_id, epoch)`: somebody sends with this epoch's key from now on, so
receivers need key frames."""

MuteSource = Literal["microphone", "camera", "screen_share"]
MuteListener = Callable[[str, str, MuteSource], Awaitable[None]]
"""`await listener(meeting_id, identity, source)`: a host or co-host mutes this member."""
