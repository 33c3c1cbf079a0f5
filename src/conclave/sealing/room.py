"""One meeting in one process: its sockets, its desk, and the log as it reaches them.

What this process writes is handed over directly, in order; what others write is announced by a hint
on the bus and read from rows, and looked for every few seconds in case the hint was lost. Must
never tell what is not committed, nor wait for a socket.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog

from conclave.kernel.app import App
from conclave.kernel.bus import Message, Subscription
from conclave.kernel.errors import Unavailable
from conclave.kernel.work import Pressure
from conclave.sealing import frames, store
from conclave.sealing.connections import LATER, NORMAL, Connection, Goodbye, Knocks
from conclave.sealing.desk import Desk, Stored
from conclave.sealing.metrics import SealingMetrics
from conclave.sealing.state import Limits, Row

LOOK_S = 5.0
_READ = 200
_MOST_FORMER = 1_000

log = structlog.get_logger()


class Room:
    def __init__(
        self, app: App, org_id: str, meeting_id: str, limits: Limits, *, look_s: float = LOOK_S
    ) -> None:
        self.org_id = org_id
        self.meeting_id = meeting_id
        self.desk = Desk(app, meeting_id, limits, self._stored)
        self.connections: set[Connection] = set()
        self.instance: str | None = None
        self.pos = 0
        self.seq = 0
        self.pressure = Pressure(app.clock)
        """Of who has worked to be heard at this door."""
        self._arrivals = 0
        self._former: dict[bytes, None] = {}
        self._app = app
        self._look_s = look_s
        self._metrics = app.use(SealingMetrics)
        self._hints: set[asyncio.Task[None]] = set()
        self._generation = 0
        self._following: asyncio.Task[None] | None = None
        self._subscription: Subscription | None = None
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    # --- sockets
    async def opened(self) -> None:
        """Wait until it is known which sitting there is. Raises `Unavailable`."""
        if self._following is None:
            self._following = asyncio.create_task(self._follow(), name="sealing room")
        await asyncio.shield(self._opened)

    def add(self, connection: Connection) -> None:
        self._arrivals += 1
        connection.arrival = self._arrivals
        self.connections.add(connection)

    def let_go(self, connection: Connection) -> None:
        """Its socket is gone. A member that was not sent away has lost it, and may come back."""
        self.connections.discard(connection)
        if connection.place == "member":
            self._former.pop(connection.resume_hash, None)
            self._former[connection.resume_hash] = None
            if len(self._former) > _MOST_FORMER:
                del self._former[next(iter(self._former))]

    def was_inside(self, resume_hash: bytes) -> bool:
        """Whether a member with this secret has lost its connection here."""
        return resume_hash in self._former

    def make_room(self, source: str) -> bool:
        """One socket of those that stand outside and have not knocked is closed, the oldest of the
        source that has most of them; False when that would be the asker's own."""
        outside: dict[str, list[Connection]] = {}
        for connection in self.connections:
            if connection.place == "outside":
                outside.setdefault(connection.source, []).append(connection)
        most = max(outside.values(), key=len, default=[])
        if len(most) <= len(outside.get(source, [])):
            return False
        oldest = min(most, key=lambda connection: connection.arrival)
        self.connections.discard(oldest)
        oldest.go(Goodbye(LATER))
        return True

    def attach(self, connection: Connection) -> bool:
        """From now on live; False when there is more to replay."""
        if connection.instance == self.instance and connection.cursor < self.pos:
            return False
        connection.is_attached = True
        return True

    async def replay(self, connection: Connection, since: int | None) -> None:
        """Tell a resumed seat what it has missed, then go live."""
        instance = connection.instance
        if instance is None:
            return
        if since is not None:
            async with self._app.db.read() as session:
                pos = await store.row_of(session, self.meeting_id, instance, since)
            if pos is None:  # trimmed since the seat was resumed
                connection.go(Goodbye(LATER, "slow"))
                return
            connection.cursor = max(connection.cursor, pos)
        while not connection.outbound.is_ended and connection.instance == instance:
            await connection.outbound.room()
            target = self.pos
            # Shielded: a read that is cut off would cost its connection to the database.
            rows = await asyncio.shield(self._read(instance, connection.cursor))
            for row in rows:
                await connection.outbound.room()
                connection.take(row, is_replay=True)
            if len(rows) < _READ:
                connection.cursor = max(connection.cursor, target)
                if self.attach(connection):
                    break
        connection.is_attached = True
        if connection.place == "member":
            connection.outbound.put(Knocks())

    async def _read(self, instance: str, pos: int) -> Sequence[Row]:
        async with self._app.db.read() as session:
            return await store.rows_after(session, self.meeting_id, instance, pos, limit=_READ)

    async def close(self) -> None:
        """Nothing is cut off in the middle of a read."""
        if self._subscription is not None:
            self._subscription.close()
        following = () if self._following is None else (self._following,)
        await asyncio.gather(*following, *self._hints, return_exceptions=True)

    # --- what this process has written
    def _stored(self, stored: Stored) -> None:
        """Right after the commit, before the next request is begun."""
        is_changed = stored.instance != self.instance
        if is_changed:
            self._observe(stored.instance)
        rows = stored.rows
        if rows and rows[0].pos == self.pos + 1:
            self._deliver(rows)
        # Otherwise another process was in between: its rows are read first.
        if rows or is_changed or stored.instance is None:
            self._hint({"instance": stored.instance, "pos": rows[-1].pos if rows else 0})

    def announce_over(self) -> None:
        self.over()
        self._hint({"instance": None, "pos": 0, "over": True})

    def over(self) -> None:
        """The meeting has ended: everybody goes."""
        for connection in list(self.connections):
            if connection.place != "gone":
                connection.say(frames.text("ended"))
                connection.go(Goodbye(NORMAL))

    def _hint(self, message: Message) -> None:
        publishing = asyncio.ensure_future(self._app.bus.publish(topic(self.meeting_id), message))
        self._hints.add(publishing)
        publishing.add_done_callback(self._hints.discard)

    # --- what others have written
    async def _follow(self) -> None:
        while True:
            subscription = self._app.bus.subscribe(topic(self.meeting_id))
            self._subscription = subscription
            try:
                await self._try_round()
                while True:
                    message = await _within(subscription.next, self._look_s)
                    if message is _CLOSED:
                        break
                    await self._heed(message)
            finally:
                subscription.close()
            if not subscription.overflowed:
                return

    async def _heed(self, message: Message | None) -> None:
        if message is not None:
            if message.get("over"):
                self.over()
            if message["instance"] == self.instance and message["pos"] <= self.pos:
                return
        await self._try_round()

    async def _try_round(self) -> None:
        try:
            await self._round()
        except Exception as error:
            if not self._opened.done() and isinstance(error, Unavailable):
                # Whoever waits at the door is told to come back; the next one tries anew.
                self._opened.set_exception(error)
                self._opened.exception()
                self._opened = asyncio.get_running_loop().create_future()
            log.warning(
                "sealing log could not be read",
                error=type(error).__name__,
                exc_info=not isinstance(error, Unavailable),
            )
            return
        if not self._opened.done():
            self._opened.set_result(None)

    async def _round(self) -> None:
        while True:
            generation = self._generation
            async with self._app.db.read() as session:
                position = await store.position_of(session, self.meeting_id)
                instance = None if position is None else position[0]
                after = self.pos if instance == self.instance else 0
                rows: Sequence[Row] = ()
                if instance is not None:
                    rows = await store.rows_after(
                        session, self.meeting_id, instance, after, limit=_READ
                    )
            if generation != self._generation:
                continue  # this process has written meanwhile: what was read is old
            if instance != self.instance:
                self._observe(instance)
            if position is not None and not any(c.instance for c in self.connections):
                # Nobody here has to hear of what was said before.
                self.pos, self.seq = position[1], position[2]
                return
            self._deliver(rows)
            if len(rows) < _READ:
                return

    def _observe(self, instance: str | None) -> None:
        self._generation += 1
        self.instance = instance
        self.pos = self.seq = 0
        for connection in list(self.connections):
            if connection.instance is not None and connection.instance != instance:
                connection.instance_ended()
            if connection.place == "outside":
                connection.say(frames.text("instance", instance=instance))

    def _deliver(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.pos <= self.pos:
                continue
            self._generation += 1
            self.pos, self.seq = row.pos, row.seq
            for connection in list(self.connections):
                if (
                    connection.is_attached
                    and connection.instance == self.instance
                    and connection.take(row)
                ):
                    self._metrics.delivered.inc()


def topic(meeting_id: str) -> str:
    return f"sealing.{meeting_id}"


_CLOSED: Message = {}


async def _within(get: Callable[[], Awaitable[Message | None]], seconds: float) -> Message | None:
    """The next hint; None when none came in time, `_CLOSED` when there will be none."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            message = await get()
            return _CLOSED if message is None else message
    return None
