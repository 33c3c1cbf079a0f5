"""Members with personal invitations, on a clock of the test and with a server that may lie."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from conclave_sealing import Engine, KeyPackageFacts
from conclave_sealing.context import Policy
from conclave_sealing.effects import Knocked
from conclave_sealing.frames import read_frame
from conclave_sealing.invitation import (
    ATTENDEE,
    COHOST,
    NEVER,
    Invitation,
    binding_of,
    make_invitation,
)
from conclave_sealing.keys import Link, b64, credential_of, public_half, seal
from conclave_sealing.knock import Knock, check_knock, make_knock
from conclave_sealing.member import Member
from tests.sealing.engines import account_seed
from tests.sealing.relay import Line, Relay
from tests.sealing.test_member import LINK, MEETING, agree, meeting, member

pytestmark = pytest.mark.unit

OWNER = account_seed("owner")
TODAY = 1_800_000_000.0
LOBBY = Policy("lobby")


def personal(name: str) -> Link:
    return replace(LINK, seed=sha256(f"seed {name}".encode()).digest()[:16])


def invitation(name: str, role: int = ATTENDEE, expires_at: int = NEVER) -> Invitation:
    seed = personal(name).seed
    assert seed is not None
    return make_invitation(
        OWNER, LINK, name=name, role=role, expires_at=expires_at, nonce=bytes(12), seed=seed
    )


def invited(
    name: str, device: str = "phone", role: int = ATTENDEE, expires_at: int = NEVER
) -> Member:
    return member(
        name,
        link=personal(name),
        seed=sha256(f"{name} {device}".encode()).digest(),
        invitation=invitation(name, role, expires_at).encode(),
    )


def roles(line: Line, relay: Relay) -> str:
    relay.run(until=relay.now + 1)
    return line.member.role


def unvouched(seat: str, frame: dict[str, Any]) -> dict[str, Any]:
    return frame | {"bound": None} if frame["t"] == "knock" else frame


def vouching(relay: Relay) -> None:
    """A server that says of every device that the invitation is its own."""
    relay.change = lambda _seat, frame: (
        frame | {"bound": b64(relay.lines[frame["seat"]].member.key)}
        if frame["t"] == "knock"
        else frame
    )


def test_an_invitation_lets_one_in_past_the_lobby() -> None:
    relay, (host,) = meeting(policy=LOBBY)
    anna, cleo = (relay.connect(invited(*who)) for who in (("Anna",), ("Cleo", "phone", COHOST)))
    relay.run(until=relay.now + 1)
    assert anna.is_inside
    assert cleo.is_inside
    assert (anna.member.role, cleo.member.role) == ("member", "cohost")
    assert host.member.facts is not None
    carried = [leaf.invitation for leaf in host.member.facts.roster]
    assert carried == [None, invitation("Anna").encode(), invitation("Cleo", COHOST).encode()]
    knocks = [effect for effect in host.told if isinstance(effect, Knocked)]
    assert [knock.invitation for knock in knocks] == [
        invitation("Anna").id_text,
        invitation("Cleo").id_text,
    ]
    agree(host, anna, cleo)


def test_past_the_lobby_while_somebody_leads() -> None:
    relay, (host,) = meeting(policy=LOBBY)
    anna = relay.connect(invited("Anna"))
    cleo = relay.connect(invited("Cleo", role=COHOST))
    relay.run(until=relay.now + 1)
    relay.lose(host)
    ben = relay.connect(invited("Ben"))
    relay.run(until=relay.now + 1)
    assert ben.is_inside
    relay.lose(cleo)
    dora = relay.connect(invited("Dora"))
    relay.run(until=relay.now + 10)
    assert not dora.is_inside
    back = relay.connect(member("host", account="owner"))
    relay.run(until=relay.now + 1)
    assert dora.is_inside
    agree(back, anna, ben, dora)


def test_an_open_room_needs_nobody_who_leads() -> None:
    relay, (host, other) = meeting("other")
    relay.do(host, host.member.leave())
    anna = relay.connect(invited("Anna"))
    relay.run(until=relay.now + 10)
    assert anna.is_inside
    agree(other, anna)


def test_losing_the_last_who_leads_shuts_an_open_room_until_one_is_back() -> None:
    relay, (host, other) = meeting("other")
    relay.lose(host)
    anna = relay.connect(invited("Anna"))
    guest = relay.connect(member("guest"))
    relay.run(until=relay.now + 45)  # the host's leaf is gone by now
    assert not anna.is_inside
    assert not guest.is_inside
    back = relay.connect(member("host again", account="owner"))
    relay.run(until=relay.now + 10)
    assert all(one.is_inside for one in (back, anna, guest))
    agree(other, anna, guest, back)


def test_the_host_comes_in_whatever_the_door_says() -> None:
    relay, (host,) = meeting(policy=LOBBY)
    anna = relay.connect(invited("Anna"))
    relay.do(host, host.member.set_policy(relay.now, is_locked=True))
    relay.lose(host)
    second = relay.connect(member("host's phone", account="owner"))
    relay.run(until=relay.now + 5)
    assert second.is_inside
    agree(anna, second)


@pytest.mark.parametrize("entry", ["open", "lobby"])
def test_without_the_servers_word_one_waits_for_a_host(entry: Any) -> None:
    relay, (host,) = meeting(policy=Policy(entry))
    relay.change = unvouched
    anna = relay.connect(invited("Anna"))
    relay.run(until=relay.now + 60)
    assert not anna.is_inside
    relay.do(host, host.member.admit(anna.seat, relay.now))
    assert anna.is_inside
    agree(host, anna)


def test_the_servers_word_for_another_device_is_none() -> None:
    relay, (host,) = meeting()
    relay.change = lambda _seat, frame: (
        frame | {"bound": b64(host.member.key)} if frame["t"] == "knock" else frame
    )
    anna = relay.connect(invited("Anna"))
    relay.run(until=relay.now + 60)
    assert not anna.is_inside
    assert host.troubles() == []


def test_the_servers_word_alone_opens_nothing() -> None:
    relay, (host,) = meeting(policy=LOBBY)
    vouching(relay)
    stranger = relay.connect(member("stranger"))
    relay.run(until=relay.now + 60)
    assert not stranger.is_inside
    assert host.troubles() == []


def test_a_locked_room_waits_and_opens() -> None:
    relay, (host,) = meeting(policy=Policy("lobby", is_locked=True))
    anna = relay.connect(invited("Anna"))
    relay.run(until=relay.now + 60)
    assert not anna.is_inside
    relay.do(host, host.member.set_policy(relay.now, is_locked=False))
    relay.run(until=relay.now + 1)
    assert anna.is_inside
    agree(host, anna)


def test_what_is_revoked_waits_and_is_no_cohost_any_more() -> None:
    relay, (host,) = meeting(policy=LOBBY)
    cleo = relay.connect(invited("Cleo", role=COHOST))
    assert roles(cleo, relay) == "cohost"
    ids = sorted([invitation("Anna").id, invitation("Cleo").id])
    relay.do(host, host.member.set_policy(relay.now, revoked=tuple(ids)))
    assert roles(cleo, relay) == "member"
    anna = relay.connect(invited("Anna"))
    relay.run(until=relay.now + 60)
    assert not anna.is_inside
    relay.do(host, host.member.admit(anna.seat, relay.now))
    assert anna.is_inside
    relay.lose(cleo)
    again = relay.connect(invited("Cleo", role=COHOST))
    relay.run(until=relay.now + 10)
    assert again.is_inside, "until a host removes it"
    relay.do(host, host.member.remove(again.member.identity, relay.now))
    agree(host, anna)
    last = relay.connect(invited("Cleo", role=COHOST))
    relay.run(until=relay.now + 10)
    assert last.over == "denied"


@pytest.mark.parametrize(("late", "is_let_in"), [(3_600, True), (3_601, False)])
def test_an_expired_one_has_an_hour(late: int, is_let_in: bool) -> None:
    relay = Relay()
    owner = member("host", account="owner", policy=LOBBY, wall=lambda: TODAY)
    host = relay.connect(owner)
    anna = relay.connect(invited("Anna", expires_at=int(TODAY) - late))
    relay.run(until=relay.now + 10)
    assert anna.is_inside is is_let_in
    if not is_let_in:
        relay.do(host, host.member.admit(anna.seat, relay.now))
    assert anna.is_inside
    agree(host, anna)


def test_one_that_expires_at_the_door_stays_there() -> None:
    clock = [TODAY]
    relay = Relay()
    owner = member("host", account="owner", policy=Policy(is_locked=True), wall=lambda: clock[0])
    host = relay.connect(owner)
    anna = relay.connect(invited("Anna", expires_at=int(TODAY)))
    clock[0] += 2 * 3_600
    relay.do(host, host.member.set_policy(relay.now, is_locked=False))
    relay.run(until=relay.now + 10)
    assert not anna.is_inside


@pytest.mark.parametrize("entry", ["open", "lobby"])
def test_the_first_device_lets_the_second_in(entry: Any) -> None:
    relay, (host,) = meeting(policy=Policy(entry))
    vouching(relay)
    other = relay.connect(invited("other"))
    phone = relay.connect(invited("Anna"))
    laptop = relay.connect(invited("Anna", "laptop"))
    relay.run(until=relay.now + 60)
    assert phone.is_inside
    assert not laptop.is_inside, "though the server vouches for it, too"
    guest = phone.member.plan.door[laptop.seat].guest
    assert guest.facts.invitation == invitation("Anna").encode()
    relay.do(phone, phone.member.admit(laptop.seat, relay.now))
    assert laptop.is_inside
    agree(host, other, phone, laptop)
    relay.lose(laptop)
    again = relay.connect(invited("Anna", "laptop"))
    relay.run(until=relay.now + 1)
    assert again.is_inside, "a reload, beside the first device"
    agree(host, other, phone, again)


def test_no_other_member_lets_a_second_device_in() -> None:
    relay, (host, other) = meeting("other")
    phone = relay.connect(invited("Anna"))
    laptop = relay.connect(invited("Anna", "laptop"))
    relay.do(other, other.member.admit(laptop.seat, relay.now))
    relay.run(until=relay.now + 1)
    assert other.troubles() == ["not-allowed"]
    assert not laptop.is_inside
    relay.do(host, host.member.admit(laptop.seat, relay.now))
    assert laptop.is_inside
    agree(host, phone, laptop)


def test_a_server_that_vouches_for_two_devices_at_once_lets_one_in() -> None:
    relay, (host,) = meeting(policy=Policy(is_locked=True))
    vouching(relay)
    lines = [relay.connect(invited("Anna", device)) for device in ("phone", "laptop")]
    relay.do(host, host.member.set_policy(relay.now, is_locked=False))
    relay.run(until=relay.now + 60)
    assert [line.is_inside for line in lines] == [True, False]
    agree(host, lines[0])


def test_after_a_reload_the_invited_takes_the_old_place() -> None:
    relay, (host,) = meeting(policy=LOBBY)
    anna = relay.connect(invited("Anna"))
    relay.lose(anna)
    relay.change = unvouched
    again = relay.connect(invited("Anna"))
    relay.run(until=relay.now + 1)
    assert again.is_inside
    agree(host, again)


def test_a_key_without_its_invitation_does_not_come_back() -> None:
    relay, (host,) = meeting(policy=LOBBY)
    anna = relay.connect(invited("Anna"))
    relay.lose(anna)
    plain = relay.connect(member("Anna", seed=sha256(b"Anna phone").digest()))
    relay.run(until=relay.now + 10)
    assert not plain.is_inside
    agree(host)


def test_who_has_another_invitation_than_the_links_begins_nothing() -> None:
    content = invitation("Anna").encode()
    for link, given in (
        (None, content),
        (LINK, content),
        (personal("Ben"), content),
        (replace(personal("Anna"), fingerprint=bytes(16)), content),
        (personal("Anna"), content[:-1]),
        (personal("Anna"), invitation("Ben").encode()),
        (personal("Anna"), content[:-1] + bytes([content[-1] ^ 1])),
    ):
        with pytest.raises(ValueError, match="not the invitation"):
            member("Anna", link=link, invitation=given)


@pytest.mark.parametrize("code", ["revoked", "expired"])
def test_the_server_refuses_the_knock(code: str) -> None:
    relay, _ = meeting(policy=LOBBY)
    relay.change = lambda _seat, frame: (
        {"t": "error", "n": frame["n"], "code": code, "detail": ""} if frame["t"] == "ok" else frame
    )
    assert relay.connect(invited("Anna")).over == code


def test_who_may_not_begin_waits_until_a_host_does() -> None:
    relay = Relay()
    relay.change = lambda seat, frame: (
        {"t": "error", "n": frame["n"], "code": "closed", "detail": ""}
        if (seat, frame["t"]) == ("s0", "ok") and relay.lines["s0"].member.phase == "creating"
        else frame
    )
    anna = relay.connect(invited("Anna"))
    assert anna.member.phase == "outside"
    assert anna.over is None
    relay.instance, anna.place = None, "outside"
    host = relay.connect(member("host", account="owner", policy=LOBBY))
    relay.tell(anna.seat, "instance", instance=relay.instance)
    relay.run(until=relay.now + 1)
    assert anna.is_inside
    agree(host, anna)


def test_a_knock_names_the_invitation_its_device_and_binding() -> None:
    relay = Relay()
    relay.instance = b64(bytes(16))
    knocks: list[dict[str, Any]] = []
    relay._knock = lambda line, frame: knocks.append(frame)  # type: ignore[method-assign]
    anna = invited("Anna")
    for one in (anna, member("plain")):
        relay.connect(one)
    seed = personal("Anna").seed
    assert seed is not None
    said = [
        {name: knock.get(name) for name in ("invitation", "device", "binding")} for knock in knocks
    ]
    assert said == [
        {
            "invitation": invitation("Anna").id_text,
            "device": b64(anna.key),
            "binding": b64(binding_of(MEETING, seed, anna.key)),
        },
        {"invitation": None, "device": None, "binding": None},
    ]


def test_what_the_server_says_of_a_binding_is_a_key_or_nothing() -> None:
    frame = {"t": "knock", "seat": "s", "key_package": "", "intro": "", "proof": "", "sign": ""}
    read = read_frame(frame)
    assert read is not None
    assert read["bound"] is None
    for good in (None, b64(bytes(32))):
        read = read_frame(frame | {"bound": good})
        assert read is not None
        assert read["bound"] == (good and bytes(32))
    wrong: list[object] = ["", "x", b64(bytes(31)), b64(bytes(33)), 0, 5, [], ["x"], {}, False]
    for bad in wrong:
        assert read_frame(frame | {"bound": bad}) is None


def test_an_intro_without_end_names_nobody() -> None:
    engine = Engine(bytes(32), credential_of(public_half(bytes(32))))
    named: dict[str, Any] = {"meeting": MEETING, "instance": bytes(16), "link": LINK}
    knock = make_knock(
        engine.key_package(), engine.sign, profile=("x", 0), nonce=bytes(12), **named
    )
    facts: KeyPackageFacts = engine.inspect(knock.key_package)
    deep = seal(
        LINK.keys().intro,
        bytes(12),
        b"[" * 11_000,
        b"conclave intro v1" + MEETING.encode() + bytes(16),
    )
    sign = engine.sign(
        b"conclave knock v1"
        + facts.ref
        + MEETING.encode()
        + bytes(16)
        + sha256(deep + knock.proof).digest()
    )
    guest = check_knock(Knock(knock.key_package, deep, knock.proof, sign), facts, **named)
    assert guest is not None
    assert guest.name is None
