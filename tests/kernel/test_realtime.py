"""The realtime socket: hello, replay, live, and every way it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from conclave.kernel.realtime import Realtime
from conclave.settings import Settings
from tests.databases import sqlite_only
from tests.sealing.delivery.tab import identity
from tests.stage import Stage

pytestmark = pytest.mark.unit

PATH = "/api/v1/realtime"


async def test_it_begins_with_the_newest_number(stage: Stage) -> None:
    operator = await stage.operator()
    await stage.meeting(operator)
    socket = await operator.socket(PATH)
    hello = await socket.frame()
    assert hello == {"t": "hello", "seq": await stage.app.outbox.head(), "resumed": False}


async def test_what_happens_is_told_in_the_shape_of_the_list(stage: Stage) -> None:
    operator = await stage.operator()
    socket = await operator.socket(PATH)
    seq = (await socket.frame())["seq"]
    meeting = await stage.meeting(operator)
    listed = (await operator.get("/api/v1/meetings")).json()["meetings"][0]
    for name in ("sealed_title", "entry", "keep", "keep_until", "sealed_plan", "is_own_room"):
        del listed[name]  # in the list alone
    assert await socket.frame() == {
        "t": "event", "seq": seq + 1, "type": "meeting.opened", "data": listed,
    }  # fmt: skip
    await stage.enter(meeting, identity(1))
    frame = await socket.frame()
    assert (frame["seq"], frame["type"]) == (seq + 2, "meeting.participants")
    assert frame["data"] == {**listed, "participants": 1}
    await operator.post(f"/api/v1/meetings/{meeting}/end")
    frame = await socket.frame()
    assert (frame["seq"], frame["type"]) == (seq + 3, "meeting.ended")
    assert frame["data"]["id"] == meeting


async def test_what_was_missed_is_told_first(stage: Stage) -> None:
    operator = await stage.operator()
    first = await operator.socket(PATH)
    seq = (await first.frame())["seq"]
    await first.leave()
    meetings = [await stage.meeting(operator) for _ in range(3)]
    socket = await operator.socket(f"{PATH}?since={seq}")
    assert await socket.frame() == {"t": "hello", "seq": seq + 3, "resumed": True}
    missed = [await socket.frame() for _ in meetings]
    assert [frame["data"]["id"] for frame in missed] == meetings
    later = await stage.meeting(operator)
    frame = await socket.frame()
    assert (frame["seq"], frame["data"]["id"]) == (seq + 4, later)


@sqlite_only
@pytest.mark.parametrize("since", ["999999", "-1", "x", "", "1e3", "9" * 30, "٣"])
async def test_a_number_that_cannot_be_means_load_anew(stage: Stage, since: str) -> None:
    operator = await stage.operator()
    socket = await operator.socket(f"{PATH}?since={since}")
    assert (await socket.frame())["resumed"] is False


@sqlite_only
async def test_only_operators_get_in(stage: Stage) -> None:
    socket = await stage.guest().socket(PATH)
    assert socket.status == 401
    assert socket.problem["code"] == "unauthenticated"


@sqlite_only
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://localhost:1"])
async def test_other_pages_do_not_get_in_with_our_cookie(stage: Stage, origin: str) -> None:
    operator = await stage.operator()
    socket = await operator.socket(PATH, origin=origin)
    assert socket.status == 403
    assert socket.problem["code"] == "origin"


@sqlite_only
@pytest.mark.parametrize("text", ["", "x", "{}", "[]", "null", '{"t":"ping"}', "9" * 2_000])
async def test_whoever_says_something_else_than_pong_is_let_go(stage: Stage, text: str) -> None:
    operator = await stage.operator()
    socket = await operator.socket(PATH)
    await socket.frame()
    socket.say(text)
    assert await socket.frame() == {"t": "closed"}
    assert socket.close_code == 1008
    await socket.ended()


@sqlite_only
async def test_bytes_are_no_pong(stage: Stage) -> None:
    operator = await stage.operator()
    socket = await operator.socket(PATH)
    await socket.frame()
    socket.say_bytes(b'{"t":"pong"}')
    assert await socket.frame() == {"t": "closed"}


@sqlite_only
async def test_a_slow_socket_is_closed_and_loses_nothing(stage: Stage) -> None:
    operator = await stage.operator()
    slow = await operator.socket(PATH)
    quick = await operator.socket(PATH)
    seq = (await slow.frame())["seq"]
    await quick.frame()
    slow.takes.clear()
    bus = stage.app.bus
    org_id = await _org(stage)
    for number in range(300):
        # Straight to the bus: what 300 meetings in a moment would put there.
        await bus.publish(
            f"realtime.{org_id}",
            {"seq": seq + 1 + number, "type": "meeting.opened", "payload": _opened(number)},
        )
        if number % 100 == 0:
            await asyncio.sleep(0)
            for _ in range(100):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0):
                        await quick.frame()
    slow.takes.set()
    frames = []
    while (frame := await slow.frame())["t"] == "event":
        frames.append(frame)
    assert frame["t"] == "bye"
    assert frame["reason"] == "slow"
    assert 500 <= frame["retry_after_ms"] <= 5_000
    assert len(frames) < 300
    assert await slow.frame() == {"t": "closed"}
    assert slow.close_code == 1013


@sqlite_only
async def test_at_shutdown_everybody_is_told_when_to_come_back(
    settings: Settings, new_stage: Callable[[Settings], Stage]
) -> None:
    stage = new_stage(settings)
    await stage.start()
    operator = await stage.operator()
    sockets = [await operator.socket(PATH) for _ in range(5)]
    for socket in sockets:
        await socket.frame()
    closing = asyncio.create_task(stage.app.use(Realtime).close())
    waits = []
    for socket in sockets:
        bye = await socket.frame()
        assert (bye["t"], bye["reason"]) == ("bye", "shutdown")
        waits.append(bye["retry_after_ms"])
        assert await socket.frame() == {"t": "closed"}
        assert socket.close_code == 1012
    assert len(set(waits)) > 1, "not all in the same instant"
    await closing
    late = await operator.socket(PATH)
    assert (await late.frame())["t"] == "bye"


@sqlite_only
async def test_signing_out_ends_the_socket_at_its_next_ping(stage: Stage) -> None:
    stage.app.use(Realtime)._ping_s = 0.01
    operator = await stage.operator()
    socket = await operator.socket(PATH)
    await socket.frame()
    assert await socket.frame() == {"t": "ping"}
    socket.say('{"t":"pong"}')
    await operator.delete("/api/v1/session")
    while (frame := await socket.frame())["t"] == "ping":
        socket.say('{"t":"pong"}')
    assert frame == {"t": "closed"}
    assert socket.close_code == 1008


@sqlite_only
async def test_a_client_that_answers_no_ping_is_gone(stage: Stage) -> None:
    stage.app.use(Realtime)._ping_s = 0.01
    operator = await stage.operator()
    socket = await operator.socket(PATH)
    frames = [(await socket.frame())["t"] for _ in range(4)]
    assert frames == ["hello", "ping", "ping", "closed"]


async def _org(stage: Stage) -> str:
    from conclave import accounts

    return await accounts.ensure_organisation(stage.app.db, stage.clock)


def _opened(number: int) -> dict[str, object]:
    return {"id": f"mtg_{number}", "opened_at": "2026-01-01T00:00:00+00:00", "participants": 0}
