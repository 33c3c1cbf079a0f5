"""What the socket says no to: codes, roles, states, shapes, and floods."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from conclave.kernel.errors import Unavailable
from conclave.settings import SealingSettings, Settings
from tests.databases import sqlite_only
from tests.sealing.delivery.stage import HOST, MEETING, OTHER, SealingStage
from tests.sealing.delivery.tab import (
    WELCOME,
    b64,
    commit,
    hash_of_commit,
    identity,
    instance_id,
    knock,
    private,
)

pytestmark = [pytest.mark.unit, sqlite_only]


def _figure(stage: SealingStage, name: str, **labels: str) -> float:
    return stage.app.metrics.get_sample_value(f"conclave_sealing_{name}", labels) or 0.0


# --- before the socket
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://localhost:1"])
async def test_other_pages_do_not_get_in(sealed: SealingStage, origin: str) -> None:
    socket = await sealed.open(MEETING, {"host": "localhost:8080", "origin": origin})
    assert (socket.status, socket.problem["code"]) == (403, "origin")


@pytest.mark.parametrize(
    "meeting", ["mtg_0", "x", "%F0%9F%92%A9", "mtg_00000000000000000000000009", "a" * 3_000]
)
async def test_an_unknown_meeting(sealed: SealingStage, meeting: str) -> None:
    socket = await sealed.open(meeting, {"host": "localhost:8080", "origin": HOST})
    assert (socket.status, socket.problem["code"]) == (404, "not_found")


async def test_without_a_doorkeeper_every_meeting_is_unknown(sealed: SealingStage) -> None:
    sealed.sealing._doorkeeper = None
    socket = await sealed.open(MEETING, {"host": "localhost:8080", "origin": HOST})
    assert socket.status == 404


async def test_one_source_opens_so_many_sockets_in_a_minute(
    settings: Settings, new_sealing_stage: Callable[..., SealingStage]
) -> None:
    settings = settings.model_copy(update={"sealing": SealingSettings(sockets_per_source=3)})
    stage = new_sealing_stage(settings)
    await stage.start()
    for _ in range(3):
        await stage.outsider()
    socket = await stage.open(MEETING, {"host": "localhost:8080", "origin": HOST}, "198.51.100.7")
    assert socket.status == 429
    await stage.outsider(address="198.51.100.8")


# --- no frame at all
NO_FRAMES = [
    "", "x", "{}", "[]", "null", "1", '"hello"', '{"t":1}', '{"t":"nothing"}', '{"t":"hello"',
    '{"t":"create","n":1}', '{"t":"create","n":"1","instance":"x","identity":"y"}',
    json.dumps({"t": "create", "n": 1, "instance": "A" * 22, "identity": "é" * 22}),
    json.dumps({"t": "create", "n": 1, "instance": "A" * 21 + "B", "identity": "A" * 22}),
    json.dumps({"t": "create", "n": -1, "instance": "A" * 22, "identity": "A" * 22}),
    json.dumps({"t": "create", "n": 1 << 60, "instance": "A" * 22, "identity": "A" * 22}),
    json.dumps({"t": "create", "n": 1.5, "instance": "A" * 22, "identity": "A" * 22}),
    json.dumps({"t": "create", "n": True, "instance": "A" * 22, "identity": "A" * 22}),
    json.dumps({"t": "knock", "n": 1, **knock(), "proof": "AA=="}),
    json.dumps({"t": "knock", "n": 1, **knock(), "proof": "AB"}),
    json.dumps({"t": "knock", "n": 1, **knock(), "key_package": ""}),
    json.dumps({"t": "knock", "n": 1, **knock(), "sign": None}),
    json.dumps({"t": "knock", "n": 1, **knock(), "intro": "A" * 20_000}),
    '{"t":"ack","epoch":1e400}', '{"t":"ack","epoch":NaN}', '{"t":"ack","epoch":' + "9" * 5_000,
    '{"t":' * 5_000, "[" * 10_000, '{"t":"leave","n":1,"x":' + "[" * 8_000 + "]" * 8_000 + "}",
    "\ud800" * 3, '{"t":"deny","n":1,"seat":"' + "s" * 41 + '"}',
    '{"t":"nack","epoch":0,"hash":"x"}', '{"t":"grant","n":1,"seat":"s","role":"host"}',
    '{"t":"mute","n":1,"seat":"s","source":"screen_share_audio"}', '{"t":"mute","n":1,"seat":"s"}',
    '{"t":"deny","n":1,"seat":"s","reason":"because"}', '{"t":"hello","since":-1}',
    '{"t":"hello","resume":5}', '{"t":"hello","resume":"' + "x" * 200 + '"}',
]  # fmt: skip


@pytest.mark.parametrize("text", NO_FRAMES)
async def test_what_is_no_frame_ends_the_socket(sealed: SealingStage, text: str) -> None:
    host = await sealed.creator()
    tab = await sealed.outsider()
    tab.socket.say(text)
    error = await tab.frame()
    assert (error["t"], error["code"]) == ("error", "malformed")
    assert "n" not in error
    assert await tab.closed() == 1008
    first = await sealed.tab()
    first.socket.say(text)
    assert (await first.frame())["code"] == "malformed"
    assert await first.closed() == 1008
    assert (await host.ask("ticket"))["t"] == "ok", "nobody else is disturbed"
    assert _figure(sealed, "frames_total", type="malformed") == 2
    assert _figure(sealed, "refusals_total", code="malformed") == 2


async def test_bytes_are_no_frame(sealed: SealingStage) -> None:
    tab = await sealed.outsider()
    tab.socket.say_bytes(b'{"t":"pong"}')
    assert (await tab.frame())["code"] == "malformed"
    assert await tab.closed() == 1008


async def test_frames_have_a_size(sealed: SealingStage) -> None:
    host = await sealed.creator()
    filler = "A" * (380 * 1024)
    answer = await host.ask("ticket", filler=filler)
    assert answer["t"] == "ok", "fields that are not known are ignored"
    host.request("ticket", filler=filler + "A" * (5 * 1024))
    assert (await host.frame())["code"] == "malformed"
    assert await host.closed() == 1008
    outside = await sealed.outsider()
    outside.request("leave", filler="A" * (17 * 1024))
    assert (await outside.frame())["code"] == "malformed"


@pytest.mark.parametrize("t", ["pong", "ticket", "leave", "create"])
async def test_the_first_frame_is_hello(sealed: SealingStage, t: str) -> None:
    tab = await sealed.tab()
    tab.say(t, n=1, instance=instance_id(), identity=identity(1))
    assert (await tab.frame())["code"] == "hello"
    assert await tab.closed() == 1008


async def test_there_is_one_hello(sealed: SealingStage) -> None:
    tab = await sealed.outsider()
    tab.say("hello")
    assert (await tab.frame())["code"] == "hello"
    assert await tab.closed() == 1008


# --- wrong state and role
def _requests(seat: str) -> dict[str, dict[str, Any]]:
    return {
        "create": {"instance": instance_id(2), "identity": identity(9)},
        "knock": knock(),
        "withdraw": {},
        "deny": {"seat": seat},
        "commit": commit(0),
        "message": {"epoch": 0, "bytes": private(instance_id(), 0, 1)},
        "grant": {"seat": seat, "role": "cohost"},
        "mute": {"seat": seat, "source": "microphone"},
        "permit": {"all": 0},
        "ticket": {},
    }


async def test_what_only_others_may(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    knocker = await sealed.knocker()
    outside = await sealed.outsider()
    refused = {
        outside: {
            "withdraw": "forbidden", "deny": "forbidden", "commit": "forbidden",
            "message": "forbidden", "grant": "forbidden", "ticket": "forbidden",
            "mute": "forbidden", "permit": "forbidden", "create": "exists",
        },
        knocker: {
            "create": "forbidden", "knock": "forbidden", "deny": "forbidden",
            "commit": "forbidden", "message": "forbidden", "grant": "forbidden",
            "ticket": "forbidden", "mute": "forbidden", "permit": "forbidden",
        },
        guest: {
            "create": "forbidden", "knock": "forbidden", "withdraw": "forbidden",
            "deny": "forbidden", "grant": "forbidden", "mute": "forbidden",
            "permit": "forbidden",
        },
        host: {"create": "forbidden", "knock": "forbidden", "withdraw": "forbidden"},
    }  # fmt: skip
    before = await sealed.rows()
    for tab, codes in refused.items():
        for t, code in codes.items():
            answer = await tab.ask(t, **_requests(knocker.seat)[t])
            assert (answer["t"], answer["code"]) == ("error", code), (t, answer)
    for tab in (outside, knocker):
        tab.say("ack", epoch=1)
        tab.say("nack", epoch=0, hash=hash_of_commit(0))
        tab.say("using", epoch=1)
        assert (await tab.ask("ticket"))["code"] == "forbidden", "the socket lives on"
    assert sealed.epochs == []
    assert sealed.mutes == []
    assert await sealed.rows() == before
    assert _figure(sealed, "refusals_total", code="exists") == 1


async def test_commits_that_are_refused(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    third = await sealed.newcomer(host, 2, 1)
    knocker = await sealed.knocker()
    outside = await sealed.outsider()
    epoch = 2
    refused: list[tuple[str, dict[str, Any]]] = [
        ("malformed", {**commit(epoch), "bytes": b64(b"nothing")}),
        ("malformed", {**commit(epoch), "bytes": private(instance_id(2), epoch, 3)}),
        ("malformed", {**commit(epoch), "bytes": private(instance_id(), epoch + 1, 3)}),
        ("malformed", {**commit(epoch), "bytes": private(instance_id(), epoch, 1)}),
        ("malformed", {**commit(epoch), "bytes": private(instance_id(), epoch, 2)}),
        ("malformed", {**commit(epoch), "welcome": WELCOME}),
        ("malformed", {**commit(epoch, admitted={knocker.seat: identity(3)}), "welcome": None}),
        (
            "malformed",
            {**commit(epoch, admitted={knocker.seat: identity(3)}), "welcome": b64(b"x")},
        ),
        ("malformed", _twice(commit(epoch, admitted={knocker.seat: identity(3)}), "admitted")),
        ("malformed", _twice(commit(epoch, removed={third.seat: "removed"}), "removed")),
        ("conflict", commit(epoch - 1)),
        ("conflict", commit(epoch + 1)),
        ("unknown_seat", commit(epoch, admitted={outside.seat: identity(3)})),
        ("unknown_seat", commit(epoch, admitted={third.seat: identity(3)})),
        ("unknown_seat", commit(epoch, removed={knocker.seat: "removed"})),
        ("unknown_seat", commit(epoch, removed={"nobody": "left"})),
        ("forbidden", commit(epoch, admitted={knocker.seat: identity(2)})),
        ("forbidden", commit(epoch, removed={third.seat: "left"})),
        ("forbidden", commit(epoch, removed={third.seat: "lost"})),
        ("forbidden", commit(epoch, removed={third.seat: "replaced"})),
        ("forbidden", commit(epoch, removed={third.seat: "removed"})),
        ("forbidden", commit(epoch, removed={host.seat: "removed"})),
        ("forbidden", commit(epoch, removed={guest.seat: "left"})),
    ]
    before = await sealed.rows()
    for code, frame in refused:
        answer = await guest.ask("commit", **frame)
        assert (answer["t"], answer.get("code")) == ("error", code), (frame, answer)
    assert await sealed.rows() == before
    assert (await host.ask("commit", **commit(epoch, removed={host.seat: "removed"})))[
        "code"
    ] == "forbidden", "oneself never"


def _twice(frame: dict[str, Any], name: str) -> dict[str, Any]:
    return {**frame, name: frame[name] * 2}


async def test_messages_that_are_refused(sealed: SealingStage) -> None:
    host = await sealed.creator()
    for epoch in range(5):
        assert (await host.commit(epoch))["t"] == "ok"
    for epoch in (0, 1, 9, 1_000):
        assert (await host.message(epoch))["code"] == "epoch"
    for epoch in (2, 5, 8):
        assert (await host.message(epoch))["t"] == "ok"
    for content in (private(instance_id(), 5, 3), private(instance_id(2), 5, 1), b64(b"x")):
        answer = await host.ask("message", epoch=5, bytes=content)
        assert answer["code"] == "malformed"


async def test_who_knocks_at_a_sitting_that_is_over(sealed: SealingStage) -> None:
    tab = await sealed.outsider()
    assert (await tab.ask("knock", **knock()))["code"] == "no_instance"
    await sealed.creator()
    await tab.until("instance")
    assert (await tab.ask("knock", **knock(instance_id(2))))["code"] == "no_instance"


async def test_denied_and_withdrawn(sealed: SealingStage) -> None:
    host = await sealed.creator()
    knocker = await sealed.knocker()
    await host.until("knock")
    assert (await host.ask("deny", seat="nobody"))["code"] == "unknown_seat"
    assert (await host.ask("deny", seat=knocker.seat, reason="locked"))["t"] == "ok"
    assert await knocker.frame() == {"t": "denied", "reason": "locked"}
    assert await host.frame() == {"t": "knock_gone", "seat": knocker.seat}
    assert (await knocker.ask("knock", **knock()))["t"] == "ok"
    assert (await knocker.ask("withdraw"))["t"] == "ok"
    assert await host.until("knock_gone") == {"t": "knock_gone", "seat": knocker.seat}
    assert (await knocker.ask("leave"))["t"] == "ok"
    assert await knocker.closed() == 1000


async def test_who_leads_names_cohosts_and_hosts_take_it_back(
    sealed: SealingStage,
) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    other = await sealed.newcomer(host, 2, 1)
    knocker = await sealed.knocker()
    assert (await host.ask("grant", seat=knocker.seat, role="cohost"))["code"] == "unknown_seat"
    assert (await host.ask("grant", seat=host.seat, role="member"))["code"] == "forbidden"
    assert (await host.ask("grant", seat=guest.seat, role="cohost"))["t"] == "ok"
    assert await other.until("granted") == {"t": "granted", "seat": guest.seat, "role": "cohost"}
    assert (await guest.ask("silence"))["t"] == "ok"
    assert (await other.ask("grant", seat=guest.seat, role="member"))["code"] == "forbidden"
    assert (await guest.ask("grant", seat=other.seat, role="cohost"))["t"] == "ok"
    assert (await guest.ask("grant", seat=other.seat, role="member"))["code"] == "forbidden"
    assert (await host.ask("grant", seat=other.seat, role="member"))["t"] == "ok"
    assert (await guest.ask("deny", seat=knocker.seat))["t"] == "ok"
    assert (await guest.commit(2, removed={host.seat: "removed"}))["code"] == "forbidden"
    assert (await guest.commit(2, removed={other.seat: "removed"}))["t"] == "ok"
    assert await other.until("removed") == {"t": "removed", "why": "removed"}
    assert await other.closed() == 1000
    assert (await host.ask("grant", seat=guest.seat, role="member"))["t"] == "ok"
    assert (await guest.ask("silence"))["code"] == "forbidden"


async def test_the_201st(
    settings: Settings, new_sealing_stage: Callable[..., SealingStage]
) -> None:
    settings = settings.model_copy(update={"sealing": SealingSettings(members=3, waiting=2)})
    stage = new_sealing_stage(settings)
    await stage.start()
    host = await stage.creator()
    await stage.newcomer(host, 1, 0)
    first, second = await stage.knocker(), await stage.knocker()
    third = await stage.outsider()
    assert (await third.ask("knock", **knock()))["code"] == "rate"
    both = {first.seat: identity(2), second.seat: identity(3)}
    assert (await host.commit(1, admitted=both))["code"] == "full"
    assert (await host.commit(1, admitted={first.seat: identity(2)}))["t"] == "ok"
    assert (await third.ask("knock", **knock()))["code"] == "full"


async def test_no_ticket_no_entry(sealed: SealingStage) -> None:
    sealed.door.failure = Unavailable()
    tab = await sealed.outsider()
    answer = await tab.ask("create", instance=instance_id(), identity=identity(0))
    assert answer["code"] == "unavailable"
    assert (await sealed.rows())["sealing_instances"] == 0
    sealed.door.failure = None
    assert (await tab.ask("create", instance=instance_id(), identity=identity(0)))["t"] == "ok"
    guest = await sealed.knocker()
    sealed.door.failure = Unavailable()
    assert (await tab.ask("ticket"))["code"] == "unavailable"
    assert (await tab.commit(0, admitted={guest.seat: identity(1)}))["t"] == "ok"
    assert await guest.closed() == 1013, "it comes back for its Welcome"
    sealed.door.failure = None
    again = await sealed.tab()
    assert (await again.hello(resume=guest.resume))["resumed"] is True
    assert (await again.until("welcome"))["ticket"]["token"] == f"token-{identity(1)}"


# --- floods
async def test_a_thousand_messages_in_a_moment(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    await host.until("commit")
    numbers = [
        guest.request("message", epoch=1, bytes=private(instance_id(), 1, 1)) for _ in range(300)
    ]
    answers = [await guest.answer(n) for n in numbers]
    assert sum(answer["t"] == "ok" for answer in answers) == 60
    assert {answer["code"] for answer in answers if answer["t"] == "error"} == {"rate"}
    assert (await host.message(1))["t"] == "ok"
    assert len([f for f in await host.barrier() if f["t"] == "message"]) == 60
    assert _figure(sealed, "refusals_total", code="rate") == 240
    sealed.clock.advance(1)
    assert (await guest.message(1))["t"] == "ok"
    for _ in range(1_000):
        guest.say("pong")
    await guest.until("error")
    assert await guest.closed() == 1008
    assert (await host.ask("ticket"))["t"] == "ok"


async def test_two_meetings_know_nothing_of_each_other(sealed: SealingStage) -> None:
    host = await sealed.creator()
    other = await sealed.outsider(meeting=OTHER)
    answer = await other.ask("create", instance=instance_id(7), identity=identity(7))
    assert answer["t"] == "ok"
    assert (await other.ask("deny", seat=host.seat))["code"] == "forbidden"
    assert (await host.message(0))["t"] == "ok"
    assert await other.barrier() == []
    assert not await sealed.sealing.is_member(OTHER, identity(0))


async def test_a_line_from_in_front_of_the_door(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.outsider()
    assert (await guest.ask("note", note="QUJD"))["code"] == "unknown_seat"
    await guest.ask("knock", **knock())
    assert (await host.until("knock"))["note"] is None
    assert (await guest.ask("note", note="QUJD"))["t"] == "ok"
    told = await host.until("knock")
    assert (told["seat"], told["note"]) == (guest.seat, "QUJD")
    # The last one holds, also for who comes in later.
    for _ in range(3):
        assert (await guest.ask("note", note="REVG"))["t"] == "ok"
    assert (await guest.ask("note", note="REVG"))["code"] == "rate"
    late = await sealed.outsider()
    await late.ask("knock", **knock())
    await host.commit(0, admitted={late.seat: identity(5)})
    while (seen := await late.until("knock"))["seat"] != guest.seat:
        pass
    assert seen["note"] == "REVG"
    assert (await host.ask("note", note="QUJD"))["code"] == "unknown_seat"


@pytest.mark.parametrize("note", ["", "=", "A" * 1_401, 7, None])
async def test_what_is_no_line_is_no_frame(sealed: SealingStage, note: object) -> None:
    await sealed.creator()
    guest = await sealed.outsider()
    await guest.ask("knock", **knock())
    guest.say("note", n=9, note=note)
    assert (await guest.until("error"))["code"] == "malformed"
