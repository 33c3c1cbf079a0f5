"""Planned meetings: kept for their time, with a plan that the server cannot read."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from conclave import accounts
from conclave.kernel.errors import Unavailable
from conclave.kernel.ids import unguessable_id
from conclave.meetings import service
from conclave.meetings.models import Invitation as InvitationRow
from conclave.meetings.models import Meeting
from tests.databases import sqlite_only
from tests.meetings.invitation import Invitation, b64
from tests.sealing.delivery.tab import identity
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit

PLAN = b64(b"\xfb\xff" + bytes(range(200)))
UNTIL = "2026-03-01T10:00:00+01:00"


async def keep(host: Person, meeting: str, **changes: Any) -> httpx2.Response:
    body = {"sealed_plan": PLAN, "keep": "until", "keep_until": UNTIL, **changes}
    return await host.put(f"/api/v1/meetings/{meeting}/plan", json=body)


async def listed(host: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await host.get("/api/v1/meetings")).json()["meetings"]
    return found


async def test_a_plan_is_seen_by_its_host_and_by_whoever_has_the_link(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    answer = await keep(host, meeting)
    assert (answer.status_code, answer.content) == (204, b"")
    (mine,) = await listed(host)
    assert mine["sealed_plan"] == PLAN
    assert mine["keep"] == "until"
    assert mine["keep_until"] == "2026-03-01T09:00:00Z"
    assert mine["is_own_room"] is False
    seen = (await stage.guest().get(f"/api/v1/meetings/{meeting}")).json()
    assert (seen["sealed_plan"], seen["keep"], seen["keep_until"]) == (
        PLAN,
        "until",
        "2026-03-01T09:00:00Z",
    )


async def test_a_new_plan_is_told_and_not_shown(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    await stage.settled()
    socket = await host.socket("/api/v1/realtime")
    await socket.frame()
    await keep(host, meeting)
    frame = await socket.frame()
    assert frame["type"] == "meeting.planned"
    assert set(frame["data"]) == {"id", "opened_at", "participants", "url"}
    await stage.settled()
    org = await accounts.ensure_organisation(stage.app.db, stage.clock)
    _, events = await stage.app.outbox.since(org, ["meeting.planned"], 0, limit=10)
    assert events
    told = json.dumps([dict(event.payload) for event in events])
    assert PLAN[:12] not in told
    assert "2026-03" not in told, "nor for when"


async def test_it_is_kept_for_its_time_and_ends_after_it(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    await keep(host, meeting)
    await host.put(f"/api/v1/meetings/{meeting}/title", json={"sealed_title": PLAN})
    await host.post(
        f"/api/v1/meetings/{meeting}/invitations",
        json={"invitations": [b64(Invitation(meeting).encode())]},
    )
    stage.clock.advance(timedelta(days=58))
    await service.reconcile(stage.app)
    host = await stage.operator()  # the session has run out meanwhile
    assert [one["id"] for one in await listed(host)] == [meeting]
    guest = stage.guest()
    kept = await guest.get(f"/api/v1/meetings/{meeting}/invitations/{Invitation(meeting).id}")
    assert kept.json()["state"] == "unused", "personal links live as long"
    stage.clock.advance(timedelta(days=2))
    await service.reconcile(stage.app)
    assert await listed(host) == []
    await stage.settled()
    async with stage.app.db.read() as session:
        row = (await session.execute(select(Meeting).where(Meeting.id == meeting))).scalar_one()
        invitations = (await session.scalars(select(InvitationRow.id))).all()
    assert (row.sealed_plan, row.sealed_title, list(invitations)) == (None, None, [])
    entries = (await host.get(f"/api/v1/meetings/{meeting}/audit")).json()["entries"]
    (ended,) = [one for one in entries if one["type"] == "meeting.ended"]
    assert ended["details"] == {"reason": "over"}
    metrics = (await host.get("/metrics")).text
    assert 'conclave_meetings_ended_total{reason="over"} 1.0' in metrics


async def test_who_is_there_is_not_put_out_when_its_time_is_over(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    await keep(host, meeting)
    stage.clock.advance(timedelta(days=70))
    host = await stage.operator()
    await stage.enter(meeting, identity(1))
    await stage.settled()
    stage.clock.advance(timedelta(days=20))
    await service.reconcile(stage.app)
    assert [one["participants"] for one in await listed(host)] == [1]
    await stage.engine.leave(meeting, identity(1))
    await stage.settled()
    stage.clock.advance(timedelta(minutes=59))
    await service.reconcile(stage.app)
    assert [one["participants"] for one in await listed(host)] == [0]
    stage.clock.advance(timedelta(minutes=1))
    await service.reconcile(stage.app)
    assert await listed(host) == []


async def test_one_without_end_outlives_years_of_nobody(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    await keep(host, meeting, keep="always", keep_until=None)
    guest = stage.guest()
    await stage.enter(meeting, identity(1))
    await stage.settled()
    await stage.engine.leave(meeting, identity(1))
    await stage.settled()
    stage.clock.advance(timedelta(days=800))
    await service.reconcile(stage.app)
    assert (await guest.get(f"/api/v1/meetings/{meeting}")).json()["keep"] == "always"


async def test_a_plan_that_is_taken_back_leaves_an_ordinary_room(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    await keep(host, meeting)
    stage.clock.advance(timedelta(days=40))
    host = await stage.operator()
    gone = await keep(host, meeting, sealed_plan=None, keep="while-used", keep_until=None)
    assert gone.status_code == 204
    stage.clock.advance(timedelta(hours=23))
    await service.reconcile(stage.app)
    (mine,) = await listed(host)
    assert (mine["keep"], mine["keep_until"], mine["sealed_plan"]) == ("while-used", None, None)
    stage.clock.advance(timedelta(hours=1))
    await service.reconcile(stage.app)
    assert await listed(host) == []


async def test_ending_a_sitting_leaves_the_series(stage: Stage) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    await keep(host, meeting)
    await stage.enter(meeting, identity(1))
    await stage.settled()
    tab = stage.members[meeting][0]
    answer = await host.post(f"/api/v1/meetings/{meeting}/end")
    assert (answer.status_code, answer.content) == (204, b"")
    await stage.settled()
    assert meeting not in stage.engine.rooms, "everybody is out of the media"
    while (await tab.socket.frame())["t"] != "ended":
        pass
    (mine,) = await listed(host)
    assert (mine["sealed_plan"], mine["participants"]) == (PLAN, 0)

    # The next one begins as the first did, by the same link.
    stage.members[meeting].clear()
    await stage.seat(meeting, identity(2))
    assert await stage.engine.enter(meeting, identity(2))
    assert not await stage.engine.enter(meeting, identity(1)), "whoever was sent home knocks anew"


async def test_a_sitting_that_began_anew_is_not_ended_with_the_one_before(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The media engine was out of order, so that what follows from the end comes late."""
    host = await stage.operator()
    meeting = await stage.meeting(host)
    await keep(host, meeting)
    await stage.enter(meeting, identity(1))
    await stage.settled()
    old = stage.members.pop(meeting)[0]

    async def out_of_order(room: str) -> None:
        raise Unavailable

    delete_room = stage.engine.delete_room
    monkeypatch.setattr(stage.engine, "delete_room", out_of_order)
    assert (await host.post(f"/api/v1/meetings/{meeting}/end")).status_code == 204
    while (await old.socket.frame())["t"] != "ended":
        pass
    stage.clock.advance(timedelta(seconds=1))
    await stage.seat(meeting, identity(2))
    assert await stage.engine.enter(meeting, identity(2))
    monkeypatch.setattr(stage.engine, "delete_room", delete_room)
    await stage.settled()
    assert set(stage.engine.rooms[meeting]) == {identity(2)}, "the ones before are out"
    (new,) = stage.members[meeting]
    assert (await new.ask("ticket"))["t"] == "ok"
    (mine,) = await listed(host)
    assert mine["participants"] == 1


async def test_cancelling_ends_it_for_good(stage: Stage) -> None:
    host = await stage.operator()
    meeting, plain = await stage.meeting(host), await stage.meeting(host)
    await keep(host, meeting, keep="always", keep_until=None)
    for one in (meeting, plain):
        assert (await host.delete(f"/api/v1/meetings/{one}")).status_code == 204
        assert (await host.delete(f"/api/v1/meetings/{one}")).status_code == 404
        assert (await stage.guest().get(f"/api/v1/meetings/{one}")).status_code == 404
    assert await listed(host) == []


async def test_a_room_of_ones_own_is_one(stage: Stage) -> None:
    host = await stage.operator()
    first, second = await stage.meeting(host), await stage.meeting(host)
    own = {"sealed_plan": None, "keep": "always", "keep_until": None, "is_own_room": True}
    answers = await asyncio.gather(keep(host, first, **own), keep(host, second, **own))
    assert sorted(answer.status_code for answer in answers) == [204, 409]
    (refused,) = [answer for answer in answers if answer.status_code == 409]
    assert refused.json()["code"] == "own_room"
    (mine,) = [one for one in await listed(host) if one["is_own_room"]]
    assert (await keep(host, mine["id"], **own)).status_code == 204, "once more does no harm"
    # A new link is a new room: the one before ends.
    await host.delete(f"/api/v1/meetings/{mine['id']}")
    other = second if mine["id"] == first else first
    assert (await keep(host, other, **own)).status_code == 204


@sqlite_only
async def test_two_hundred_are_the_most(stage: Stage) -> None:
    host = await stage.operator()
    org = await accounts.ensure_organisation(stage.app.db, stage.clock)
    first = await stage.meeting(host)
    await keep(host, first)
    async with stage.app.db.transaction() as tx:
        row = (await tx.execute(select(Meeting).where(Meeting.id == first))).scalar_one()
        for _ in range(199):
            tx.add(
                Meeting(
                    org_id=org,
                    id=unguessable_id("mtg"),
                    opened_by=row.opened_by,
                    opened_at=row.opened_at,
                    empty_since_at=row.opened_at,
                    keep="always",
                )
            )
    more = await stage.meeting(host)
    answer = await keep(host, more)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_planned")
    assert (await keep(host, first, keep="always", keep_until=None)).status_code == 204
    await host.delete(f"/api/v1/meetings/{first}")
    assert (await keep(host, more)).status_code == 204


async def test_nobody_elses(stage: Stage) -> None:
    host = await stage.operator()
    ended = await stage.meeting(host)
    await host.delete(f"/api/v1/meetings/{ended}")
    for meeting in (ended, unguessable_id("mtg"), "mtg_short"):
        assert (await keep(host, meeting)).status_code == 404
        assert (await host.delete(f"/api/v1/meetings/{meeting}")).status_code == 404
    meeting = await stage.meeting(host)
    assert (await keep(stage.guest(), meeting)).status_code == 401
    assert (await stage.guest().delete(f"/api/v1/meetings/{meeting}")).status_code == 401
    other = await stage.operator()
    assert (await listed(other)) == (await listed(host)), "the same operator, in another browser"


@sqlite_only
@pytest.mark.parametrize(
    "until",
    [
        "2025-12-31T23:00:00Z",  # a clock that is an hour behind
        "2026-01-01T00:00:00Z",
        "2028-01-02T00:00:01Z",
        "9999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
    ],
)
async def test_only_until_a_time_to_come_and_for_two_years_at_most(
    stage: Stage, until: str
) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    answer = await keep(host, meeting, keep_until=until)
    assert (answer.status_code, answer.json()["code"]) == (422, "keep_until"), answer.text
    assert (await listed(host))[0]["keep"] == "while-used"


@sqlite_only
@pytest.mark.parametrize("until", ["2026-01-01T00:00:01Z", "2028-01-02T00:00:00Z"])
async def test_the_bounds_themselves_hold(stage: Stage, until: str) -> None:
    host = await stage.operator()
    assert (await keep(host, await stage.meeting(host), keep_until=until)).status_code == 204


@sqlite_only
@pytest.mark.parametrize(
    "changes",
    [
        {"sealed_plan": ""},
        {"sealed_plan": "A"},
        {"sealed_plan": "AA=="},
        {"sealed_plan": "Planung 7"},
        {"sealed_plan": ["AAAA"]},
        {"sealed_plan": b64(b"x" * 4_097)},
        {"sealed_plan": "A" * 50_000},
        {"keep": "forever"},
        {"keep": None},
        {"keep": "always"},
        {"keep": "while-used"},
        {"keep": "while-used", "keep_until": None},
        {"keep_until": None},
        {"keep_until": "tomorrow"},
        {"keep_until": "2026-03-01T10:00:00"},
        {"keep_until": "2026-03-01T10:00:00+99:00"},
        {"keep_until": 1e300},
        {"is_own_room": True},
        {"is_own_room": "perhaps"},
        {"title": "Planung"},
    ],
    ids=str,
)
async def test_what_is_no_plan_is_refused(stage: Stage, changes: dict[str, Any]) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    answer = await keep(host, meeting, **changes)
    assert answer.status_code == 422, answer.text
    assert "Planung" not in answer.text
    (mine,) = await listed(host)
    assert (mine["keep"], mine["sealed_plan"]) == ("while-used", None)


@sqlite_only
@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"{}", b"[" * 20_000, b'{"keep": "until"'])
async def test_what_is_no_body_is_refused(stage: Stage, body: bytes) -> None:
    host = await stage.operator()
    meeting = await stage.meeting(host)
    answer = await host.put(
        f"/api/v1/meetings/{meeting}/plan",
        content=body,
        headers={"content-type": "application/json"},
    )
    assert answer.status_code in {400, 422}, answer.text
