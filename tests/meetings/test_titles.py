"""A meeting's title: bytes that the server passes on and forgets at the end."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest
from sqlalchemy import select

from conclave import accounts
from conclave.kernel.ids import unguessable_id
from conclave.meetings import service
from conclave.meetings.models import Meeting
from tests.databases import sqlite_only
from tests.stage import Stage

pytestmark = pytest.mark.unit


def b64(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


TITLE = b64(b"\xfb\xff" + bytes(range(60)))


async def test_a_title_is_seen_by_the_operator_and_by_whoever_has_the_id(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    path = f"/api/v1/meetings/{meeting}"
    answer = await operator.put(f"{path}/title", json={"sealed_title": TITLE})
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await stage.guest().get(path)).json()["sealed_title"] == TITLE
    (listed,) = (await operator.get("/api/v1/meetings")).json()["meetings"]
    assert listed["sealed_title"] == TITLE

    other = b64(b"x" * 1_024)
    await operator.put(f"{path}/title", json={"sealed_title": other})
    assert (await stage.guest().get(path)).json()["sealed_title"] == other
    await operator.put(f"{path}/title", json={"sealed_title": None})
    assert (await stage.guest().get(path)).json()["sealed_title"] is None


async def test_a_new_title_is_told_and_not_shown(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.settled()
    socket = await operator.socket("/api/v1/realtime")
    seq = (await socket.frame())["seq"]
    await operator.put(f"/api/v1/meetings/{meeting}/title", json={"sealed_title": TITLE})
    frame = await socket.frame()
    assert frame == {
        "t": "event",
        "seq": seq + 1,
        "type": "meeting.renamed",
        "data": {
            "id": meeting,
            "opened_at": "2026-01-01T00:00:00Z",
            "participants": 0,
            "url": f"http://localhost:8080/m/{meeting}",
        },
    }


async def test_nothing_of_it_is_left_after_the_end(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    path = f"/api/v1/meetings/{meeting}"
    await operator.put(f"{path}/title", json={"sealed_title": TITLE})
    await operator.post(f"{path}/end")
    await stage.settled()
    async with stage.app.db.read() as session:
        assert await session.scalar(select(Meeting.sealed_title).where(Meeting.id == meeting)) is (
            None
        )
    org = await accounts.ensure_organisation(stage.app.db, stage.clock)
    types = ["meeting.opened", "meeting.renamed", "meeting.ended"]
    _, events = await stage.app.outbox.since(org, types, 0, limit=100)
    assert events
    assert [event.type for event in events] == types
    assert TITLE[:12] not in json.dumps([dict(event.payload) for event in events])


async def test_meetings_that_end_by_themselves_lose_theirs_too(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await operator.put(f"/api/v1/meetings/{meeting}/title", json={"sealed_title": TITLE})
    stage.clock.advance(stage.settings.meetings.unused_hours * 3_600)
    await service.reconcile(stage.app)
    async with stage.app.db.read() as session:
        found = (
            await session.execute(
                select(Meeting.sealed_title, Meeting.ended_at).where(Meeting.id == meeting)
            )
        ).one()
    assert found.sealed_title is None
    assert found.ended_at is not None


async def test_no_title_without_an_open_meeting(stage: Stage) -> None:
    operator = await stage.operator()
    ended = await stage.meeting(operator)
    await operator.post(f"/api/v1/meetings/{ended}/end")
    for meeting in (ended, unguessable_id("mtg"), "mtg_short"):
        answer = await operator.put(
            f"/api/v1/meetings/{meeting}/title", json={"sealed_title": TITLE}
        )
        assert answer.status_code == 404


@sqlite_only
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"sealed_title": ""}',
        b'{"sealed_title": 7}',
        b'{"sealed_title": ["AAAA"]}',
        b'{"sealed_title": "A"}',
        b'{"sealed_title": "AB"}',
        b'{"sealed_title": "AA=="}',
        b'{"sealed_title": "A+/A"}',
        b'{"sealed_title": "AA AA"}',
        b'{"sealed_title": "AAAA\\n"}',
        b'{"sealed_title": "Planung 7"}',
        '{"sealed_title": "Über"}'.encode(),
        b'{"sealed_title": "\\ud800"}',
        b'{"sealed_title": "AAAA", "title": "Planung"}',
        json.dumps({"sealed_title": b64(b"x" * 1_025)}).encode(),
        json.dumps({"sealed_title": "A" * 60_000}).encode(),
        b"[" * 20_000,
    ],
)
async def test_what_is_no_sealed_title_is_refused(stage: Stage, body: bytes) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    answer = await operator.put(
        f"/api/v1/meetings/{meeting}/title",
        content=body,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Planung" not in answer.text
    assert (await operator.get(f"/api/v1/meetings/{meeting}")).json()["sealed_title"] is None
