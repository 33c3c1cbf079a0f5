"""Meetings through the API: open, list, look, join, end."""

from __future__ import annotations

import asyncio

import pytest

from conclave.kernel.ids import is_id, unguessable_id
from tests.databases import sqlite_only
from tests.sealing.delivery.tab import identity
from tests.stage import Stage

pytestmark = pytest.mark.unit

STRANGE_IDS = [
    "mtg_",
    "mtg_short",
    "usr_00000000000000000000000000",
    "mtg_8zzzzzzzzzzzzzzzzzzzzzzzzz",
    "MTG_00000000000000000000000000",
    "mtg_0000000000000000000000000%00",
    "%F0%9F%92%A9",
    "a" * 3_000,
]


async def test_an_operator_opens_and_lists_meetings(stage: Stage) -> None:
    operator = await stage.operator()
    answer = await operator.post("/api/v1/meetings")
    assert answer.status_code == 201
    opened = answer.json()
    assert is_id("mtg", opened["id"])
    assert opened == {
        "id": opened["id"],
        "opened_at": "2026-01-01T00:00:00Z",
        "participants": 0,
        "url": f"http://localhost:8080/m/{opened['id']}",
        "entry": "open",
        "sealed_title": None,
        "keep": "while-used",
        "keep_until": None,
        "sealed_plan": None,
        "is_own_room": False,
    }
    stage.clock.advance(1)
    newer = (await operator.post("/api/v1/meetings")).json()
    listed = (await operator.get("/api/v1/meetings")).json()
    assert listed == {"meetings": [newer, opened], "can_mail": False}


@sqlite_only
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/meetings"),
        ("POST", "/api/v1/meetings"),
        ("POST", "/api/v1/meetings/{id}/end"),
        ("PUT", "/api/v1/meetings/{id}/title"),
    ],
)
async def test_guests_may_not_do_what_operators_do(stage: Stage, method: str, path: str) -> None:
    meeting = await stage.meeting(await stage.operator())
    answer = await stage.guest().request(method, path.format(id=meeting))
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"


async def test_anybody_with_the_link_sees_an_open_meeting(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    seen = {
        "id": meeting,
        "is_open": True,
        "opened_at": "2026-01-01T00:00:00Z",
        "entry": "open",
        "sealed_title": None,
        "keep": "while-used",
        "keep_until": None,
        "sealed_plan": None,
    }
    path = f"/api/v1/meetings/{meeting}"
    assert (await stage.guest().get(path)).json() == {**seen, "is_host": False}
    assert (await operator.get(path)).json() == {**seen, "is_host": True}


@pytest.mark.parametrize("strange", STRANGE_IDS)
async def test_unknown_malformed_and_ended_are_one_answer(stage: Stage, strange: str) -> None:
    operator = await stage.operator()
    ended = await stage.meeting(operator)
    await operator.post(f"/api/v1/meetings/{ended}/end")
    guest = stage.guest()
    answers = []
    for meeting in (ended, unguessable_id("mtg"), strange):
        looked = await guest.get(f"/api/v1/meetings/{meeting}")
        closed = await operator.post(f"/api/v1/meetings/{meeting}/end")
        for answer in (looked, closed):
            assert answer.status_code == 404
        answers.append(looked.json())
    assert answers[0] == answers[1] == answers[2]


async def test_a_ticket_names_nobody(stage: Stage) -> None:
    meeting = await stage.meeting(await stage.operator())
    await stage.seat(meeting, identity(1))
    (minted,) = stage.engine.minted
    assert (minted.room, minted.identity) == (meeting, identity(1))
    assert (minted.name, minted.attributes, minted.is_admin) == ("", {}, False)


async def test_only_members_of_the_group_come_in(stage: Stage) -> None:
    meeting = await stage.meeting(await stage.operator())
    assert not await stage.engine.enter(meeting, identity(1)), "no group yet"
    assert await stage.enter(meeting, identity(1))
    assert not await stage.engine.enter(meeting, identity(2)), "nobody has let them in"
    assert await stage.enter(meeting, identity(2))


async def test_who_leaves_the_group_is_taken_out_of_the_media(stage: Stage) -> None:
    meeting = await stage.meeting(await stage.operator())
    await stage.enter(meeting, identity(1))
    await stage.enter(meeting, identity(2))
    leaver = stage.members[meeting][1]
    await leaver.ask("leave")
    answer = await stage.members[meeting][0].commit(1, removed={leaver.seat: "left"})
    assert answer["t"] == "ok", answer
    await stage.settled()
    assert ("remove_participant", meeting, identity(2)) in stage.engine.calls
    assert not await stage.engine.enter(meeting, identity(2))


async def test_a_new_key_asks_for_pictures_that_stand_alone(stage: Stage) -> None:
    meeting = await stage.meeting(await stage.operator())
    await stage.enter(meeting, identity(1))
    (tab,) = stage.members[meeting]
    tab.say("using", epoch=0)
    await tab.barrier()
    assert ("request_keyframes", meeting) in stage.engine.calls


async def test_ending_ends_for_all(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.enter(meeting, identity(1))
    answer = await operator.post(f"/api/v1/meetings/{meeting}/end")
    assert answer.status_code == 204
    assert answer.content == b""
    await stage.settled()
    assert ("delete_room", meeting) in stage.engine.calls
    assert (await operator.get("/api/v1/meetings")).json()["meetings"] == []
    assert not await stage.engine.enter(meeting, identity(1)), (
        "an older token does not open it again"
    )


async def test_of_two_that_end_it_at_once_one_does(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    path = f"/api/v1/meetings/{meeting}/end"
    answers = await asyncio.gather(*(operator.post(path) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [204, 404, 404, 404]


@sqlite_only
async def test_looking_for_meetings_is_limited_by_source(stage: Stage) -> None:
    guest = stage.guest()
    statuses = [
        (await guest.get(f"/api/v1/meetings/{unguessable_id('mtg')}")).status_code
        for _ in range(241)
    ]
    assert set(statuses[:240]) == {404}
    assert statuses[240] == 429


async def test_links_follow_the_address_that_was_asked(stage: Stage) -> None:
    operator = await stage.operator()
    answer = await operator.post(
        "/api/v1/meetings", headers={"host": "Nas.local:8080", "origin": "http://nas.local:8080"}
    )
    assert answer.json()["url"].startswith("http://nas.local:8080/m/mtg_")
    evil = await operator.get("/api/v1/meetings", headers={"host": 'x"><script>'})
    assert evil.json()["meetings"][0]["url"].startswith("http://localhost:")


async def _org(stage: Stage) -> str:
    from conclave import accounts

    return await accounts.ensure_organisation(stage.app.db, stage.clock)
