"""The outbox: domain events are rows, written in the transaction that made them true.

Each consumer gets the events of its types in order, at least once: its
position is stored after it has handled one, so after a crash the last may come again with the same
id, and consumers are idempotent by that id. A consumer that raises is tried again with growing
pauses; it holds up itself, nobody else. Rows that all consumers have passed are kept for the
realtime log up to `RETAINED_EVENTS`. Must never deliver what was not committed.

Sequence numbers come from one counter row, locked until the commit, so they appear in order: who
has read up to N will never later find a smaller one (a plain database sequence does not give that).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

import structlog
from sqlalchemy import delete, func, select, update
from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.kernel.changes import Changes
from conclave.kernel.clock import Clock
from conclave.kernel.db import Database
from conclave.kernel.errors import Unavailable
from conclave.kernel.ids import new_id
from conclave.kernel.models import OutboxCursor, OutboxEvent
from conclave.kernel.tasks import Tasks

RETAINED_EVENTS = 10_000
HEAD = "head"
_BATCH = 100
_PAUSES = (0.1, 0.5, 2.0, 10.0)
_LOOK_S = 5.0
_LOOK_SQLITE_S = 15.0

log = structlog.get_logger()


class DomainEvent(Protocol):
    """A frozen dataclass in a slice's `events.py`; `type` in the past tense: `meeting.ended`."""

    type: ClassVar[str]

    @property
    def org_id(self) -> str: ...
    def payload(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class StoredEvent:
    seq: int
    id: str
    org_id: str
    type: str
    payload: Mapping[str, Any]
    occurred_at: datetime


Handler = Callable[[StoredEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Consumer:
    name: str
    types: Container[str]
    handler: Handler
    from_now: bool


class Outbox:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._consumers: list[_Consumer] = []
        self._wakers: dict[str, asyncio.Event] = {}
        self._positions: dict[str, int] = {}
        self._moved = asyncio.Condition()
        self._tasks = Tasks()

    def consume(
        self, name: str, types: Container[str], handler: Handler, *, from_now: bool = False
    ) -> None:
        """Register before `start`; `types` is asked live.

        `from_now`: begin at the newest event at each start, and store no position.
        """
        if any(consumer.name == name for consumer in self._consumers) or name == HEAD:
            msg = f"outbox consumer {name} is registered twice"
            raise ValueError(msg)
        self._consumers.append(_Consumer(name, types, handler, from_now))
        self._wakers[name] = asyncio.Event()

    async def emit(self, tx: AsyncSession, event: DomainEvent) -> None:
        """Write `event` into the caller's transaction; consumers wake when it is committed."""
        seq = await tx.scalar(
            update(OutboxCursor)
            .where(OutboxCursor.consumer == HEAD)
            .values(seq=OutboxCursor.seq + 1)
            .returning(OutboxCursor.seq)
        )
        now = self._clock.now()
        tx.add(
            OutboxEvent(
                seq=seq,
                id=new_id("evt", now),
                org_id=event.org_id,
                type=event.type,
                payload=dict(event.payload()),
                occurred_at=now,
            )
        )
        listen(tx.sync_session, "after_commit", lambda _session: self.wake(), once=True)

    def wake(self) -> None:
        for waker in self._wakers.values():
            waker.set()

    async def head(self) -> int:
        """The last sequence number given out."""
        async with self._db.read() as session:
            return await _head(session)

    async def since(
        self, org_id: str, types: Sequence[str], seq: int, *, limit: int
    ) -> tuple[int, list[StoredEvent] | None]:
        """(head, events of `org_id` after `seq`). None: `seq` is gone from the log, ahead of it, or
        more than `limit` events back, so the asker has to load the state anew."""
        async with self._db.read() as session:
            head = await _head(session)
            oldest = await session.scalar(select(func.min(OutboxEvent.seq)))
            floor = head if oldest is None else oldest - 1
            if seq > head or seq < floor:
                return head, None
            rows = await session.scalars(
                select(OutboxEvent)
                .where(
                    OutboxEvent.org_id == org_id,
                    OutboxEvent.seq > seq,
                    OutboxEvent.seq <= head,
                    OutboxEvent.type.in_(types),
                )
                .order_by(OutboxEvent.seq)
                .limit(limit + 1)
            )
            events = [_stored(row) for row in rows]
        return head, None if len(events) > limit else events

    async def start(self) -> None:
        async with self._db.transaction() as tx:
            head = await _head(tx)
            known = {row.consumer: row.seq for row in await tx.scalars(select(OutboxCursor))}
            for consumer in self._consumers:
                stored = known.get(consumer.name)
                if consumer.from_now:
                    self._positions[consumer.name] = head
                elif stored is None:
                    self._positions[consumer.name] = head
                    tx.add(OutboxCursor(consumer=consumer.name, seq=head))
                else:
                    self._positions[consumer.name] = stored
        for consumer in self._consumers:
            self._tasks.start(self._run(consumer), f"outbox {consumer.name}")
        self._tasks.start(self._watch(), "outbox")

    async def stop(self) -> None:
        """What is not handled by then comes again at the next start."""
        stopping = asyncio.create_task(self._tasks.stop())
        await asyncio.sleep(0)  # the consumers see `stopping` when they wake
        self.wake()
        await stopping

    async def caught_up(self) -> None:
        """Wait until every consumer has handled what is committed now (tests, orderly stop)."""
        head = await self.head()
        self.wake()
        async with self._moved:
            await self._moved.wait_for(
                lambda: all(position >= head for position in self._positions.values())
            )

    async def _run(self, consumer: _Consumer) -> None:
        failures = 0
        waker = self._wakers[consumer.name]
        while not self._tasks.stopping:
            waker.clear()
            try:
                handled = await self._step(consumer)
                failures = 0
            except Exception as error:
                failures += 1
                log.warning(
                    "outbox consumer failed",
                    consumer=consumer.name,
                    failures=failures,
                    error=type(error).__name__,
                    exc_info=not isinstance(error, Unavailable),
                )
                await self._tasks.pause(_PAUSES[min(failures, len(_PAUSES)) - 1])
                continue
            if not handled:
                await waker.wait()

    async def _watch(self) -> None:
        """Another process may have written: the command line, with PostgreSQL other servers too."""
        seconds = _LOOK_SQLITE_S if self._db.is_sqlite else _LOOK_S
        changes = Changes(self._db)
        while not self._tasks.stopping:
            await self._tasks.pause(seconds)
            if not changes.may_have_come():
                continue
            try:
                head = await self.head()
            except Exception as error:
                log.warning("outbox cannot be read", error=type(error).__name__)
                changes.forget()
                continue
            if any(position < head for position in self._positions.values()):
                self.wake()

    async def _step(self, consumer: _Consumer) -> bool:
        position = self._positions[consumer.name]
        async with self._db.read() as session:
            rows = list(
                await session.scalars(
                    select(OutboxEvent)
                    .where(OutboxEvent.seq > position)
                    .order_by(OutboxEvent.seq)
                    .limit(_BATCH)
                )
            )
        for row in rows:
            if self._tasks.stopping:
                return True
            if row.type in consumer.types:
                await consumer.handler(_stored(row))
                await self._advance(consumer, row.seq)
        if rows and self._positions[consumer.name] < rows[-1].seq:
            await self._advance(consumer, rows[-1].seq)
        return bool(rows)

    async def _advance(self, consumer: _Consumer, seq: int) -> None:
        if not consumer.from_now:
            async with self._db.transaction() as tx:
                await tx.execute(
                    update(OutboxCursor)
                    .where(OutboxCursor.consumer == consumer.name)
                    .values(seq=seq)
                )
        async with self._moved:
            self._positions[consumer.name] = seq
            self._moved.notify_all()

    async def purge(self) -> None:
        """Drop rows beyond `RETAINED_EVENTS` that every consumer has passed."""
        async with self._db.transaction() as tx:
            head = await _head(tx)
            passed = await tx.scalar(
                select(func.min(OutboxCursor.seq)).where(OutboxCursor.consumer != HEAD)
            )
            until = min(head - RETAINED_EVENTS, head if passed is None else passed)
            await tx.execute(delete(OutboxEvent).where(OutboxEvent.seq <= until))


async def _head(session: AsyncSession) -> int:
    return (
        await session.scalar(select(OutboxCursor.seq).where(OutboxCursor.consumer == HEAD))
    ) or 0


def _stored(row: OutboxEvent) -> StoredEvent:
    return StoredEvent(row.seq, row.id, row.org_id, row.type, row.payload, row.occurred_at)
