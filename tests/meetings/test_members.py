"""Members open meetings, and each meeting is the affair of who has opened it."""

from __future__ import annotations

import pytest

from tests.accounts.steps import invited
from tests.databases import sqlite_only
from tests.sealing.delivery.tab import Tab
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit

REALTIME = "/api/v1/realtime"


async def _ids(person: Person) -> list[str]:
    answer = await person.get("/api/v1/meetings")
    return [meeting["id"] for meeting in answer.json()["meetings"]]


async def test_a_member_opens_names_and_ends_meetings(stage: Stage) -> None:
    member = await invited(stage, await stage.operator())
    meeting = await stage.meeting(member)
    assert await _ids(member) == [meeting]
    path = f"/api/v1/meetings/{meeting}"
    assert (await member.get(path)).json()["is_host"] is True
    assert (await member.put(f"{path}/title", json={"sealed_title": "AAAA"})).status_code == 204
    assert (await member.post(f"{path}/end")).status_code == 204


async def test_it_is_nobody_elses_not_even_an_operators(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    other = await invited(stage, operator, "198.51.100.21")
    mine, theirs = await stage.meeting(member), await stage.meeting(operator)
    assert await _ids(other) == []
    for person, meeting, kept in ((operator, mine, theirs), (member, theirs, mine)):
        assert await _ids(person) == [kept]
        path = f"/api/v1/meetings/{meeting}"
        assert (await person.get(path)).json()["is_host"] is False
        for method, part, body in (
            ("PUT", "/title", {"sealed_title": "AAAA"}),
            ("POST", "/end", None),
        ):
            refused = await person.request(method, f"{path}{part}", json=body)
            unknown = await person.request(
                method, f"/api/v1/meetings/mtg_00000000000000000000000000{part}", json=body
            )
            assert (refused.status_code, refused.json()) == (404, unknown.json())


@sqlite_only
async def test_another_operator_is_a_guest_at_the_door(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    meeting = await stage.meeting(member)
    roles = []
    for person in (member, operator, stage.guest()):
        tab = Tab(await person.socket(f"/api/v1/meetings/{meeting}/sealing"))
        roles.append((await tab.hello())["role"])
    assert roles == ["host", "guest", "guest"]


async def test_only_who_has_opened_it_hears_of_it(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    sockets = [await person.socket(REALTIME) for person in (operator, member)]
    heads = [(await socket.frame())["seq"] for socket in sockets]
    theirs = await stage.meeting(member)
    mine = await stage.meeting(operator)
    for socket, meeting in zip(sockets, (mine, theirs), strict=True):
        frame = await socket.frame()
        assert (frame["type"], frame["data"]["id"]) == ("meeting.opened", meeting)
        assert "opened_by" not in frame["data"]
    await member.post(f"/api/v1/meetings/{theirs}/end")
    await operator.post(f"/api/v1/meetings/{mine}/end")
    for socket, meeting in zip(sockets, (mine, theirs), strict=True):
        frame = await socket.frame()
        assert (frame["type"], frame["data"]["id"]) == ("meeting.ended", meeting)
    # What was missed is told to the same ones.
    for person, head, meeting in zip((operator, member), heads, (mine, theirs), strict=True):
        late = await person.socket(f"{REALTIME}?since={head}")
        assert (await late.frame())["resumed"] is True
        kinds = [await late.frame() for _ in range(2)]
        assert [frame["data"]["id"] for frame in kinds] == [meeting, meeting]
        newer = await stage.meeting(person)
        assert (await late.frame())["data"]["id"] == newer


@sqlite_only
async def test_events_that_name_nobody_are_told_to_nobody(stage: Stage) -> None:
    """Those of before there were members."""
    from sqlalchemy import select

    from conclave.kernel.models import OutboxEvent

    operator = await stage.operator()
    socket = await operator.socket(REALTIME)
    head = (await socket.frame())["seq"]
    await stage.meeting(operator)
    await stage.settled()
    async with stage.app.db.transaction() as tx:
        (event,) = await tx.scalars(select(OutboxEvent).where(OutboxEvent.type == "meeting.opened"))
        event.payload = {key: value for key, value in event.payload.items() if key != "opened_by"}
    late = await operator.socket(f"{REALTIME}?since={head}")
    assert (await late.frame())["resumed"] is True
    newer = await stage.meeting(operator)
    assert (await late.frame())["data"]["id"] == newer


@sqlite_only
async def test_a_vault_is_every_members(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    for person, content in ((operator, b"his"), (member, b"hers")):
        stored = await person.put("/api/v1/vault", content=content, headers={"if-none-match": "*"})
        assert stored.status_code == 204
    assert (await member.get("/api/v1/vault")).content == b"hers"
    assert (await operator.get("/api/v1/vault")).content == b"his"
