"""Coming back: by a resume, after a restart, too late, and by somebody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from conclave.kernel.clock import ManualClock
from conclave.kernel.tokens import new_token
from conclave.sealing.connections import Outbound
from conclave.settings import SealingSettings, Settings
from tests.databases import sqlite_only
from tests.sealing.delivery.stage import MEETING, OTHER, SealingStage
from tests.sealing.delivery.tab import Tab, identity, instance_id, knock

pytestmark = pytest.mark.unit


async def _back(stage: SealingStage, tab: Tab, since: int | None, meeting: str = MEETING) -> Tab:
    again = await stage.tab(meeting=meeting)
    fields = {} if since is None else {"since": since}
    hello = await again.hello(resume=tab.resume, **fields)
    assert hello["resumed"] is True
    assert (hello["seat"], hello["resume"]) == (tab.seat, tab.resume)
    return again


def _told(frames: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(f["t"], f["seq"]) for f in frames if f["t"] in {"commit", "message", "welcome"}]


async def test_what_was_missed_comes_in_order_then_live(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    await guest.message(1)
    await guest.drop()
    assert await host.until("presence") == {"t": "presence", "seat": guest.seat, "state": "lost"}
    assert await sealed.sealing.is_member(MEETING, identity(1)), "lost for a moment"
    await host.message(1)
    await host.commit(1)
    await host.message(2)
    knocker = await sealed.knocker()
    again = await _back(sealed, guest, 1)
    await host.message(2)
    frames = await again.barrier()
    assert _told(frames) == [
        ("message", 2), ("message", 3), ("commit", 4), ("message", 5), ("message", 6),
    ]  # fmt: skip
    assert [f["seat"] for f in frames if f["t"] == "knock"] == [knocker.seat] * 2
    assert await host.until("presence") == {"t": "presence", "seat": guest.seat, "state": "live"}
    assert (await again.message(2))["seq"] == 7


async def test_everything_since_the_welcome_without_a_number(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    await host.commit(1)
    await guest.drop()
    again = await _back(sealed, guest, None)
    assert _told(await again.barrier()) == [("welcome", 1), ("commit", 2)]
    assert sealed.door.tickets[-1][1] == identity(1)
    await again.drop()
    third = await _back(sealed, guest, 2)
    assert _told(await third.barrier()) == []
    await host.drop()
    creator = await _back(sealed, host, None)
    assert _told(await creator.barrier()) == [("commit", 1), ("commit", 2)]


async def test_admitted_while_away(sealed: SealingStage) -> None:
    host = await sealed.creator()
    knocker = await sealed.knocker()
    await knocker.drop()
    assert (await host.commit(0, admitted={knocker.seat: identity(1)}))["t"] == "ok"
    again = await _back(sealed, knocker, None)
    welcome = await again.until("welcome")
    assert welcome["ticket"]["token"] == f"token-{identity(1)}"
    assert (await again.message(1))["t"] == "ok"


async def test_still_knocking(sealed: SealingStage) -> None:
    host = await sealed.creator()
    knocker = await sealed.knocker()
    await knocker.drop()
    again = await _back(sealed, knocker, None)
    assert (await host.ask("deny", seat=knocker.seat))["t"] == "ok"
    assert (await again.until("denied"))["reason"] == "denied"
    assert (await again.ask("knock", **knock()))["t"] == "ok"


async def test_a_new_socket_takes_the_seat_over(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    again = await _back(sealed, guest, 1)
    assert await guest.closed() == 4000
    assert (await again.message(1))["t"] == "ok"
    assert "presence" not in {frame["t"] for frame in await host.barrier()}


@pytest.mark.parametrize("since", [None, 0, 1])
async def test_a_seat_is_of_who_holds_its_secret(sealed: SealingStage, since: int | None) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    fields = {} if since is None else {"since": since}
    for resume in (new_token(), guest.seat, "", "x" * 43, "é" * 43, guest.resume.upper()):
        tab = await sealed.tab()
        hello = await tab.hello(resume=resume, **fields)
        assert hello["resumed"] is False
        assert hello["seat"] not in {host.seat, guest.seat}
        assert (await tab.message(1))["code"] == "forbidden"
    elsewhere = await sealed.tab(meeting=OTHER)
    assert (await elsewhere.hello(resume=guest.resume, **fields))["resumed"] is False
    assert (await guest.message(1))["t"] == "ok"


@pytest.mark.parametrize("how", ["left", "removed", "ahead"])
async def test_what_cannot_be_resumed(sealed: SealingStage, how: str) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    if how == "left":
        await guest.ask("leave")
    elif how == "removed":
        await host.commit(1, removed={guest.seat: "removed"})
    tab = await sealed.tab()
    hello = await tab.hello(resume=guest.resume, since=99 if how == "ahead" else 1)
    assert hello["resumed"] is False
    assert hello["instance"] == instance_id()


@pytest.mark.parametrize("bound", ["rows", "bytes"])
async def test_too_long_away(
    settings: Settings, new_sealing_stage: Callable[..., SealingStage], bound: str
) -> None:
    sealing = (
        SealingSettings(log_rows=10, messages_burst=1_000)
        if bound == "rows"
        else SealingSettings(log_bytes=1024 * 1024, messages_burst=1_000)
    )
    stage = new_sealing_stage(settings.model_copy(update={"sealing": sealing}))
    await stage.start()
    host = await stage.creator()
    guest = await stage.newcomer(host, 1, 0)
    other = await stage.newcomer(host, 2, 1)
    await guest.drop()
    body = bytes(200_000 if bound == "bytes" else 10)
    seqs = [(await host.message(2, body))["seq"] for _ in range(40 if bound == "rows" else 12)]
    rows = (await stage.rows())["sealing_log"]
    assert rows < 40 if bound == "rows" else rows < 12
    await other.drop()
    await host.message(2)
    last = await _back(stage, other, seqs[-1])
    assert _told(await last.barrier()) == [("message", seqs[-1] + 1)]
    tab = await stage.tab()
    assert (await tab.hello(resume=guest.resume, since=1))["resumed"] is False
    assert (await tab.ask("knock", **knock()))["t"] == "ok"
    answer = await host.commit(
        2, admitted={tab.seat: identity(1)}, removed={guest.seat: "replaced"}
    )
    assert answer["t"] == "ok", "the same device: its old leaf goes in the same commit"
    assert (await tab.until("welcome"))["epoch"] == 3


async def test_a_replay_is_longer_than_the_queue(
    settings: Settings,
    new_sealing_stage: Callable[..., SealingStage],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "conclave.sealing.session.Outbound", lambda: Outbound(max_frames=16, max_bytes=1 << 20)
    )
    sealing = SealingSettings(messages_burst=1_000)
    stage = new_sealing_stage(settings.model_copy(update={"sealing": sealing}))
    await stage.start()
    host = await stage.creator()
    guest = await stage.newcomer(host, 1, 0)
    await guest.drop()
    for _ in range(100):
        await host.message(1)
    again = await _back(stage, guest, 1)
    assert [seq for _, seq in _told(await again.barrier())] == list(range(2, 102))


@sqlite_only
async def test_a_socket_that_does_not_read_is_closed_and_loses_nothing(
    settings: Settings,
    new_sealing_stage: Callable[..., SealingStage],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        "conclave.sealing.session.Outbound", lambda: Outbound(max_frames=16, max_bytes=1 << 20)
    )
    stage = new_sealing_stage(settings)
    await stage.start()
    host = await stage.creator()
    slow = await stage.newcomer(host, 1, 0)
    quick = await stage.newcomer(host, 2, 1)
    await slow.until("commit")
    slow.socket.takes.clear()
    for _ in range(40):
        await host.message(2)
    slow.socket.takes.set()
    told = []
    while (frame := await slow.frame())["t"] == "message":
        told.append(frame["seq"])
    assert frame["t"] == "bye"
    assert frame["reason"] == "slow"
    assert 500 <= frame["retry_after_ms"] <= 5_000
    assert await slow.closed() == 1013
    assert len([f for f in await quick.barrier() if f["t"] == "message"]) == 40
    again = await _back(stage, slow, told[-1] if told else 2)
    rest = [seq for kind, seq in _told(await again.barrier()) if kind == "message"]
    assert told + rest == list(range(3, 43))


async def test_the_server_comes_back_and_the_sitting_goes_on(
    settings: Settings, new_sealing_stage: Callable[..., SealingStage]
) -> None:
    clock = ManualClock()
    stage = new_sealing_stage(settings, clock=clock)
    await stage.start()
    host = await stage.creator()
    guest = await stage.newcomer(host, 1, 0)
    await host.commit(1)
    await guest.barrier()
    stage.is_started = False
    task = asyncio.create_task(stage.product.stop())
    for tab in (host, guest):
        bye = await tab.until("bye")
        assert bye["reason"] == "shutdown"
        assert 500 <= bye["retry_after_ms"] <= 5_000
        assert await tab.closed() == 1012
    await task

    clock.advance(20)
    again = new_sealing_stage(settings, clock=clock)
    await again.start()
    clock.advance(59)
    await again.sealing.expire()
    first = await _back(again, host, 2)
    second = await _back(again, guest, 2)
    assert (await first.commit(2))["seq"] == 3
    assert (await second.until("commit"))["epoch"] == 2
    assert (await second.message(3))["t"] == "ok"


async def test_a_restarted_server_that_nobody_comes_back_to(
    settings: Settings, new_sealing_stage: Callable[..., SealingStage]
) -> None:
    clock = ManualClock()
    stage = new_sealing_stage(settings, clock=clock)
    await stage.start()
    await stage.creator()
    # Killed: nobody's end was stored.
    for tab in stage.tabs:
        tab.socket.takes.set()
    again = new_sealing_stage(settings, clock=clock)
    await again.start()
    if not again.app.db.is_sqlite:  # another process might hold the socket: its silence tells
        clock.advance(timedelta(seconds=46))
        await again.sealing.beat()
    clock.advance(timedelta(seconds=59))
    await again.sealing.expire()
    assert (await again.rows())["sealing_instances"] == 1
    clock.advance(timedelta(seconds=1))
    await again.sealing.expire()
    assert await again.rows() == {
        "sealing_instances": 0, "sealing_seats": 0, "sealing_log": 0,
    }  # fmt: skip
    tab = await again.tab()
    assert (await tab.hello())["instance"] is None
