"""The engine port: what the product asks of a media engine, embedded or a LiveKit cluster.

The shape is LiveKit's RoomService plus tokens and room events, so that a cluster can stand behind
it (`livekit/`). Browsers speak LiveKit's protocol to either; only `Connection.url` and
`Connection.token` differ. No engine ever sees a frame key.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

Source = Literal["camera", "microphone", "screen_share", "screen_share_audio"]
"""What a published track is of."""


@dataclass(frozen=True, slots=True)
class Permission:
    can_publish: bool = True
    can_subscribe: bool = True
    can_publish_data: bool = True
    can_update_own_metadata: bool = False
    hidden: bool = False
    publish_sources: tuple[Source, ...] = ()
    """What may be published, where `can_publish`; empty = everything."""


@dataclass(frozen=True, slots=True)
class Connection:
    """Where a browser connects, and with what.

    `url` is a ws:// or wss:// base, or "" = same origin.
    """

    url: str
    token: str


@dataclass(frozen=True, slots=True)
class PublishedTrack:
    sid: str
    kind: Literal["audio", "video", "data"]
    source: Source | Literal["unknown"]
    muted: bool


@dataclass(frozen=True, slots=True)
class Participant:
    sid: str
    identity: str
    name: str
    joined_at: datetime
    is_connected: bool
    permission: Permission
    attributes: Mapping[str, str] = field(default_factory=dict)
    metadata: str = ""
    tracks: Sequence[PublishedTrack] = ()


@dataclass(frozen=True, slots=True)
class Room:
    sid: str
    name: str
    created_at: datetime
    participant_count: int
    """As the engine counts; a cluster's figure may be some seconds old."""


# Room events, for the slices above. Delivered in order per room, in the event loop.
@dataclass(frozen=True, slots=True)
class RoomStarted:
    room: str


@dataclass(frozen=True, slots=True)
class RoomFinished:
    """The room has been empty for its empty timeout, or was deleted."""

    room: str


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    room: str
    identity: str


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    room: str
    identity: str


RoomEvent = RoomStarted | RoomFinished | ParticipantJoined | ParticipantLeft

RoomListener = Callable[[RoomEvent], Awaitable[None]]
Gate = Callable[[str, str], Awaitable[bool]]
"""`await gate(room, identity)`: may this identity come into this room now? Asked at every join and
full reconnect, so that a token outlives neither its meeting nor its bearer's removal. Asked before
the join where the door is ours; with a cluster as soon as the join is heard of, and who has no
consent is removed. Listeners hear of nobody without it."""


class MediaEngine(Protocol):
    """Raises `NotFound` (kernel.errors) for an unknown room, participant or track."""

    def mint(
        self,
        room: str,
        identity: str,
        *,
        name: str = "",
        permission: Permission | None = None,
        attributes: Mapping[str, str] | None = None,
        metadata: str = "",
        lifetime: timedelta = timedelta(minutes=10),
        is_admin: bool = False,
    ) -> Connection: ...

    def subscribe(self, listener: RoomListener) -> None: ...
    def set_gate(self, gate: Gate) -> None: ...

    async def create_room(self, room: str, *, empty_timeout: timedelta | None = None) -> Room: ...
    async def delete_room(self, room: str) -> None: ...
    async def list_rooms(self) -> Sequence[Room]: ...
    async def list_participants(self, room: str) -> Sequence[Participant]: ...
    async def remove_participant(self, room: str, identity: str) -> None: ...
    async def mute_track(self, room: str, identity: str, track: str, muted: bool) -> None: ...
    async def update_participant(
        self,
        room: str,
        identity: str,
        *,
        permission: Permission | None = None,
        name: str | None = None,
        metadata: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> Participant: ...
    async def send_data(
        self,
        room: str,
        payload: bytes,
        *,
        topic: str = "",
        reliable: bool = True,
        identities: Sequence[str] = (),
    ) -> None: ...
    async def request_keyframes(self, room: str) -> None:
        """Ask senders for pictures that stand by themselves, where the engine can. Must not be
        relied on: receivers ask by themselves for what they miss."""
