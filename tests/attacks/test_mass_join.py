"""Many come at once: above the ordinary rate each knock has to bring work, and above the ceiling it
waits; personal invitations, hosts and who was inside are not kept out by the crowd."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from conclave.kernel.clock import ManualClock
from conclave.kernel.work import LIFE_S, Pressure, Toll, work_hash, zero_bits
from conclave.sealing import Invited
from conclave.sealing.door import LEAST_BITS, MOST_BITS, bits_at
from conclave.sealing.schemas import decoded
from conclave.settings import SealingSettings, Settings
from tests.sealing.delivery.stage import MEETING, OTHER, SealingStage
from tests.sealing.delivery.tab import Tab, b64, identity, instance_id, knock
from tests.sealing.delivery.work import met, paid_knock

pytestmark = pytest.mark.unit

PROTOCOL = Path(__file__).parents[2] / "docs" / "reference" / "sealing-protocol.md"
NewStage = Callable[..., Awaitable[SealingStage]]


@pytest.fixture
def crowded(settings: Settings, new_sealing_stage: Callable[..., SealingStage]) -> NewStage:
    """A stage whose door takes few knocks as they come."""

    async def start(**limits: int) -> SealingStage:
        few = {"free_knocks_per_source": 1, "free_knocks_per_meeting": 2} | limits
        stage = new_sealing_stage(settings.model_copy(update={"sealing": SealingSettings(**few)}))
        await stage.start()
        return stage

    return start


async def challenged(stage: SealingStage, **options: Any) -> tuple[Tab, dict[str, Any]]:
    """A tab whose knock is above the rate, and what it was asked for."""
    tab = await stage.outsider(**options)
    while (answer := await tab.ask("knock", **knock()))["t"] == "ok":
        assert (await tab.ask("withdraw"))["t"] == "ok"
    assert answer["code"] == "work", answer
    return tab, answer


def invitation(number: int = 1) -> dict[str, str]:
    return {
        "invitation": instance_id(number),
        "device": b64(bytes(31) + bytes([number])),
        "binding": b64(bytes(64)),
    }


async def test_attack_mass_join(crowded: NewStage) -> None:
    stage = await crowded()
    host = await stage.creator()
    first = await stage.knocker()
    tab, answer = await challenged(stage)
    assert answer["bits"] == LEAST_BITS
    assert len(answer["challenge"]) >= 22
    # From other sources too, once the meeting's own rate is used up.
    await stage.knocker(address="198.51.100.8")
    _, other = await challenged(stage, address="198.51.100.9")
    assert other["challenge"] != answer["challenge"]

    assert (await tab.ask("knock", **paid_knock(answer)))["t"] == "ok"
    assert (await tab.frame())["t"] == "waiting"
    assert [(await host.until("knock"))["seat"] for _ in range(3)][-1] == tab.seat
    assert (await host.ask("deny", seat=first.seat))["t"] == "ok"


async def test_work_is_good_once_here_now_and_for_this_key_package(crowded: NewStage) -> None:
    stage = await crowded()
    await stage.creator()
    other = await stage.outsider(meeting=OTHER)
    await other.ask("create", instance=instance_id(7), identity=identity(7))
    tab, answer = await challenged(stage)
    good = paid_knock(answer)

    moved, _ = await challenged(stage, address="198.51.100.8")
    assert (await moved.ask("knock", **good))["code"] == "work", "another source"
    elsewhere = await stage.outsider(meeting=OTHER)
    await elsewhere.ask("knock", **knock(instance_id(7)))
    await elsewhere.ask("withdraw")
    there = await elsewhere.ask("knock", **good | {"instance": instance_id(7)})
    assert there["code"] == "work", "another meeting"
    stolen = good | {"key_package": b64(b"another one's")}
    assert (await tab.ask("knock", **stolen))["code"] == "work", "another KeyPackage"
    idle = good | {"work": {"challenge": answer["challenge"], "nonce": b64(bytes(8))}}
    assert (await tab.ask("knock", **idle))["code"] == "work", "nothing done"
    easier = b64(_with_bits(answer["challenge"], 0))
    forged = good | {"work": {"challenge": easier, "nonce": b64(bytes(8))}}
    assert (await tab.ask("knock", **forged))["code"] == "work", "made easier"
    for challenge in (b64(bytes(16)), b64(bytes(29)), b64(bytes(64))):
        made_up = good | {"work": {"challenge": challenge, "nonce": b64(bytes(8))}}
        assert (await tab.ask("knock", **made_up))["code"] == "work"

    assert (await tab.ask("knock", **good))["t"] == "ok"
    assert (await tab.ask("withdraw"))["t"] == "ok"
    assert (await tab.ask("knock", **good))["code"] == "work", "used already"

    late = await tab.ask("knock", **knock())
    stage.clock.advance(LIFE_S)
    for _ in range(3):  # what comes free again after two minutes is used up first
        again = await tab.ask("knock", **paid_knock(late))
        if again["t"] == "error":
            break
        await tab.ask("withdraw")
    assert again["code"] == "work", "too late"


def _with_bits(challenge: str, bits: int) -> bytes:
    content = decoded(challenge)
    return content[:12] + bytes([bits]) + content[13:]


@pytest.mark.parametrize(
    "work",
    [
        7,
        "work",
        [],
        {},
        {"challenge": "", "nonce": b64(bytes(8))},
        {"challenge": b64(bytes(29))},
        {"challenge": b64(bytes(15)), "nonce": b64(bytes(8))},
        {"challenge": b64(bytes(65)), "nonce": b64(bytes(8))},
        {"challenge": b64(bytes(29)), "nonce": b64(bytes(7))},
        {"challenge": b64(bytes(29)), "nonce": b64(bytes(9))},
        {"challenge": b64(bytes(29)), "nonce": 0},
        {"challenge": "?" * 39, "nonce": b64(bytes(8))},
        {"challenge": b64(bytes(29)), "nonce": "AAAAAAAAAAB"},
    ],
)
async def test_what_is_no_work_is_no_frame(sealed: SealingStage, work: object) -> None:
    await sealed.creator()
    tab = await sealed.outsider()
    tab.say("knock", n=1, **knock(), work=work)
    assert (await tab.until("error"))["code"] == "malformed"
    assert await tab.closed() == 1008


async def test_the_more_pay_the_dearer_it_gets(crowded: NewStage) -> None:
    stage = await crowded()
    await stage.creator()
    tab, answer = await challenged(stage)
    seen = []
    for _ in range(12):
        seen.append(answer["bits"])
        assert (await tab.ask("knock", **paid_knock(answer)))["t"] == "ok"
        await tab.ask("withdraw")
        answer = await tab.ask("knock", **knock())
        assert answer["code"] == "work"
    assert seen == sorted(seen)
    assert answer["bits"] == LEAST_BITS + 1
    # Who only asks makes it no dearer for others, and it passes.
    _, elsewhere = await challenged(stage, address="198.51.100.8")
    assert elsewhere["bits"] == LEAST_BITS + 1
    stage.clock.advance(300)
    _, later = await challenged(stage)
    assert later["bits"] == LEAST_BITS


def test_the_price_has_a_ceiling() -> None:
    assert [bits_at(value) for value in (0, 9, 10, 30, 69)] == [16, 16, 17, 18, 18]
    assert bits_at(70) == bits_at(10**9) == MOST_BITS
    clock = ManualClock()
    pressure = Pressure(clock)
    for _ in range(8):
        pressure.add()
    clock.advance(60)
    assert pressure.value == pytest.approx(2)


async def test_above_the_ceiling_work_waits_and_is_not_lost(crowded: NewStage) -> None:
    stage = await crowded(knocks_per_source=1, knocks_per_meeting=2)
    await stage.creator()
    tab, answer = await challenged(stage)
    assert (await tab.ask("knock", **paid_knock(answer)))["t"] == "ok"
    await tab.ask("withdraw")
    answer = await tab.ask("knock", **knock())
    paid = paid_knock(answer)
    assert (await tab.ask("knock", **paid))["code"] == "rate", "of the source"
    stage.clock.advance(59)
    # The same work still counts when there is room again.
    stage.clock.advance(1)
    while (await tab.ask("knock", **knock()))["t"] == "ok":
        await tab.ask("withdraw")
    assert (await tab.ask("knock", **paid))["t"] == "ok"
    for number in (1, 2):
        other, wanted = await challenged(stage, address=f"198.51.100.{10 + number}")
        answer = await other.ask("knock", **paid_knock(wanted))
    assert answer["code"] == "rate", "of the meeting"


async def test_challenges_have_a_rate_too(crowded: NewStage) -> None:
    stage = await crowded(knocks_per_source=1)
    await stage.creator()
    tab, _ = await challenged(stage)
    codes = [(await tab.ask("knock", **knock()))["code"] for _ in range(3)]
    assert codes == ["work", "rate", "rate"]


async def test_a_bound_invitation_has_a_lane_of_its_own(crowded: NewStage) -> None:
    stage = await crowded(waiting=2)
    host = await stage.creator()
    for address in ("198.51.100.8", "198.51.100.9"):
        await stage.knocker(address=address)
    stage.door.invitations[instance_id(1)] = Invited("bound", bytes(31) + b"\x01", False)
    stage.door.invitations[instance_id(2)] = Invited("other_device", bytes(32), False)
    anna = await stage.outsider()
    answer = await anna.ask("knock", **knock(), **invitation(1))
    assert answer["t"] == "ok", "neither the rates nor a full door keep her out"
    assert [(await host.until("knock"))["seat"] for _ in range(3)][-1] == anna.seat
    answer = await host.commit(0, admitted={anna.seat: identity(1)})
    assert answer["t"] == "ok"
    # Passed on, it is worth no more than any other knock.
    stranger = await stage.outsider()
    await challenged(stage)
    assert (await stranger.ask("knock", **knock(), **invitation(2)))["code"] == "work"


async def test_one_invitation_does_not_fill_the_door(sealed: SealingStage) -> None:
    await sealed.creator()
    sealed.door.invitations[instance_id(1)] = Invited("bound", bytes(31) + b"\x01", False)
    tabs = [await sealed.outsider() for _ in range(6)]
    answers = [await tab.ask("knock", **knock(), **invitation(1)) for tab in tabs]
    assert [answer["t"] for answer in answers] == ["ok"] * 5 + ["error"]
    assert answers[-1]["code"] == "rate"


async def test_looking_invitations_up_is_limited_by_work_as_well(crowded: NewStage) -> None:
    stage = await crowded(knocks_per_source=2)
    await stage.creator()
    tab = await stage.outsider()
    for _ in range(2):
        assert (await tab.ask("knock", **knock(), **invitation(3)))["code"] == "revoked"
    looked = len(stage.door.bindings)
    answer = await tab.ask("knock", **knock(), **invitation(3))
    assert answer["code"] == "work"
    assert len(stage.door.bindings) == looked
    assert (await tab.ask("knock", **paid_knock(answer), **invitation(3)))["code"] == "revoked"
    stage.door.invitations[instance_id(1)] = Invited("bound", bytes(31) + b"\x01", False)
    stage.clock.advance(30)
    await tab.ask("knock", **knock(), **invitation(3))
    answer = await tab.ask("knock", **knock(), **invitation(1))
    assert answer["code"] == "work"
    assert (await tab.ask("knock", **paid_knock(answer), **invitation(1)))["t"] == "ok"


async def test_hosts_and_who_was_inside_go_first(crowded: NewStage) -> None:
    stage = await crowded(waiting=1)
    host = await stage.creator()
    guest = await stage.newcomer(host, 1, 0, address="198.51.100.8")
    await stage.knocker(address="198.51.100.9")
    await guest.drop()
    await host.until("presence")
    stage.clock.advance(31)
    assert (await host.commit(1, removed={guest.seat: "lost"}))["t"] == "ok"
    crowd = await stage.outsider(address="198.51.100.8")
    assert (await crowd.ask("knock", **knock()))["code"] in {"work", "rate"}

    for field in ("resume", "former"):
        tab = await stage.tab(address="198.51.100.8")
        hello = await tab.hello(**{field: guest.resume})
        assert hello["resumed"] is False
        assert (await tab.ask("knock", **knock()))["t"] == "ok", field
        await tab.ask("withdraw")
    other_host = await stage.outsider(cookie=await stage.cookie())
    assert (await other_host.ask("knock", **knock()))["t"] == "ok"


async def test_a_secret_of_nobody_opens_no_lane(crowded: NewStage) -> None:
    stage = await crowded()
    host = await stage.creator()
    guest = await stage.newcomer(host, 1, 0, address="198.51.100.8")
    gone = await stage.newcomer(host, 2, 1, address="198.51.100.9")
    await gone.ask("leave")
    for former in (guest.resume, gone.resume, "x" * 43, "é", "", guest.seat):
        tab = await stage.tab(address="198.51.100.8")
        await tab.hello(former=former)
        assert (await tab.ask("knock", **knock()))["code"] == "work", former
    tab = await stage.tab()
    tab.say("hello", former=7)
    assert (await tab.until("error"))["code"] == "malformed"


async def test_the_lane_back_has_a_rate(crowded: NewStage) -> None:
    stage = await crowded()
    host = await stage.creator()
    guest = await stage.newcomer(host, 1, 0)
    await guest.drop()
    await host.until("presence")
    tab = await stage.tab()
    await tab.hello(former=guest.resume)
    for _ in range(12):
        assert (await tab.ask("knock", **knock()))["t"] == "ok"
        await tab.ask("withdraw")
    assert (await tab.ask("knock", **knock()))["code"] == "work"


async def test_a_door_full_of_sockets_has_room_for_another_source(
    settings: Settings, new_sealing_stage: Callable[..., SealingStage]
) -> None:
    settings = settings.model_copy(update={"sealing": SealingSettings(members=2, waiting=1)})
    stage = new_sealing_stage(settings)
    await stage.start()
    host = await stage.creator()
    crowd = [await stage.outsider() for _ in range(22)]
    assert stage.sealing.sockets_of(MEETING) == 23
    socket = await stage.open(
        MEETING, {"host": "localhost:8080", "origin": "http://localhost:8080"}
    )
    assert socket.status == 429, "its own source fills the door"
    anna = await stage.outsider(address="198.51.100.8")
    assert (await anna.ask("knock", **knock()))["t"] == "ok"
    assert await crowd[0].closed() == 1013, "the oldest one makes room"
    assert (await host.until("knock"))["seat"] == anna.seat


def test_the_server_hashes_as_the_document_says() -> None:
    block = re.search(r"```json\n(\{.*?\n\})\n```", PROTOCOL.read_text("utf-8"), re.DOTALL)
    assert block is not None
    vectors = json.loads(block[1])
    given, follows = vectors["given"], vectors["follows"]
    named = (given["work_challenge"], given["work_key_package"], follows["work_nonce"])
    digest = work_hash(*(bytes.fromhex(value) for value in named))
    assert digest.hex() == follows["work_hash"]
    assert zero_bits(digest) >= given["work_bits"]


def test_a_toll_keeps_what_was_used_and_no_more() -> None:
    clock = ManualClock()
    toll = Toll(clock, capacity=2)
    content = b"key package"
    used = [toll.challenge("mtg_1", "::/64", 4) for _ in range(3)]
    for challenge in used[:2]:
        nonce = met(challenge, 4, content)
        assert toll.is_met("mtg_1", "::/64", content, challenge, nonce)
        assert toll.spend(challenge)
        assert not toll.is_met("mtg_1", "::/64", content, challenge, nonce)
    assert not toll.spend(used[2]), "no room to remember it"
    clock.advance(LIFE_S)
    assert not toll.is_met("mtg_1", "::/64", content, used[2], met(used[2], 4, content))
    fresh = toll.challenge("mtg_1", "::/64", 4)
    assert toll.spend(fresh)
    assert len(toll) == 1
    assert not Toll(clock).is_met("mtg_1", "::/64", content, fresh, met(fresh, 4, content))
    assert (zero_bits(bytes(32)), zero_bits(b"\x80" + bytes(31)), zero_bits(b"\x01" * 32)) == (
        256, 0, 7,
    )  # fmt: skip
