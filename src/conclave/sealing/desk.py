"""Where requests of one meeting are dealt with: one after the other, many in a transaction.

A batch is applied to the sitting by its pure rules and stored with what it brought about; only then
anybody hears of it. The sitting is kept in memory between batches, and read again when another
process has changed it: the version in the row tells, under the meeting's lock. So of two commits in
one epoch one wins, whichever processes they reached. Must never answer before the commit.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from conclave.kernel.app import App
from conclave.kernel.errors import Unavailable
from conclave.sealing import epochs, store
from conclave.sealing.events import EndReason
from conclave.sealing.machine import Refused, Sitting
from conclave.sealing.metrics import SealingMetrics
from conclave.sealing.state import Limits, Row

_BATCH = 64
_TRIM_ROWS = 256

T = TypeVar("T")


@dataclass(slots=True)
class Stored:
    """What a transaction has written, for those who hear of it."""

    instance: str | None
    """The sitting as it stands afterwards."""
    rows: list[Row] = field(default_factory=list)
    """Of that sitting."""


@dataclass(slots=True)
class _Request:
    work: Callable[[Desk], Any]
    then: Callable[[Any], None]
    answer: asyncio.Future[Any]
    outcome: Any = None
    refused: Refused | None = None


class Desk:
    def __init__(
        self,
        app: App,
        meeting_id: str,
        limits: Limits,
        publish: Callable[[Stored], None],
    ) -> None:
        self.meeting_id = meeting_id
        self.sitting: Sitting | None = None
        """For the work that is being done; under the meeting's lock."""
        self.limits = limits
        self._app = app
        self._metrics = app.use(SealingMetrics)
        self._publish = publish
        self._known: tuple[str, int] | None = None
        self._stored_seats: set[str] = set()
        self._requests: deque[_Request] = deque()
        self._running: asyncio.Task[None] | None = None
        self._untrimmed_rows = 0
        self._untrimmed_bytes = 0

    @property
    def is_idle(self) -> bool:
        return self._running is None

    async def ask(
        self, work: Callable[[Desk], T], then: Callable[[T], None] = lambda _outcome: None
    ) -> T:
        """Do `work` (it may be done again after a fault). When its outcome is stored, `then` runs
        before anybody else hears of it. Raises `Refused`, `Unavailable`."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._requests.append(_Request(work, then, answer))
        if self._running is None:
            self._running = asyncio.create_task(self._run(), name="sealing desk")
        # Whoever asks may go away; what was begun is finished.
        return await answer

    def require_sitting(self) -> Sitting:
        if self.sitting is None:
            raise Refused("no_instance", "This sitting is over.")
        return self.sitting

    def found(self, sitting: Sitting) -> None:
        """The meeting's new sitting; there is none yet."""
        self.sitting = sitting

    async def _run(self) -> None:
        try:
            while self._requests:
                batch = [self._requests.popleft() for _ in range(min(_BATCH, len(self._requests)))]
                await self._do(batch)
        finally:
            self._running = None

    async def _do(self, batch: list[_Request]) -> None:
        try:
            stored = await self._transact(batch)
        except Exception as error:
            self._known = self.sitting = None
            if len(batch) > 1 and not isinstance(error, Unavailable):
                # One of them is at fault; the others must not suffer for it.
                for request in batch:
                    await self._do([request])
                return
            for request in batch:
                if not request.answer.done():
                    request.answer.set_exception(error)
            return
        for request in batch:
            if request.refused is None:
                request.then(request.outcome)
        self._publish(stored)
        for request in batch:
            if request.answer.done():
                continue
            if request.refused is not None:
                request.answer.set_exception(request.refused)
            else:
                request.answer.set_result(request.outcome)

    async def _transact(self, batch: list[_Request]) -> Stored:
        stored = Stored(None)
        ended: list[EndReason] = []
        async with self._app.db.transaction() as tx:
            await store.lock(self._app.db, tx, self.meeting_id)
            await self._refresh(tx)
            for request in batch:
                request.refused = None
                try:
                    request.outcome = request.work(self)
                except Refused as refused:
                    request.refused = refused
                if self.sitting is not None and self.sitting.ended is not None:
                    ended.append(self.sitting.ended)
                    await self._flush(tx, stored)
            await self._flush(tx, stored)
            stored.instance = None if self.sitting is None else self.sitting.instance.id
        for why in ended:
            self._metrics.instances_ended.labels(why).inc()
        return stored

    async def _refresh(self, tx: AsyncSession) -> None:
        current = await store.version_of(tx, self.meeting_id)
        if current == self._known and (current is None) == (self.sitting is None):
            return
        loaded = None if current is None else await store.load(tx, self.meeting_id)
        if loaded is None:
            self.sitting = self._known = None
            self._stored_seats = set()
            return
        instance, seats = loaded
        self.sitting = epochs.resumed(instance, seats, self.limits)
        self._stored_seats = set(seats)
        self._known = current

    async def _flush(self, tx: AsyncSession, stored: Stored) -> None:
        sitting = self.sitting
        if sitting is None:
            return
        changes = sitting.take()
        instance = sitting.instance
        for event in changes.events:
            await self._app.outbox.emit(tx, event)
        if changes.ended is not None:
            await store.erase(tx, instance.org_id, instance.meeting_id)
            self.sitting = self._known = None
            self._stored_seats = set()
            stored.rows.clear()
            return
        if changes.is_empty:
            return
        instance.version += 1
        await store.save(tx, sitting, changes, self._stored_seats, self._app.clock.now())
        stored.rows.extend(changes.rows)
        self._known = (instance.id, instance.version)
        await self._trim(tx, sitting, changes.rows)

    async def _trim(self, tx: AsyncSession, sitting: Sitting, rows: tuple[Row, ...]) -> None:
        bounds = self._app.settings.sealing
        self._untrimmed_rows += len(rows)
        self._untrimmed_bytes += sum(len(row.frame) for row in rows)
        if (
            self._untrimmed_rows < min(_TRIM_ROWS, bounds.log_rows)
            and self._untrimmed_bytes < bounds.log_bytes // 8
        ):
            return
        self._untrimmed_rows = self._untrimmed_bytes = 0
        await store.trim(tx, sitting.instance, rows=bounds.log_rows, size=bounds.log_bytes)
