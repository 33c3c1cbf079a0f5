"""How a meeting follows the engine, and how it ends by itself."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from conclave.kernel.errors import Unavailable
from conclave.meetings import service
from conclave.settings import Settings
from tests.sealing.delivery.tab import identity
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit


async def _counts(operator: Person) -> list[int]:
    listed = (await operator.get("/api/v1/meetings")).json()["meetings"]
    return [meeting["participants"] for meeting in listed]


async def test_the_list_counts_who_is_there(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    for number in range(3):
        await stage.enter(meeting, identity(number))
    await stage.engine.enter(meeting, "recorder", hidden=True)
    await stage.settled()
    assert await _counts(operator) == [3]
    await stage.engine.leave(meeting, identity(1))
    await stage.settled()
    assert await _counts(operator) == [2]


async def test_left_empty_it_ends_after_an_hour(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.enter(meeting, identity(1))
    await stage.settled()
    stage.clock.advance(timedelta(days=3))
    await service.reconcile(stage.app)
    assert await _counts(operator) == [1], "not while somebody is there"
    await stage.engine.leave(meeting, identity(1))
    await stage.settled()
    stage.clock.advance(timedelta(minutes=59))
    await service.reconcile(stage.app)
    assert await _counts(operator) == [0]
    stage.clock.advance(timedelta(minutes=1))
    await service.reconcile(stage.app)
    assert await _counts(operator) == []
    assert (await stage.guest().get(f"/api/v1/meetings/{meeting}")).status_code == 404


async def test_coming_back_starts_the_hour_anew(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.seat(meeting, identity(1))
    for _ in range(3):
        await stage.engine.enter(meeting, identity(1))
        await stage.settled()
        await stage.engine.leave(meeting, identity(1))
        await stage.settled()
        stage.clock.advance(timedelta(minutes=50))
        await service.reconcile(stage.app)
    assert await _counts(operator) == [0]


async def test_never_joined_it_waits_a_day(stage: Stage) -> None:
    operator = await stage.operator()
    await stage.meeting(operator)
    stage.clock.advance(timedelta(hours=23, minutes=59))
    await service.reconcile(stage.app)
    assert await _counts(operator) == [0]
    stage.clock.advance(timedelta(minutes=1))
    await service.reconcile(stage.app)
    assert await _counts(operator) == []


async def test_missed_events_are_made_good(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.enter(meeting, identity(1))
    await stage.settled()
    del stage.engine.rooms[meeting]  # without a word
    await service.reconcile(stage.app)
    assert await _counts(operator) == [0]


async def test_a_room_of_an_ended_meeting_is_closed(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.enter(meeting, identity(1))
    await operator.post(f"/api/v1/meetings/{meeting}/end")
    await stage.settled()
    stage.engine.calls.clear()
    await stage.engine.create_room(meeting)  # left over, as after a lost call
    await stage.engine.create_room("load-test")
    await service.reconcile(stage.app)
    assert stage.engine.calls == [("delete_room", meeting)]


async def test_running_meetings_outlive_the_server(
    stage: Stage, settings: Settings, new_stage: Callable[[Settings], Stage]
) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.enter(meeting, identity(1))
    await stage.settled()
    await stage.stop()

    again = new_stage(settings)
    await again.start()
    returned = Person(again)
    returned.cookies.set("conclave", operator.cookies["conclave"])
    assert await _counts(returned) == [0], "the engine is empty until clients come back"
    assert await again.engine.enter(meeting, identity(1))
    assert not await again.engine.enter(meeting, identity(9))
    await again.settled()
    assert await _counts(returned) == [1]


async def test_an_engine_out_of_order_ends_no_meeting(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.enter(meeting, identity(1))
    await stage.settled()
    stage.engine.failure = Unavailable()
    stage.clock.advance(timedelta(days=2))
    with pytest.raises(Unavailable):
        await service.reconcile(stage.app)
    assert await _counts(operator) == [1]
