"""What a `Member` asks its surroundings to do, and what it tells them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conclave_sealing.content import Content


@dataclass(frozen=True, slots=True)
class Send:
    """A frame for the socket."""

    frame: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Inside:
    """A member now; the ticket is for the media server."""

    identity: str
    url: str
    token: str


@dataclass(frozen=True, slots=True)
class Keys:
    """Receiving keys of an epoch, to be installed at once: identity -> 32 bytes."""

    epoch: int
    keys: dict[str, bytes]

    @property
    def index(self) -> int:
        return self.epoch % 256


@dataclass(frozen=True, slots=True)
class UseKey:
    """Send with the own key of this epoch from now on."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What a member said, already opened; `is_private`: to us alone."""

    identity: str
    content: Content
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class Knocked:
    """Somebody verified is at the door. Who does not come in by themselves is let in by a host, a
    co-host, or another device of the same invitation."""

    seat: str
    name: str | None
    has_proof: bool
    invitation: str | None = None
    """The id of the one by which they come, where it counts."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """`withheld`: another member's beat does not fit; `forbidden-change`: a commit was refused."""

    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Over:
    """`denied`, `full`, `locked`, `removed`, `ended`, `left`, `not-our-group`, `lost`, or why the
    server refused the knock: `rate`, `revoked`, `expired`."""

    reason: str


Effect = Send | Inside | Keys | UseKey | Heard | Knocked | Trouble | Over
