"""Meetings through the API: open, list, look, join, end."""

from __future__ import annotations

import asyncio

import pytest

from conclave.kernel.ids import is_id, unguessable_id
from tests.databases import sqlite_only
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
        "sealed_title": None,
    }
    stage.clock.advance(1)
    newer = (await operator.post("/api/v1/meetings")).json()
    listed = (await operator.get("/api/v1/meetings")).json()
    assert listed == {"meetings": [newer, opened]}


@sqlite_only
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/meetings"),
        ("POST", "/api/v1/meetings"),
        ("POST", "/api/v1/meetings/{id}/end"),
        ("PUT", "/api/v1/meetings/{id}/title"),
        ("DELETE", "/api/v1/meetings/{id}/participants/prt_x"),
        ("POST", "/api/v1/meetings/{id}/participants/prt_x/mute"),
    ],
)
async def test_guests_may_not_do_what_operators_do(stage: Stage, method: str, path: str) -> None:
    meeting = await stage.meeting(await stage.operator())
    answer = await stage.guest().request(
        method, path.format(id=meeting), json={"track": "TR_x"} if "mute" in path else None
    )
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthenticated"


async def test_anybody_with_the_link_sees_an_open_meeting(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    seen = {
        "id": meeting,
        "is_open": True,
        "opened_at": "2026-01-01T00:00:00Z",
        "sealed_title": None,
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
        joined = await guest.post(f"/api/v1/meetings/{meeting}/join", json={"name": "Ada"})
        closed = await operator.post(f"/api/v1/meetings/{meeting}/end")
        for answer in (looked, joined, closed):
            assert answer.status_code == 404
        answers.append([answer.json() for answer in (looked, joined)])
    assert answers[0] == answers[1] == answers[2]


async def test_joining_gives_a_token_that_says_who_and_what(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    path = f"/api/v1/meetings/{meeting}/join"

    guest = (await stage.guest().post(path, json={"name": "  Zoë  Müller "})).json()
    host = (await operator.post(path, json={"name": "Ada"})).json()

    assert guest["url"] == ""
    assert (guest["token"], guest["role"]) == ("token-1", "guest")
    assert (host["token"], host["role"]) == ("token-2", "host")
    assert guest["identity"] != host["identity"]
    minted = stage.engine.minted
    assert [(one.room, one.identity, one.name, one.attributes) for one in minted] == [
        (meeting, guest["identity"], "Zoë Müller", {"role": "guest"}),
        (meeting, host["identity"], "Ada", {"role": "host"}),
    ]
    assert not any(one.is_admin for one in minted)


async def test_each_join_is_somebody_new(stage: Stage) -> None:
    meeting = await stage.meeting(await stage.operator())
    guest = stage.guest()
    path = f"/api/v1/meetings/{meeting}/join"
    one = (await guest.post(path, json={"name": "Ada"})).json()
    two = (await guest.post(path, json={"name": "Ada"})).json()
    assert one["identity"] != two["identity"]


@sqlite_only
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"Ada"',
        b'{"name": 7}',
        b'{"name": null}',
        b"{}",
        b'{"name": ""}',
        b'{"name": "   "}',
        b'{"name": "Ada", "role": "host"}',
        b'{"name": "\\ud800"}',
        b'{"name": "A\\u0000da"}',
        b'{"name": "\\u202eada"}',
        b'{"name": "\xff"}',
        b'{"name": "' + b"a" * 61 + b'"}',
        b"[" * 20_000,
    ],
)
async def test_a_join_that_cannot_be_used_is_refused(stage: Stage, body: bytes) -> None:
    meeting = await stage.meeting(await stage.operator())
    answer = await stage.guest().post(
        f"/api/v1/meetings/{meeting}/join",
        content=body,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert stage.engine.minted == []


@sqlite_only
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_only_json_is_taken(stage: Stage, kind: str) -> None:
    meeting = await stage.meeting(await stage.operator())
    answer = await stage.guest().post(
        f"/api/v1/meetings/{meeting}/join",
        content=b'{"name": "Ada"}',
        headers={"content-type": kind} if kind else {},
    )
    assert answer.status_code == 422


async def test_names_reach_neither_database_nor_answers(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.guest().post(f"/api/v1/meetings/{meeting}/join", json={"name": "Xylophonia"})
    await stage.settled()
    _, events = await stage.app.outbox.since(
        await _org(stage), ["meeting.opened", "meeting.participants"], 0, limit=100
    )
    assert events
    assert "Xylophonia" not in repr(events)


async def test_ending_ends_for_all(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.engine.enter(meeting, "prt_1")
    answer = await operator.post(f"/api/v1/meetings/{meeting}/end")
    assert answer.status_code == 204
    assert answer.content == b""
    await stage.settled()
    assert ("delete_room", meeting) in stage.engine.calls
    assert (await operator.get("/api/v1/meetings")).json() == {"meetings": []}
    assert not await stage.engine.enter(meeting, "prt_1"), "an older token does not open it again"


async def test_of_two_that_end_it_at_once_one_does(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    path = f"/api/v1/meetings/{meeting}/end"
    answers = await asyncio.gather(*(operator.post(path) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [204, 404, 404, 404]


@sqlite_only
async def test_joins_are_limited_by_source_and_by_meeting(stage: Stage) -> None:
    meeting = await stage.meeting(await stage.operator())
    path = f"/api/v1/meetings/{meeting}/join"
    one = stage.guest(address="203.0.113.1")
    for _ in range(60):
        assert (await one.post(path, json={"name": "Ada"})).status_code == 200
    assert (await one.post(path, json={"name": "Ada"})).status_code == 429
    two = stage.guest(address="203.0.113.2")
    for _ in range(60):
        assert (await two.post(path, json={"name": "Ada"})).status_code == 200
    three = stage.guest(address="203.0.113.3")
    refused = await three.post(path, json={"name": "Ada"})
    assert refused.status_code == 429, "the meeting's own limit"
    assert "retry-after" in refused.headers
    stage.clock.advance(60)
    assert (await one.post(path, json={"name": "Ada"})).status_code == 200


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
