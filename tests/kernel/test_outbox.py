"""The outbox: what is committed is delivered, in order, at least once; nothing else is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from sqlalchemy import func, select

from conclave.kernel import outbox as outbox_module
from conclave.kernel.clock import ManualClock
from conclave.kernel.db import Database
from conclave.kernel.models import OutboxEvent
from conclave.kernel.outbox import Outbox, StoredEvent
from tests.databases import sqlite_only

pytestmark = pytest.mark.unit


@dataclass(frozen=True, slots=True)
class Happened:
    type: ClassVar[str] = "test.happened"
    number: int
    org_id: str = "org_1"

    def payload(self) -> Mapping[str, Any]:
        return {"number": self.number}


@dataclass(frozen=True, slots=True)
class SomethingElse(Happened):
    type: ClassVar[str] = "test.other"


@pytest.fixture
async def new_outbox(db: Database) -> AsyncIterator[Callable[[], Outbox]]:
    made: list[Outbox] = []

    def make() -> Outbox:
        made.append(Outbox(db, ManualClock()))
        return made[-1]

    yield make
    for one in made:
        await one.stop()


async def _emit(db: Database, outbox: Outbox, *events: Happened) -> None:
    async with db.transaction() as tx:
        for event in events:
            await outbox.emit(tx, event)


async def test_consumers_get_their_types_in_order(
    db: Database, new_outbox: Callable[[], Outbox]
) -> None:
    outbox = new_outbox()
    got: list[StoredEvent] = []

    async def handle(event: StoredEvent) -> None:
        got.append(event)

    outbox.consume("test", {Happened.type}, handle)
    await outbox.start()
    for number in range(250):  # more than one batch
        await _emit(db, outbox, Happened(number), SomethingElse(number))
    await outbox.caught_up()
    assert [event.payload["number"] for event in got] == list(range(250))
    assert [event.seq for event in got] == sorted(event.seq for event in got)
    assert len({event.id for event in got}) == 250


async def test_what_is_rolled_back_never_happened(
    db: Database, new_outbox: Callable[[], Outbox]
) -> None:
    outbox = new_outbox()
    got: list[int] = []

    async def handle(event: StoredEvent) -> None:
        got.append(event.payload["number"])

    outbox.consume("test", {Happened.type}, handle)
    await outbox.start()
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as tx:
            await outbox.emit(tx, Happened(1))
            _ = 1 / 0
    await _emit(db, outbox, Happened(2))
    await outbox.caught_up()
    assert got == [2]
    assert await outbox.head() == 1, "no number is lost"


async def test_a_restart_goes_on_where_it_was(
    db: Database, new_outbox: Callable[[], Outbox]
) -> None:
    got: list[int] = []

    async def handle(event: StoredEvent) -> None:
        got.append(event.payload["number"])

    first = new_outbox()
    first.consume("test", {Happened.type}, handle)
    await first.start()
    await _emit(db, first, Happened(1))
    await first.caught_up()
    await first.stop()
    await _emit(db, first, Happened(2), Happened(3))

    second = new_outbox()
    second.consume("test", {Happened.type}, handle)
    await second.start()
    await second.caught_up()
    assert got == [1, 2, 3]


async def test_a_failing_consumer_is_tried_again_and_holds_up_nobody(
    db: Database, new_outbox: Callable[[], Outbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "_PAUSES", (0.0,))
    outbox = new_outbox()
    failures = 3
    bad: list[str] = []
    good: list[str] = []
    reached = asyncio.Event()

    async def fail(event: StoredEvent) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise ValueError("out of order")
        bad.append(event.id)

    async def handle(event: StoredEvent) -> None:
        good.append(event.id)
        reached.set()

    outbox.consume("bad", {Happened.type}, fail)
    outbox.consume("good", {Happened.type}, handle)
    await outbox.start()
    await _emit(db, outbox, Happened(1))
    await asyncio.wait_for(reached.wait(), 5)
    await outbox.caught_up()
    assert bad == good


async def test_writers_at_the_same_time_get_numbers_without_gaps(
    db: Database, new_outbox: Callable[[], Outbox]
) -> None:
    outbox = new_outbox()
    await asyncio.gather(*(_emit(db, outbox, Happened(number)) for number in range(20)))
    async with db.read() as session:
        numbers = list(await session.scalars(select(OutboxEvent.seq).order_by(OutboxEvent.seq)))
    assert numbers == list(range(1, 21))


async def test_the_log_is_read_by_organisation_and_type(
    db: Database, new_outbox: Callable[[], Outbox]
) -> None:
    outbox = new_outbox()
    await _emit(db, outbox, Happened(1), Happened(2, "org_2"), SomethingElse(3), Happened(4))
    head, events = await outbox.since("org_1", [Happened.type], 0, limit=10)
    assert head == 4
    assert events is not None
    assert [event.payload["number"] for event in events] == [1, 4]
    assert await outbox.since("org_1", [Happened.type], 4, limit=10) == (4, [])


async def test_who_is_too_far_back_or_ahead_must_load_anew(
    db: Database, new_outbox: Callable[[], Outbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "RETAINED_EVENTS", 5)
    outbox = new_outbox()
    await _emit(db, outbox, *(Happened(number) for number in range(20)))
    await outbox.purge()
    assert (await outbox.since("org_1", [Happened.type], 14, limit=10))[1] is None
    assert (await outbox.since("org_1", [Happened.type], 15, limit=3))[1] is None, "too many"
    events = (await outbox.since("org_1", [Happened.type], 15, limit=5))[1]
    assert events is not None
    assert [event.seq for event in events] == [16, 17, 18, 19, 20]
    assert (await outbox.since("org_1", [Happened.type], 21, limit=10))[1] is None, "ahead"


async def test_what_a_consumer_has_not_seen_is_kept(
    db: Database, new_outbox: Callable[[], Outbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "RETAINED_EVENTS", 5)
    outbox = new_outbox()

    async def never(_event: StoredEvent) -> None:
        await asyncio.Event().wait()

    outbox.consume("stuck", {Happened.type}, never)
    await outbox.start()
    await _emit(db, outbox, *(Happened(number) for number in range(20)))
    await outbox.purge()
    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(OutboxEvent)) == 20


@sqlite_only
async def test_a_consumer_is_registered_once(new_outbox: Callable[[], Outbox]) -> None:
    outbox = new_outbox()

    async def handle(_event: StoredEvent) -> None: ...

    outbox.consume("test", (), handle)
    for name in ("test", "head"):
        with pytest.raises(ValueError, match="twice"):
            outbox.consume(name, (), handle)


async def test_what_another_process_wrote_is_found(
    db: Database, new_outbox: Callable[[], Outbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    for interval in ("_LOOK_S", "_LOOK_SQLITE_S"):
        monkeypatch.setattr(outbox_module, interval, 0.01)
    here, elsewhere = new_outbox(), new_outbox()
    got: asyncio.Queue[int] = asyncio.Queue()

    async def handle(event: StoredEvent) -> None:
        await got.put(event.payload["number"])

    here.consume("test", {Happened.type}, handle)
    await here.start()
    await _emit(db, elsewhere, Happened(7))
    assert await asyncio.wait_for(got.get(), 30) == 7
