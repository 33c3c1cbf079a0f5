"""`ClusterEngine`: the `MediaEngine` whose rooms live in a LiveKit server or cluster.

The gate cannot stand at the cluster's door: whoever holds a token of ours gets in. So tickets are
short, and the gate is asked when a join is heard of (by webhook, else by asking every 30 s); who
has no consent is removed, and listeners are never told of them. Must never unmute anybody, though a
cluster may be set to allow it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import structlog
from livekit.protocol import models
from livekit.protocol import room as wire

from conclave.kernel.clock import Clock
from conclave.kernel.errors import ConclaveError, Forbidden, Invalid, NotFound, TooLarge
from conclave.kernel.tasks import Tasks
from conclave.media import tokens
from conclave.media.engine import (
    Connection,
    Gate,
    Participant,
    Permission,
    Room,
    RoomEvent,
    RoomListener,
)
from conclave.media.keys import ApiKeys
from conclave.media.livekit.metrics import ClusterCounters
from conclave.media.livekit.reconcile import Ledger
from conclave.media.livekit.rooms import RoomService
from conclave.media.livekit.sequence import Sequence as RoomSequence
from conclave.media.livekit.twirp import Twirp
from conclave.media.livekit.views import is_there, participant_view, permission_message, room_view

RECONCILE_S = 30.0
TICKET_LIFETIME = timedelta(minutes=2)
"""Enough to connect; the cluster hands out a fresh token of ten minutes at the join."""
MAX_DATA = 64_000
AT_ONCE = 8
"""Rooms that are asked for at the same time while reconciling."""
STOP_PATIENCE_S = 2.0

log = structlog.get_logger()


class ClusterEngine:
    """Implements `MediaEngine`. `start` before events are told of; single event loop."""

    def __init__(
        self, *, url: str, twirp: Twirp, keys: ApiKeys, clock: Clock, counters: ClusterCounters
    ) -> None:
        self.keys = keys
        self.counters = counters
        self.is_running = False
        self._url = url
        self._twirp = twirp
        self._rooms = RoomService(twirp, keys, clock)
        self._clock = clock
        self._gate: Gate | None = None
        self._listeners: list[RoomListener] = []
        self._ledger = Ledger()
        self._sequence = RoomSequence()
        self._tasks = Tasks()

    # --- life
    async def start(self, *, reconciling: bool = True) -> None:
        """Does not ask whether the cluster answers: it may come later, or be away for a while."""
        self.is_running = True
        if reconciling:
            self._tasks.start(self._keep_true(), "cluster reconcile")

    async def stop(self) -> None:
        self.is_running = False
        await self._tasks.stop()
        await self._sequence.stop(STOP_PATIENCE_S)
        await self._twirp.close()

    # --- what the cluster tells (receiver.py); each raises `Unavailable` when too much waits
    def note_started(self, room: str) -> None:
        async def job() -> None:
            await self._tell(self._ledger.started(room))

        self._sequence.put(room, job)

    def note_finished(self, room: str) -> None:
        async def job() -> None:
            await self._tell(self._ledger.finished(room))

        self._sequence.put(room, job)

    def note_joined(self, room: str, identity: str, sid: str) -> None:
        async def job() -> None:
            if await self._is_welcome(room, identity, sid):
                await self._tell(self._ledger.joined(room, identity, sid))

        self._sequence.put(room, job)

    def note_left(self, room: str, identity: str, sid: str) -> None:
        async def job() -> None:
            await self._tell(self._ledger.left(room, identity, sid))

        self._sequence.put(room, job)

    async def settled(self) -> None:
        """Wait until everything noted so far has been told (also: what came meanwhile)."""
        await self._sequence.idle()

    # --- reconciliation
    async def _keep_true(self) -> None:
        while True:
            # First the pause: at a start, seats at the doors above are about to be taken again.
            await self._tasks.pause(RECONCILE_S)
            if self._tasks.stopping:
                return
            try:
                await self.reconcile()
            except ConclaveError as error:
                log.warning("the LiveKit server cannot be asked for its rooms", why=error.detail)
            except Exception:
                log.exception("rooms could not be reconciled")

    async def reconcile(self) -> None:
        """Tell listeners what webhooks have missed. Raises the kernel's errors for the list."""
        names = {room.name for room in await self._rooms.list_rooms()}
        places = asyncio.Semaphore(AT_ONCE)

        async def settle(room: str) -> None:
            async with places:
                # In the room's turn: what webhooks say of it meanwhile comes after.
                await self._sequence.run(room, lambda: self._settle(room))

        await asyncio.gather(*(settle(room) for room in sorted(names | self._ledger.rooms)))

    async def _settle(self, room: str) -> None:
        try:
            present = await self._present(room)
        except NotFound:
            missed = self._ledger.finished(room)
        except ConclaveError as error:
            log.warning("a room's participants cannot be listed", why=error.detail)
            return
        else:
            welcome: dict[str, str] = {}
            for info in present:
                known = (self._ledger.people(room) or {}).get(info.identity) == info.sid
                if known or await self._is_welcome(room, info.identity, info.sid):
                    welcome[info.identity] = info.sid
            missed = self._ledger.settle(room, welcome)
        self.counters.missed.inc(len(missed))
        await self._tell(missed)

    async def _present(self, room: str) -> Sequence[models.ParticipantInfo]:
        """Raises `NotFound`; an empty list alone does not say whether there is the room."""
        found = [info for info in await self._rooms.list_participants(room) if is_there(info)]
        if not found:
            await self._rooms.require_room(room)
        return found

    # --- the gate
    async def _is_welcome(self, room: str, identity: str, sid: str) -> bool:
        """Asks the gate about a join that is news; without its consent, the participant goes."""
        if not self._ledger.is_news(room, identity, sid):
            return False
        if self._gate is None:
            return True
        try:
            may_stay = await self._gate(room, identity)
        except Exception:
            # No answer is no decision: asked again at the next round.
            log.exception("the gate gave no answer")
            return False
        if may_stay:
            return True
        self.counters.removed.inc()
        try:
            await self._rooms.remove_participant(room, identity)
        except NotFound:
            pass
        except ConclaveError as error:
            log.warning("a participant without consent could not be removed", why=error.detail)
        return False

    async def _tell(self, events: Iterable[RoomEvent]) -> None:
        for event in events:
            for listener in self._listeners:
                try:
                    await listener(event)
                except Exception:
                    log.exception("room listener failed", kind=type(event).__name__)

    # --- MediaEngine
    def mint(
        self,
        room: str,
        identity: str,
        *,
        name: str = "",
        permission: Permission | None = None,
        attributes: Mapping[str, str] | None = None,
        metadata: str = "",
        lifetime: timedelta = TICKET_LIFETIME,
        is_admin: bool = False,
    ) -> Connection:
        """A ticket of at most two minutes, whatever `lifetime` says."""
        claims = tokens.Claims(
            identity=identity,
            room=room,
            name=name,
            metadata=metadata,
            attributes=dict(attributes or {}),
            permission=permission or Permission(),
            is_admin=is_admin,
        )
        lifetime = min(lifetime, TICKET_LIFETIME)
        token = tokens.mint(claims, self.keys, self._clock.now(), lifetime)
        return Connection(url=self._url, token=token)

    def subscribe(self, listener: RoomListener) -> None:
        self._listeners.append(listener)

    def set_gate(self, gate: Gate) -> None:
        self._gate = gate

    async def create_room(self, room: str, *, empty_timeout: timedelta | None = None) -> Room:
        seconds = None if empty_timeout is None else math.ceil(empty_timeout.total_seconds())
        return room_view(await self._rooms.create_room(room, seconds))

    async def delete_room(self, room: str) -> None:
        await self._rooms.delete_room(room)

    async def list_rooms(self) -> Sequence[Room]:
        return [room_view(room) for room in await self._rooms.list_rooms()]

    async def list_participants(self, room: str) -> Sequence[Participant]:
        return [participant_view(info) for info in await self._present(room)]

    async def remove_participant(self, room: str, identity: str) -> None:
        await self._rooms.remove_participant(room, identity)

    async def mute_track(self, room: str, identity: str, track: str, muted: bool) -> None:
        info = await self._rooms.get_participant(room, identity)
        if track not in {published.sid for published in info.tracks}:
            msg = "this participant does not publish that track"
            raise NotFound(msg)
        if not muted:
            msg = "a microphone or camera can only be opened by the person using it"
            raise Forbidden(msg)
        await self._rooms.mute_track(room, identity, track)

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
        present = await self._rooms.get_participant(room, identity)
        for wanted, has in ((name, present.name), (metadata, present.metadata)):
            if wanted == "" and has:
                msg = "a LiveKit server cannot take a name or metadata away, only change it"
                raise Invalid(msg)
        merged = {**present.attributes, **(attributes or {})}
        size = sum(len(key.encode()) + len(text.encode()) for key, text in merged.items())
        if (
            len((name or "").encode()) > tokens.MAX_NAME
            or len((metadata or "").encode()) > tokens.MAX_METADATA
            or size > tokens.MAX_METADATA
        ):
            msg = "the name, metadata or attributes are too large"
            raise TooLarge(msg)
        info = await self._rooms.update_participant(
            room,
            identity,
            name=name or "",
            metadata=metadata or "",
            attributes=attributes or {},
            permission=(
                None if permission is None else permission_message(permission, present.permission)
            ),
        )
        return participant_view(info)

    async def send_data(
        self,
        room: str,
        payload: bytes,
        *,
        topic: str = "",
        reliable: bool = True,
        identities: Sequence[str] = (),
    ) -> None:
        if len(payload) + len(topic.encode()) > MAX_DATA:
            msg = "data for a room may have 64,000 bytes"
            raise TooLarge(msg)
        # Of a room that is not there, the cluster would say so only after seconds.
        await self._rooms.require_room(room)
        kind = models.DataPacket.RELIABLE if reliable else models.DataPacket.LOSSY
        await self._rooms.send_data(
            wire.SendDataRequest(
                room=room,
                data=payload,
                topic=topic,
                kind=kind,
                destination_identities=list(identities),
            )
        )

    async def request_keyframes(self, room: str) -> None:
        """A LiveKit server offers no such call. Senders of sealed pictures make key frames by
        themselves after each change of keys, and receivers ask for what they miss (PLI)."""
        await self._rooms.require_room(room)
