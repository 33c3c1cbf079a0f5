"""How sittings go on and end: losses, refusals by most, races of committers, other processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from conclave.kernel.changes import Changes
from conclave.kernel.clock import ManualClock
from conclave.sealing import jobs
from conclave.settings import Settings
from tests.databases import sqlite_only
from tests.sealing.delivery.stage import HOST, MEETING, OTHER, SealingStage
from tests.sealing.delivery.tab import hash_of_commit, identity, instance_id, knock, private

pytestmark = pytest.mark.unit

NOTHING = {"sealing_instances": 0, "sealing_seats": 0, "sealing_log": 0}


async def _events(stage: SealingStage) -> list[tuple[str, dict[str, Any]]]:
    _, events = await stage.app.outbox.since(
        "org_1", ["sealing.member_gone", "sealing.instance_ended"], 0, limit=100
    )
    return [(event.type, dict(event.payload)) for event in events or []]


def _gone(number: int, why: str) -> tuple[str, dict[str, Any]]:
    return (
        "sealing.member_gone",
        {"meeting_id": MEETING, "identity": identity(number), "why": why},
    )


async def test_two_committers_one_winner(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guests = [await sealed.newcomer(host, number, number - 1) for number in (1, 2, 3)]
    tabs = [host, *guests]
    for tab in tabs:
        await tab.barrier()
    for epoch in range(3, 8):
        answers = await asyncio.gather(*(tab.commit(epoch, body=tab.seat.encode()) for tab in tabs))
        assert sorted(answer["t"] for answer in answers) == ["error"] * 3 + ["ok"]
        assert {a["code"] for a in answers if a["t"] == "error"} == {"conflict"}
        won = [await tab.until("commit") for tab in tabs]
        assert len({frame["bytes"] for frame in won}) == 1
        assert {frame["epoch"] for frame in won} == {epoch}


async def _two_processes(
    settings: Settings, new_sealing_stage: Callable[..., SealingStage]
) -> tuple[SealingStage, SealingStage]:
    clock = ManualClock()
    one, two = (new_sealing_stage(settings, clock=clock) for _ in range(2))
    two.app.bus = one.app.bus
    await one.start()
    await two.start()
    return one, two


async def test_two_processes_over_one_database(
    settings: Settings, new_sealing_stage: Callable[..., SealingStage]
) -> None:
    one, two = await _two_processes(settings, new_sealing_stage)
    outside = await two.outsider()
    host = await one.creator()
    assert await outside.until("instance") == {"t": "instance", "instance": instance_id()}
    assert (await outside.ask("knock", **knock()))["t"] == "ok"
    assert (await host.until("knock"))["seat"] == outside.seat
    answer = await host.commit(0, admitted={outside.seat: identity(1)})
    assert answer["t"] == "ok"
    assert (await outside.until("welcome"))["epoch"] == 1
    for epoch in range(1, 6):
        answers = await asyncio.gather(
            host.commit(epoch, body=b"one"), outside.commit(epoch, body=b"two")
        )
        assert sorted(answer["t"] for answer in answers) == ["error", "ok"]
        first, second = [await tab.until("commit") for tab in (host, outside)]
        while first["epoch"] < epoch:
            first = await host.until("commit")
        assert first == second
    numbers = [
        (tab, tab.request("message", epoch=6, bytes=private(instance_id(), 6, 1)))
        for _ in range(10)
        for tab in (host, outside)
    ]
    sent = [await tab.answer(n) for tab, n in numbers]
    assert sorted(answer["seq"] for answer in sent) == list(range(7, 27))
    for tab in (host, outside):
        seqs = [(await tab.until("message"))["seq"] for _ in range(10)]
        assert seqs == sorted(seqs)
    again = await one.tab()
    hello = await again.hello(resume=outside.resume, since=26)
    assert hello["resumed"] is True
    assert await outside.closed() == 4000, "taken over by another process"
    await one.sealing.end(MEETING)
    assert await again.closed() == 1000


async def test_a_process_that_died_takes_its_sockets_with_it(
    settings: Settings, new_sealing_stage: Callable[..., SealingStage]
) -> None:
    one, two = await _two_processes(settings, new_sealing_stage)
    host = await one.creator()
    guest = await two.knocker()
    await host.commit(0, admitted={guest.seat: identity(1)})
    await guest.until("welcome")
    one.clock.advance(30)
    await one.sealing.beat()  # `two` says nothing any more
    one.clock.advance(20)
    await one.sealing.beat()
    assert await host.until("presence") == {"t": "presence", "seat": guest.seat, "state": "lost"}
    answer = await guest.message(1)
    assert answer["code"] == "forbidden", "it was only thought to be dead: it has to resume"
    back = await two.tab()
    assert (await back.hello(resume=guest.resume, since=1))["resumed"] is True
    assert (await back.message(1))["t"] == "ok"


async def test_the_lost_are_removed_after_their_grace(sealed: SealingStage) -> None:
    host = await sealed.creator()
    lost = await sealed.newcomer(host, 1, 0)
    other = await sealed.newcomer(host, 2, 1)
    await lost.drop()
    await other.until("presence")
    sealed.clock.advance(28)
    assert (await other.commit(2, removed={lost.seat: "lost"}))["code"] == "forbidden"
    sealed.clock.advance(2)
    assert (await other.commit(2, removed={lost.seat: "lost"}))["t"] == "ok"
    assert await _events(sealed) == [_gone(1, "lost")]
    await other.ask("leave")
    assert (await _events(sealed))[-1] == _gone(2, "left")
    assert not await sealed.sealing.is_member(MEETING, identity(2))


async def test_the_replaced_keep_their_media(sealed: SealingStage) -> None:
    host = await sealed.creator()
    old = await sealed.newcomer(host, 1, 0)
    fresh = await sealed.knocker()
    answer = await host.commit(
        1, admitted={fresh.seat: identity(1)}, removed={old.seat: "replaced"}
    )
    assert answer["t"] == "ok"
    assert await old.until("removed") == {"t": "removed", "why": "replaced"}
    assert await old.closed() == 1000
    await fresh.until("welcome")
    assert await sealed.sealing.is_member(MEETING, identity(1))
    assert await _events(sealed) == []


async def test_a_knock_without_a_socket_is_withdrawn(sealed: SealingStage) -> None:
    host = await sealed.creator()
    knocker = await sealed.knocker()
    await knocker.drop()
    sealed.clock.advance(29)
    await sealed.sealing.expire()
    assert (await sealed.rows())["sealing_seats"] == 2
    sealed.clock.advance(1)
    await sealed.sealing.expire()
    assert await host.until("knock_gone") == {"t": "knock_gone", "seat": knocker.seat}
    assert (await sealed.rows())["sealing_seats"] == 1


async def test_a_sitting_that_everybody_lost_ends_after_a_minute(sealed: SealingStage) -> None:
    host = await sealed.creator()
    waiting = await sealed.knocker()
    await host.drop()
    sealed.clock.advance(59)
    await sealed.sealing.expire()
    assert (await sealed.rows())["sealing_instances"] == 1
    sealed.clock.advance(1)
    await sealed.sealing.expire()
    assert await sealed.rows() == NOTHING
    assert await waiting.until("denied") == {"t": "denied", "reason": "ended"}
    assert await waiting.frame() == {"t": "instance", "instance": None}
    assert (await _events(sealed))[-1] == (
        "sealing.instance_ended",
        {"meeting_id": MEETING, "instance_id": instance_id(), "why": "empty"},
    )
    answer = await waiting.ask("create", instance=instance_id(5), identity=identity(5))
    assert answer["t"] == "ok", "the next sitting"


async def test_the_last_one_out_ends_it(sealed: SealingStage) -> None:
    host = await sealed.creator()
    waiting = await sealed.knocker()
    await host.ask("leave")
    assert await host.closed() == 1000
    assert (await waiting.until("denied"))["reason"] == "ended"
    assert await sealed.rows() == NOTHING


async def test_the_meeting_ends(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    knocker = await sealed.knocker()
    outside = await sealed.outsider()
    other = await sealed.outsider(meeting=OTHER)
    sealed.door.meetings.discard(MEETING)
    await sealed.sealing.end(MEETING)
    for tab in (host, guest, knocker, outside):
        await tab.until("ended")
        assert await tab.closed() == 1000
    assert await sealed.rows() == NOTHING
    await sealed.sealing.end(MEETING)
    assert await other.barrier() == []
    late = await sealed.open(MEETING, {"host": "localhost:8080", "origin": HOST})
    assert late.status == 404


async def test_most_members_undo_a_commit(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guests = [await sealed.newcomer(host, number, number - 1) for number in (1, 2, 3)]
    offender, *others = guests
    knocker = await sealed.knocker()
    victim = others[1]
    for tab in (host, *others):
        tab.say("ack", epoch=3)
    await host.until("settled")
    answer = await offender.commit(3, admitted={knocker.seat: identity(4)}, body=b"bad")
    assert answer["t"] == "ok"
    welcome = await knocker.until("welcome")
    assert welcome["epoch"] == 4
    assert (await knocker.commit(4, body=b"on top"))["t"] == "ok"
    bad = hash_of_commit(3, b"bad")
    for tab in (host, others[0]):
        tab.say("nack", epoch=3, hash=bad)
        tab.say("nack", epoch=3, hash=bad)
    offender.say("nack", epoch=3, hash=bad)
    knocker.say("nack", epoch=3, hash=bad)
    assert await victim.until("reopened") == {
        "t": "reopened", "seq": answer["seq"] + 2, "epoch": 3, "hash": bad,
    }  # fmt: skip
    assert await victim.until("presence") == {
        "t": "presence", "seat": offender.seat, "state": "left",
    }  # fmt: skip
    assert (await offender.until("removed"))["why"] == "removed"
    assert await offender.closed() == 1000
    assert (await knocker.until("reopened"))["epoch"] == 3
    assert not await sealed.sealing.is_member(MEETING, identity(4))
    assert await _events(sealed) == [_gone(4, "reopened"), _gone(1, "reopened")]
    assert (await knocker.ask("knock", **knock()))["t"] == "ok"
    good = await host.commit(
        3, admitted={knocker.seat: identity(4)}, removed={offender.seat: "left"}, body=b"good"
    )
    assert good["t"] == "ok"
    assert (await knocker.until("welcome"))["epoch"] == 4
    victim.say("nack", epoch=3, hash=bad)
    assert (await victim.message(4))["t"] == "ok", "a late word about the undone one is nothing"


@sqlite_only
async def test_whom_an_undone_commit_removed_has_left(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    other = await sealed.newcomer(host, 2, 1)
    assert (await host.commit(2, removed={guest.seat: "removed"}, body=b"bad"))["t"] == "ok"
    assert await guest.closed() == 1000
    other.say("nack", epoch=2, hash=hash_of_commit(2, b"bad"))
    await other.until("reopened")
    states = [(await other.until("presence"))["seat"] for _ in range(2)]
    assert states == [host.seat, guest.seat]
    removed = {guest.seat: "left", host.seat: "left"}
    assert (await other.commit(2, removed=removed))["t"] == "ok"


@sqlite_only
async def test_a_settled_commit_stays(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    await host.commit(1)
    await guest.until("commit")
    guest.say("ack", epoch=2)
    await host.until("settled")
    guest.say("nack", epoch=1, hash=hash_of_commit(1))
    assert (await guest.message(2))["t"] == "ok"
    assert "reopened" not in {frame["t"] for frame in await host.barrier()}


@sqlite_only
async def test_who_answers_no_ping_is_lost(
    settings: Settings, new_sealing_stage: Callable[..., SealingStage]
) -> None:
    stage = new_sealing_stage(settings)
    # Real time: coming in must take less on a busy machine.
    stage.sealing.ping_s = 0.5
    await stage.start()
    tab = await stage.outsider()
    kinds = [(await tab.frame())["t"] for _ in range(2)]
    assert kinds == ["ping", "ping"]
    assert await tab.closed() == 1013
    other = await stage.outsider()
    for _ in range(3):
        await other.until("ping")
        other.say("pong")
    assert (await other.ask("leave"))["t"] == "ok"


@sqlite_only
async def test_an_end_that_could_not_be_stored_is_made_good(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)

    async def is_away(*_: object) -> None:
        """As if the database could not be reached."""

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sealed.sealing, "disconnect", is_away)
        await guest.drop()
    await sealed.sealing.beat()
    await sealed.sealing.beat()
    assert await host.until("presence") == {"t": "presence", "seat": guest.seat, "state": "lost"}


@sqlite_only
async def test_one_bad_request_does_not_spoil_a_batch(sealed: SealingStage) -> None:
    host = await sealed.creator()
    async with sealed.sealing.room("", MEETING) as room:

        def fails(_desk: object) -> None:
            raise RuntimeError("a fault of ours")

        bad = asyncio.create_task(_silent(room, fails))
        answer = await host.message(0)
        await bad
    assert answer["t"] == "ok"
    assert (await host.commit(0))["t"] == "ok"


async def _silent(room: Any, work: Any) -> None:
    with pytest.raises(RuntimeError):
        await room.desk.ask(work)


@sqlite_only
async def test_who_says_no_hello_is_let_go(
    sealed: SealingStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conclave.sealing.realtime.HELLO_S", 0.01)
    tab = await sealed.tab()
    assert (await tab.frame())["code"] == "malformed"
    assert await tab.closed() == 1008


@sqlite_only
async def test_rounds_go_on_while_something_waits_for_its_time_and_rest_afterwards(
    settings: Settings,
    new_sealing_stage: Callable[..., SealingStage],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers: asyncio.Queue[bool] = asyncio.Queue()

    class Told(Changes):
        def may_have_come(self) -> bool:
            answer = super().may_have_come()
            answers.put_nowait(answer)
            return answer

    monkeypatch.setattr(jobs, "Changes", Told)
    monkeypatch.setattr(jobs, "BEAT_S", 0.001)
    stage = new_sealing_stage(settings)
    await stage.start()
    host = await stage.creator()
    waiting = await stage.knocker()
    await host.drop()
    while not answers.empty():
        answers.get_nowait()
    for _ in range(5):  # the clock stands, and nothing is written
        assert await answers.get() is True
    stage.clock.advance(60)
    assert await waiting.until("denied") == {"t": "denied", "reason": "ended"}
    await waiting.drop()
    async with asyncio.timeout(30):
        while await answers.get() or await answers.get() or await answers.get():
            pass
    assert await stage.rows() == NOTHING
