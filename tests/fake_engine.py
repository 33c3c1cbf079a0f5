"""A media engine in memory: the port (`media/engine.py`) without signalling or packets.

Tests enter and leave people by hand (`enter`, `leave`), and read what the product asked of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from conclave.kernel.app import App
from conclave.kernel.errors import NotFound
from conclave.kernel.slices import Slice
from conclave.media.engine import (
    Connection,
    Gate,
    MediaEngine,
    Participant,
    ParticipantJoined,
    ParticipantLeft,
    Permission,
    PublishedTrack,
    Room,
    RoomEvent,
    RoomListener,
)

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Minted:
    room: str
    identity: str
    name: str
    permission: Permission | None
    attributes: Mapping[str, str]
    is_admin: bool


class FakeEngine:
    def __init__(self) -> None:
        self.rooms: dict[str, dict[str, Participant]] = {}
        self.minted: list[Minted] = []
        self.calls: list[tuple[object, ...]] = []
        self.failure: Exception | None = None
        """Raised by every call while it is set: the engine is out of order."""
        self._listeners: list[RoomListener] = []
        self._gate: Gate | None = None

    # --- what a test does in place of media clients
    async def enter(self, room: str, identity: str, *, hidden: bool = False) -> bool:
        """Join with the newest token for it, or one that says nothing; False when the gate
        refuses."""
        if self._gate is not None and not await self._gate(room, identity):
            return False
        self.rooms.setdefault(room, {})[identity] = Participant(
            sid=f"PA_{identity}",
            identity=identity,
            name="",
            joined_at=_BEGINNING,
            is_connected=True,
            permission=replace(self._granted(room, identity), hidden=hidden),
        )
        await self._tell(ParticipantJoined(room, identity))
        return True

    def _granted(self, room: str, identity: str) -> Permission:
        for minted in reversed(self.minted):
            if (minted.room, minted.identity) == (room, identity) and minted.permission:
                return minted.permission
        return Permission()

    def publish(self, room: str, identity: str, *tracks: PublishedTrack) -> None:
        participant = self.rooms[room][identity]
        self.rooms[room][identity] = replace(participant, tracks=(*participant.tracks, *tracks))

    async def leave(self, room: str, identity: str) -> None:
        del self.rooms[room][identity]
        await self._tell(ParticipantLeft(room, identity))

    async def _tell(self, event: RoomEvent) -> None:
        for listener in self._listeners:
            await listener(event)

    def _room(self, room: str) -> dict[str, Participant]:
        if self.failure is not None:
            raise self.failure
        if room not in self.rooms:
            raise NotFound("no such room")
        return self.rooms[room]

    # --- the port
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
    ) -> Connection:
        del metadata, lifetime
        if self.failure is not None:
            raise self.failure
        self.minted.append(
            Minted(room, identity, name, permission, dict(attributes or {}), is_admin)
        )
        return Connection("", f"token-{len(self.minted)}")

    def subscribe(self, listener: RoomListener) -> None:
        self._listeners.append(listener)

    def set_gate(self, gate: Gate) -> None:
        self._gate = gate

    async def create_room(self, room: str, *, empty_timeout: timedelta | None = None) -> Room:
        del empty_timeout
        members = self.rooms.setdefault(room, {})
        return Room(f"RM_{room}", room, _BEGINNING, len(members))

    async def delete_room(self, room: str) -> None:
        members = self._room(room)
        self.calls.append(("delete_room", room))
        for identity in list(members):
            await self.leave(room, identity)
        del self.rooms[room]

    async def list_rooms(self) -> Sequence[Room]:
        if self.failure is not None:
            raise self.failure
        return [
            Room(f"RM_{name}", name, _BEGINNING, len(members))
            for name, members in self.rooms.items()
        ]

    async def list_participants(self, room: str) -> Sequence[Participant]:
        return list(self._room(room).values())

    async def remove_participant(self, room: str, identity: str) -> None:
        if identity not in self._room(room):
            raise NotFound("no such participant")
        self.calls.append(("remove_participant", room, identity))
        await self.leave(room, identity)

    async def mute_track(self, room: str, identity: str, track: str, muted: bool) -> None:
        if identity not in self._room(room):
            raise NotFound("no such participant")
        self.calls.append(("mute_track", room, identity, track, muted))

    async def update_participant(
        self,
        room: str,
        identity: str,
        *,
        permission: Permission | None = None,
        name: str | None = None,
        metadata: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> Participant:
        if identity not in self._room(room):
            raise NotFound("no such participant")
        before = self._room(room)[identity]
        after = replace(
            before,
            permission=permission or before.permission,
            name=before.name if name is None else name,
            metadata=before.metadata if metadata is None else metadata,
            attributes=before.attributes if attributes is None else attributes,
        )
        self.rooms[room][identity] = after
        if permission is not None:
            self.calls.append(("permit", room, identity, permission))
        return after

    async def send_data(
        self,
        room: str,
        payload: bytes,
        *,
        topic: str = "",
        reliable: bool = True,
        identities: Sequence[str] = (),
    ) -> None:
        self._room(room)
        self.calls.append(("send_data", room, payload, topic, reliable, tuple(identities)))

    async def request_keyframes(self, room: str) -> None:
        self._room(room)
        self.calls.append(("request_keyframes", room))


def fake_media(engine: FakeEngine) -> Slice:
    """The media slice with `engine` behind its port."""

    def setup(app: App) -> None:
        app.provide(MediaEngine, engine)

    return Slice(name="media", setup=setup)
