"""What a host may do to participants, and that it holds."""

from __future__ import annotations

import pytest

from conclave.kernel.errors import Unavailable
from tests.databases import sqlite_only
from tests.sealing.delivery.tab import identity
from tests.stage import Stage

pytestmark = pytest.mark.unit


async def test_a_removed_participant_stays_out(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    assert await stage.enter(meeting, identity(1))
    assert await stage.enter(meeting, identity(2))
    path = f"/api/v1/meetings/{meeting}/participants/{identity(1)}"
    assert (await operator.delete(path)).status_code == 204
    await stage.settled()
    assert ("remove_participant", meeting, identity(1)) in stage.engine.calls
    assert not await stage.engine.enter(meeting, identity(1))
    assert await stage.enter(meeting, identity(3))
    assert (await operator.delete(path)).status_code == 204, "again changes nothing"


async def test_somebody_who_has_just_left_can_still_be_kept_out(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    path = f"/api/v1/meetings/{meeting}/participants/{identity(8)}"
    assert (await operator.delete(path)).status_code == 204
    await stage.settled()
    assert not await stage.enter(meeting, identity(8))


async def test_a_removal_is_of_one_meeting(stage: Stage) -> None:
    operator = await stage.operator()
    one, two = await stage.meeting(operator), await stage.meeting(operator)
    await operator.delete(f"/api/v1/meetings/{one}/participants/{identity(1)}")
    assert not await stage.engine.enter(one, identity(1))
    assert await stage.enter(two, identity(1))


async def test_muting_acts_in_the_engine(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.enter(meeting, identity(1))
    path = f"/api/v1/meetings/{meeting}/participants"
    answer = await operator.post(f"{path}/{identity(1)}/mute", json={"track": "TR_1"})
    assert answer.status_code == 204
    assert ("mute_track", meeting, identity(1), "TR_1", True) in stage.engine.calls
    nobody = await operator.post(f"{path}/{identity(2)}/mute", json={"track": "TR_1"})
    assert nobody.status_code == 404


@sqlite_only
@pytest.mark.parametrize("body", [{}, {"track": ""}, {"track": "x" * 129}, {"track": 1}, []])
async def test_a_mute_that_names_no_track_is_refused(stage: Stage, body: object) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    path = f"/api/v1/meetings/{meeting}/participants/prt_1/mute"
    assert (await operator.post(path, json=body)).status_code == 422


@sqlite_only
@pytest.mark.parametrize("identity", ["x" * 129, "%00", "%0a", "a%E2%80%AEb"])
async def test_an_identity_that_cannot_be_is_not_there(stage: Stage, identity: str) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    answer = await operator.delete(f"/api/v1/meetings/{meeting}/participants/{identity}")
    assert answer.status_code == 404


async def test_rooms_that_are_no_meetings_are_open_to_api_keys(stage: Stage) -> None:
    assert await stage.engine.enter("load-test", "bot")
    assert not await stage.engine.enter("mtg_notreally", "bot")


async def test_an_engine_out_of_order_is_said_and_nothing_is_lost(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.enter(meeting, identity(1))
    stage.engine.failure = Unavailable("the media engine does not answer")
    mute = await operator.post(
        f"/api/v1/meetings/{meeting}/participants/prt_1/mute", json={"track": "TR_1"}
    )
    assert mute.status_code == 503
    assert (await operator.post(f"/api/v1/meetings/{meeting}/end")).status_code == 204
    assert stage.engine.calls == []
    stage.engine.failure = None
    await stage.settled()
    assert ("delete_room", meeting) in stage.engine.calls, "done as soon as it can be"
