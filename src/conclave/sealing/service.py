"""The delivery service: use cases, and through `desk.py` and `store.py` the only writer of its
tables.

One `Sealing` for each server process. It knows which sockets are here; everything else is in the
rows, so that sockets of one meeting may be held by different processes.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update

from conclave.accounts import Actor
from conclave.kernel.app import App
from conclave.kernel.errors import ConclaveError, NotFound, Unavailable
from conclave.kernel.ids import new_id
from conclave.sealing import store
from conclave.sealing.desk import Desk
from conclave.sealing.door import Door
from conclave.sealing.doorkeeper import (
    Doorkeeper,
    Entry,
    EpochListener,
    Invited,
    MemberRole,
    MuteListener,
    MuteSource,
    PermitListener,
    SilenceListener,
    Ticket,
)
from conclave.sealing.metrics import SealingMetrics
from conclave.sealing.models import SealingInstance, SealingSeat
from conclave.sealing.room import Room
from conclave.sealing.state import ALL_MEDIA, Limits

PING_S = 20.0
SEND_TIMEOUT_S = 10.0
STALE = timedelta(seconds=45)
"""A process that was not heard of for this time is gone, and its sockets with it."""

log = structlog.get_logger()


class Sealing:
    def __init__(
        self, app: App, *, ping_s: float = PING_S, send_timeout_s: float = SEND_TIMEOUT_S
    ) -> None:
        self.app = app
        self.ping_s = ping_s
        self.send_timeout_s = send_timeout_s
        self.metrics = app.use(SealingMetrics)
        self.worker = new_id("wrk", app.clock.now())
        self.closing = asyncio.Event()
        settings = app.settings.sealing
        self.limits = Limits(members=settings.members, waiting=settings.waiting)
        self.door = Door(app)
        self._doorkeeper: Doorkeeper | None = None
        self._epoch_listener: EpochListener | None = None
        self._mute_listener: MuteListener | None = None
        self._silence_listener: SilenceListener | None = None
        self._permit_listener: PermitListener | None = None
        self._rooms: dict[str, Room] = {}
        self._users: dict[str, int] = {}
        self._suspects: set[tuple[str, str, int]] = set()
        self._all_gone = asyncio.Event()
        self._all_gone.set()

    # --- for the slice that owns meetings
    def set_doorkeeper(self, doorkeeper: Doorkeeper) -> None:
        """Without one every meeting is unknown."""
        self._doorkeeper = doorkeeper

    def on_epoch_in_use(self, listener: EpochListener) -> None:
        """Hear when a member begins to send with an epoch's key (not stored, may come often)."""
        self._epoch_listener = listener

    def on_mute(self, listener: MuteListener) -> None:
        """Hear when a host or co-host mutes a member (not stored, told to nobody else). What it
        raises is the answer: `Unavailable`."""
        self._mute_listener = listener

    def on_silence(self, listener: SilenceListener) -> None:
        """Hear when a host or co-host stops what all others send; like `on_mute`."""
        self._silence_listener = listener

    def on_permit(self, listener: PermitListener) -> None:
        """Hear what members may send from now on, when that has changed. What it raises is logged:
        the next ticket says the same."""
        self._permit_listener = listener

    async def is_member(self, meeting_id: str, identity: str) -> bool:
        """Is this identity in the meeting's group now, connected or lost for a moment?"""
        return identity in await self.media(meeting_id, identity)

    async def media(self, meeting_id: str, identity: str | None = None) -> Mapping[str, int]:
        """What the media server may pass on of each member of the meeting's group (or of this one
        alone) now, in bits, by identity."""
        async with self.app.db.read() as session:
            return await store.media(session, meeting_id, identity)

    async def end(self, meeting_id: str, *, begun_by: datetime | None = None) -> bool:
        """The meeting has ended: everybody is told, every row goes. May be repeated: with
        `begun_by` a sitting that began after it goes on, and the answer is False.

        Never from inside a transaction: it has its own.
        """

        def work(desk: Desk) -> bool:
            sitting = desk.sitting
            if sitting is None:
                return True
            if begun_by is not None and sitting.instance.created_at > begun_by:
                return False
            sitting.end("meeting")
            return True

        async with self.room("", meeting_id) as room:
            is_over = await room.desk.ask(work)
            if is_over:
                # Also those at the door of a meeting that has no sitting, in every process.
                room.announce_over()
        return is_over

    # --- for the socket
    async def entry(self, meeting_id: str, actor: Actor | None) -> Entry:
        """Raises `NotFound`: for unknown, malformed and ended meetings alike."""
        found = None
        if self._doorkeeper is not None:
            found = await self._doorkeeper.admits(meeting_id, actor)
        if found is None:
            raise NotFound("This meeting does not exist, or it has ended.")
        return found

    async def invited(
        self, meeting_id: str, invitation_id: str, device: bytes, binding: bytes
    ) -> Invited:
        """What a personal invitation is worth; bound now if nobody came with it before."""
        if self._doorkeeper is None:
            raise NotFound("This meeting does not exist.")
        return await self._doorkeeper.invited(meeting_id, invitation_id, device, binding)

    async def ticket(self, meeting_id: str, identity: str, role: MemberRole) -> Ticket:
        if self._doorkeeper is None:
            raise Unavailable
        # Who founds the group has no seat in it yet.
        media = (await self.media(meeting_id, identity)).get(identity, ALL_MEDIA)
        return await self._doorkeeper.ticket(meeting_id, identity, role, media)

    async def permit(self, meeting_id: str, changed: Mapping[str, int]) -> None:
        if self._permit_listener is None or not changed:
            return
        try:
            await self._permit_listener(meeting_id, changed)
        except ConclaveError as error:
            log.warning("permissions could not be carried out", error=type(error).__name__)

    async def epoch_in_use(self, meeting_id: str, epoch: int) -> None:
        if self._epoch_listener is None:
            return
        try:
            await self._epoch_listener(meeting_id, epoch)
        except ConclaveError as error:  # the picture comes with the next key frame
            log.warning("key frames could not be asked for", error=type(error).__name__)

    async def mute(self, meeting_id: str, identity: str, source: MuteSource) -> None:
        if self._mute_listener is not None:
            await self._mute_listener(meeting_id, identity, source)

    async def silence(self, meeting_id: str, identities: frozenset[str]) -> None:
        if self._silence_listener is not None:
            await self._silence_listener(meeting_id, identities)

    def sockets_of(self, meeting_id: str) -> int:
        room = self._rooms.get(meeting_id)
        return 0 if room is None else len(room.connections)

    def make_room(self, meeting_id: str, source: str) -> bool:
        """For one more socket at a full door: see `Room.make_room`."""
        room = self._rooms.get(meeting_id)
        return room is not None and room.make_room(source)

    @contextlib.asynccontextmanager
    async def room(self, org_id: str, meeting_id: str) -> AsyncIterator[Room]:
        """The meeting's room here; it is closed when nobody uses it any more."""
        room = self._rooms.get(meeting_id)
        if room is None:
            room = self._rooms[meeting_id] = Room(self.app, org_id, meeting_id, self.limits)
            self.metrics.meetings.inc()
        if org_id:
            room.org_id = org_id
        self._users[meeting_id] = self._users.get(meeting_id, 0) + 1
        self._all_gone.clear()
        try:
            yield room
        finally:
            self._users[meeting_id] -= 1
            if self._users[meeting_id] == 0:
                del self._users[meeting_id], self._rooms[meeting_id]
                self.metrics.meetings.dec()
                if not self._rooms:
                    self._all_gone.set()
                await room.close()

    # --- for the jobs
    async def close(self, timeout_s: float = 2.0) -> None:
        """Goodbye to every socket; new ones get it at once."""
        self.closing.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_gone.wait(), timeout_s)

    async def restarted(self) -> None:
        """At the start. With SQLite this is the only process: no socket can be left. With
        PostgreSQL the silence of a process tells (`beat`)."""
        is_alone = self.app.db.is_sqlite

        def work(desk: Desk) -> None:
            if desk.sitting is not None:
                desk.sitting.restarted(self.app.clock.now(), is_alone=is_alone)

        async with self.app.db.read() as session:
            meetings = list(await session.scalars(select(SealingInstance.meeting_id)))
        for meeting_id in meetings:
            async with self.room("", meeting_id) as room:
                await room.desk.ask(work)

    async def beat(self) -> bool:
        """This process lives; those that have stopped saying so are gone. Whether there is
        somebody it is said for."""
        now = self.app.clock.now()
        async with self.app.db.transaction() as tx:
            held = (
                await tx.execute(
                    update(SealingSeat)
                    .where(SealingSeat.worker == self.worker)
                    .values(seen_at=now)
                    .returning(SealingSeat.meeting_id, SealingSeat.id, SealingSeat.connection)
                )
            ).all()
            stale = (
                await tx.execute(
                    select(SealingSeat.meeting_id, SealingSeat.worker)
                    .where(SealingSeat.worker.is_not(None), SealingSeat.seen_at < now - STALE)
                    .distinct()
                )
            ).all()
        await self._lose_forgotten({(row[0], row[1], row[2]) for row in held})
        for meeting_id, worker in stale:
            await self._lose(meeting_id, frozenset({str(worker)}))
        return bool(held or stale)

    async def expire(self) -> bool:
        """End what time ends: sittings without members, knocks without sockets. Whether something
        still waits for its time."""
        now = self.app.clock.now()
        async with self.app.db.read() as session:
            empty = await session.execute(
                select(SealingInstance.meeting_id, SealingInstance.empty_since_at).where(
                    SealingInstance.empty_since_at.is_not(None)
                )
            )
            lost = await session.execute(
                select(SealingSeat.meeting_id, SealingSeat.lost_at).where(
                    SealingSeat.state == "knocking", SealingSeat.lost_at.is_not(None)
                )
            )
            ends = [(meeting, since + self.limits.empty) for meeting, since in empty if since]
            ends += [(meeting, since + self.limits.lost) for meeting, since in lost if since]
        due = {meeting_id for meeting_id, at in ends if at <= now}

        def work(desk: Desk) -> None:
            if desk.sitting is not None:
                desk.sitting.expire(self.app.clock.now())

        for meeting_id in due:
            async with self.room("", meeting_id) as room:
                await room.desk.ask(work)
        return bool(ends)

    async def disconnect(self, room: Room, seat: str, connection: int) -> None:
        def work(desk: Desk) -> None:
            if desk.sitting is not None:
                desk.sitting.disconnect(self.app.clock.now(), seat, connection)

        try:
            await room.desk.ask(work)
        except Unavailable:  # `beat` makes it good
            log.warning("a lost connection could not be noted")

    async def _lose(self, meeting_id: str, workers: frozenset[str]) -> None:
        def work(desk: Desk) -> None:
            if desk.sitting is not None:
                desk.sitting.lose(self.app.clock.now(), workers)

        async with self.room("", meeting_id) as room:
            await room.desk.ask(work)

    async def _lose_forgotten(self, held: set[tuple[str, str, int]]) -> None:
        """Seats that are said to be here and are not, twice in a row: the end of their socket
        could not be stored."""
        here = {
            (room.meeting_id, connection.seat, connection.number)
            for room in self._rooms.values()
            for connection in room.connections
        }
        missing = held - here
        for meeting_id, seat, number in missing & self._suspects:
            async with self.room("", meeting_id) as room:
                await self.disconnect(room, seat, number)
        self._suspects = missing
