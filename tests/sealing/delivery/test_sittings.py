"""A sitting through its socket: create, knock, commit, messages, settling, leaving."""

from __future__ import annotations

import pytest

from conclave.sealing.state import ALL_MEDIA
from tests.sealing.delivery.stage import MEETING, SealingStage
from tests.sealing.delivery.tab import identity, instance_id, knock

pytestmark = pytest.mark.unit


async def test_the_first_one_creates_and_gets_a_ticket(sealed: SealingStage) -> None:
    tab = await sealed.tab(cookie=await sealed.cookie())
    hello = await tab.hello()
    assert hello == {
        "t": "hello", "seat": tab.seat, "resume": tab.resume, "resumed": False, "role": "host",
        "instance": None, "seq": 0, "ping_s": 20.0,
    }  # fmt: skip
    other = await sealed.outsider()
    answer = await tab.ask("create", instance=instance_id(), identity=identity(0))
    assert answer == {
        "t": "ok", "n": 1, "ticket": {"url": "", "token": f"token-{identity(0)}"},
    }  # fmt: skip
    assert await other.frame() == {"t": "instance", "instance": instance_id()}
    late = await other.ask("create", instance=instance_id(2), identity=identity(1))
    assert (late["t"], late["code"]) == ("error", "exists")
    third = await sealed.tab()
    assert (await third.hello())["instance"] == instance_id()
    assert await sealed.sealing.is_member(MEETING, identity(0))
    assert not await sealed.sealing.is_member(MEETING, identity(1))
    assert await sealed.sealing.media(MEETING) == {identity(0): ALL_MEDIA}


async def test_knock_admit_talk_settle(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.outsider()
    answer = await guest.ask("knock", **knock())
    assert answer == {"t": "ok", "n": 1}
    assert await guest.frame() == {"t": "waiting", "members": 1}
    content = {name: value for name, value in knock().items() if name != "instance"}
    told = {"t": "knock", "seat": guest.seat, **content, "bound": None, "note": None}
    assert await host.frame() == told

    answer = await host.commit(0, admitted={guest.seat: identity(1)})
    assert answer == {"t": "ok", "n": 2, "seq": 1}
    commit = await host.until("commit")
    assert (commit["seq"], commit["epoch"], commit["from"]) == (1, 0, host.seat)
    assert commit["admitted"] == [{"seat": guest.seat, "identity": identity(1)}]
    welcome = await guest.frame()
    assert welcome["t"] == "welcome"
    assert (welcome["seq"], welcome["epoch"], welcome["identity"]) == (1, 1, identity(1))
    assert welcome["ticket"] == {"url": "", "token": f"token-{identity(1)}"}
    assert welcome["seats"] == [
        {"seat": host.seat, "identity": identity(0), "is_live": True, "role": "host"},
        {"seat": guest.seat, "identity": identity(1), "is_live": True, "role": "member"},
    ]
    assert sealed.door.tickets[-1] == (MEETING, identity(1), "member")

    assert (await guest.message(1))["seq"] == 2
    message = await host.until("message")
    assert (message["seq"], message["epoch"], message["from"]) == (2, 1, guest.seat)

    assert (await host.commit(1, body=b"next"))["seq"] == 3
    assert (await guest.until("commit"))["seq"] == 3
    await host.barrier()
    guest.say("ack", epoch=2)
    assert await host.until("settled") == {"t": "settled", "epoch": 2}
    assert await guest.until("settled") == {"t": "settled", "epoch": 2}
    host.say("using", epoch=2)
    await host.barrier()
    assert sealed.epochs == [(MEETING, 2)]


async def test_who_leaves_is_told_of_and_taken_out(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    answer = await guest.ask("leave")
    assert answer["t"] == "ok"
    assert await guest.closed() == 1000
    assert await host.until("presence") == {"t": "presence", "seat": guest.seat, "state": "left"}
    assert not await sealed.sealing.is_member(MEETING, identity(1))
    answer = await host.commit(1, removed={guest.seat: "left"})
    assert answer["t"] == "ok"
    assert (await host.until("commit"))["removed"] == [{"seat": guest.seat, "why": "left"}]
    assert (await host.ask("leave"))["t"] == "ok"
    assert await sealed.rows() == {
        "sealing_instances": 0, "sealing_seats": 0, "sealing_log": 0,
    }  # fmt: skip
