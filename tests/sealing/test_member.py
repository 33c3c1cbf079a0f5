"""The headless member on a clock of the test: coming, going, changing, and hostile frames."""

from __future__ import annotations

import random
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conclave_sealing import frames
from conclave_sealing.context import MeetingContext, Policy
from conclave_sealing.effects import Heard, Keys
from conclave_sealing.keys import Link, b64, fingerprint_of, public_half, unb64
from conclave_sealing.member import Member
from tests.sealing.engines import account_seed
from tests.sealing.relay import CHALLENGE, Line, Relay

pytestmark = pytest.mark.unit

MEETING = "mtg_test"
LINK = Link(
    MEETING,
    sha256(b"secret").digest()[:16],
    fingerprint_of(public_half(account_seed("owner"))),
)


def member(
    name: str, *, link: Link | None = LINK, account: str | None = None, **more: Any
) -> Member:
    return Member(
        MEETING,
        name=name,
        link=link,
        seed=more.pop("seed", sha256(name.encode()).digest()),
        account_seed=None if account is None else account_seed(account),
        random=random.Random(name).randbytes,  # noqa: S311
        **more,
    )


def meeting(*names: str, policy: Policy | None = None) -> tuple[Relay, list[Line]]:
    """A host and others who hold the link."""
    relay = Relay()
    lines = [relay.connect(member("host", account="owner", policy=policy))]
    lines += [relay.connect(member(name)) for name in names]
    relay.run(until=relay.now + 1)
    return relay, lines


def agree(*lines: Line) -> None:
    for line in lines:
        assert line.member.facts is not None
        assert lines[0].member.facts is not None
        assert line.member.facts.authenticator == lines[0].member.facts.authenticator
        assert line.troubles() == []


def test_the_link_lets_in_and_everybody_has_the_same_keys() -> None:
    relay, lines = meeting("a", "b", "c")
    assert all(line.is_inside for line in lines)
    agree(*lines)
    last = [next(e for e in reversed(line.told) if isinstance(e, Keys)) for line in lines]
    assert all(keys == last[0] for keys in last)
    assert set(last[0].keys) == {line.member.identity for line in lines}
    for line in lines:
        assert {said["name"] for said in line.heard("profile")} >= {
            other.member.name for other in lines if other is not line
        }
        assert line.switches()[-1] == relay.epoch


def test_one_chats_with_everybody_and_with_one_alone() -> None:
    relay, (host, a, b) = meeting("a", "b")
    relay.do(a, a.member.chat("to all"))
    relay.do(a, a.member.whisper(b.member.identity, "chat", id=b64(bytes(16)), text="to b"))
    assert [said["text"] for said in host.heard("chat")] == ["to all"]
    assert [said["text"] for said in b.heard("chat")] == ["to all", "to b"]
    whispers = [e for e in b.told if isinstance(e, Heard) and e.is_private]
    assert [w.identity for w in whispers] == [a.member.identity]


def test_two_begin_at_once_and_the_loser_knocks() -> None:
    relay = Relay()
    first, second = member("first", account="owner"), member("second")
    lines = [Line("s0", first), Line("s1", second)]
    relay.lines = {line.seat: line for line in lines}
    for line in lines:
        relay._effects(line, line.member.start())
    relay.run(until=1)
    assert all(line.is_inside for line in lines)
    agree(*lines)


def test_the_lobby_waits_for_a_host_who_hands_over_the_link() -> None:
    relay, (host, a) = meeting("a", policy=Policy("lobby"))
    assert not a.is_inside
    relay.do(host, host.member.admit(a.seat, relay.now))
    assert a.is_inside
    stranger = relay.connect(member("stranger", link=None))
    relay.run(until=60)
    assert not stranger.is_inside
    relay.do(host, host.member.admit(stranger.seat, relay.now))
    relay.run(until=relay.now + 1)
    assert stranger.is_inside
    assert stranger.member.link == LINK
    agree(host, a, stranger)
    relay.do(host, host.member.set_policy(relay.now, entry="open"))
    late = relay.connect(member("late"))
    relay.run(until=relay.now + 5)
    assert late.is_inside
    agree(host, a, stranger, late)


def test_a_guest_is_denied() -> None:
    relay, (host,) = meeting(policy=Policy("lobby"))
    guest = relay.connect(member("guest"))
    relay.do(host, host.member.deny(guest.seat))
    assert guest.over == "denied"


def test_a_host_removes_and_keys_change_at_once() -> None:
    relay, (host, a, b) = meeting("a", "b")
    before = relay.now
    relay.do(host, host.member.remove(a.member.identity, relay.now))
    relay.run()
    assert a.over == "removed"
    assert host.switches()[-1] == b.switches()[-1] == relay.epoch
    assert relay.now - before < 0.5
    agree(host, b)
    back = relay.connect(member("a"))
    relay.run(until=relay.now + 30)
    assert back.over == "denied", "removed by a host: does not come back by the link"


def test_a_plain_member_changes_and_removes_nothing() -> None:
    relay, (host, a, b) = meeting("a", "b")
    epoch = relay.epoch
    relay.do(a, a.member.set_policy(relay.now, is_locked=True))
    relay.do(a, a.member.remove(b.member.identity, relay.now))
    assert a.troubles() == ["not-allowed", "not-allowed"]
    assert relay.epoch == epoch
    agree(host, b)


def test_who_leaves_is_taken_out_by_the_elected_member() -> None:
    relay, (host, a, b) = meeting("a", "b")
    relay.do(a, a.member.leave())
    relay.run(until=relay.now + 1)
    assert host.member.facts is not None
    assert len(host.member.facts.roster) == 2
    agree(host, b)


def test_who_is_lost_has_half_a_minute_and_the_next_takes_the_turn() -> None:
    relay, (host, a, b) = meeting("a", "b")
    relay.lose(host)
    relay.run(until=relay.now + 29)
    assert a.member.facts is not None
    assert len(a.member.facts.roster) == 3
    relay.run(until=relay.now + 3)
    assert len(a.member.facts.roster) == 2
    agree(a, b)


def test_the_next_one_acts_when_the_elected_does_nothing() -> None:
    relay, (host, a) = meeting("a")
    relay.change = lambda seat, frame: (
        None if seat == host.seat and frame["t"] == "knock" else frame
    )
    late = relay.connect(member("late"))
    relay.run(until=relay.now + 1.9)
    assert not late.is_inside
    relay.run(until=relay.now + 0.2)
    assert late.is_inside
    agree(host, a, late)


def test_two_commit_in_one_epoch() -> None:
    relay, (host, a, b) = meeting("a", "b")
    epoch = relay.epoch
    for line in (host, a):
        relay._effects(line, line.member.renew(relay.now))
    relay.run(until=relay.now + 2)
    assert relay.epoch == epoch + 1, "the renewal that lost was done by the one that won"
    agree(host, a, b)


def test_after_a_reload_the_same_key_takes_its_old_place() -> None:
    relay, (host, a) = meeting("a")
    assert a.member.facts is not None
    place = a.member.facts.own_leaf
    relay.lose(a)
    again = relay.connect(member("a"))
    relay.run(until=relay.now + 1)
    assert again.is_inside
    assert again.member.facts is not None
    assert again.member.facts.own_leaf == place
    agree(host, again)


def test_a_commit_is_reopened() -> None:
    relay, (host, a, b) = meeting("a", "b")
    assert b.member.facts is not None
    before = b.member.facts.authenticator
    relay.do(b, b.member.renew(relay.now))
    relay.lose(b)
    relay.reopen()
    for line in (host, a):
        assert line.member.facts is not None
        assert line.member.facts.authenticator == before
    relay.do(host, host.member.renew(relay.now))
    agree(host, a)


def test_who_came_by_an_undone_commit_knocks_anew() -> None:
    relay, (host, a) = meeting("a")
    late = relay.connect(member("late"))
    assert late.is_inside
    relay.reopen()
    relay.run(until=relay.now + 1)
    agree(host, a, late)
    assert late.member.phase == "inside"


def test_a_changed_commit_is_refused_and_said() -> None:
    relay, (host, a, b) = meeting("a", "b")

    def damage(seat: str, frame: dict[str, Any]) -> dict[str, Any]:
        if frame["t"] == "commit" and seat == b.seat:
            return frame | {"bytes": frame["bytes"][:-4] + "AAAA"}
        return frame

    relay.change = damage
    relay.do(host, host.member.renew(relay.now))
    assert b.troubles() == ["nacked", "forbidden-change"]
    agree(host, a)


def test_beats_agree_and_one_that_does_not_is_said() -> None:
    relay, (host, a) = meeting("a")
    relay.run(until=relay.now + 25)
    assert len(a.heard("beat")) >= 2
    agree(host, a)
    wrong = b64(bytes(8))
    relay.do(a, a.member.say("beat", auth=wrong, roster=wrong))
    assert host.troubles() == ["withheld"]


def test_a_group_that_does_not_prove_the_link_is_not_entered() -> None:
    relay = Relay()
    other = Link(MEETING, bytes(16), LINK.fingerprint)
    fake = relay.connect(member("fake", link=other, account="owner"))
    victim = relay.connect(member("victim"))
    relay.do(fake, [])
    # The fake group's host admits without any proof.
    fake.member._on_knock = lambda frame, now: None  # type: ignore[method-assign]
    content, welcome = fake.member._engine.commit(adds=[_key_package(victim)])
    relay._commit(
        fake,
        {
            "n": 99,
            "epoch": 0,
            "bytes": b64(content),
            "welcome": b64(welcome or b""),
            "admitted": [{"seat": victim.seat, "identity": victim.member.identity}],
            "removed": [],
        },
    )
    relay.run()
    assert victim.over == "not-our-group"
    assert not any(isinstance(effect, Keys) for effect in victim.told)


def _key_package(line: Line) -> bytes:
    assert line.knock is not None
    return unb64(line.knock["key_package"])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)
_KINDS = st.sampled_from([*frames.KINDS, "x"])
_FIELDS = st.fixed_dictionaries(
    {"t": _KINDS},
    optional={
        "seat": st.sampled_from(["s0", "s1", "s9"]),
        "bytes": st.sampled_from(["", "AAEAAg", "AAEAAwABAA"]),
        "key_package": st.just("AAEABQ"),
        "intro": st.just(""),
        "proof": st.just(""),
        "sign": st.just(""),
        "bound": st.sampled_from([None, "", "x", b64(bytes(31)), b64(bytes(32))]),
        "epoch": st.integers(0, 4),
        "seq": st.integers(0, 99),
        "n": st.integers(0, 9),
        "from": st.just("s0"),
        "instance": st.sampled_from([None, b64(bytes(16))]),
        "admitted": st.just([]),
        "removed": st.sampled_from([[], [{"seat": "s0", "why": "lost"}]]),
        "reason": st.text(max_size=5),
        "state": st.sampled_from(["live", "lost", "left"]),
        "code": st.just("conflict"),
        "members": st.integers(0, 3),
    },
)


@given(said=st.lists(_FIELDS | _JSON, max_size=12))
@settings(max_examples=150, deadline=None, derandomize=True)
def test_no_frame_at_all_breaks_a_member(said: list[Any]) -> None:
    relay, (host, a) = meeting("a")
    del host
    for frame in said:
        a.member.receive(frame, relay.now)
        a.member.tick(relay.now)


def test_what_a_meeting_says_of_itself_is_read_exactly() -> None:
    lists = (bytes(32), bytes([1] * 32)), tuple(bytes([at] * 16) for at in range(5))
    policy = Policy("lobby", True, 9, *lists)
    made = MeetingContext.make(MEETING, bytes(16), bytes(32), LINK, policy)
    assert MeetingContext.read(made.encode()) == made
    assert made.proves(LINK)
    assert not made.proves(Link("mtg_other", LINK.secret, LINK.fingerprint))
    content = made.encode()
    for at in range(len(content)):
        assert MeetingContext.read(content[:at]) is None
    assert MeetingContext.read(content + b"\0") is None


def test_what_is_revoked_is_ascending_whole_and_not_too_much() -> None:
    def read(*revoked: bytes) -> MeetingContext | None:
        policy = Policy(revoked=revoked)
        return MeetingContext.read(
            MeetingContext.make(MEETING, bytes(16), bytes(32), LINK, policy).encode()
        )

    ids = tuple(at.to_bytes(16, "big") for at in range(501))
    most = read(*ids[:500])
    assert most is not None
    assert most.policy.revoked == ids[:500]
    assert read(*ids) is None
    assert read(ids[1], ids[0]) is None
    assert read(ids[1], ids[1]) is None
    assert read(ids[0][:15]) is None
    assert read(ids[0] + b"\0") is None


# --- a crowded door
def _is_paid(frame: dict[str, Any]) -> bool:
    work = frame.get("work")
    if work is None:
        return False
    nonce = unb64(work["nonce"], 8)
    content = sha256(unb64(frame["key_package"])).digest()
    assert unb64(work["challenge"]) == CHALLENGE
    return sha256(b"conclave work v1" + CHALLENGE + content + nonce).digest()[0] == 0


def test_a_crowded_door_is_worked_for() -> None:
    relay, (host,) = meeting()
    relay.work = _is_paid
    guest = relay.connect(member("guest"))
    relay.run(until=relay.now + 2)
    assert guest.is_inside
    agree(host, guest)


@pytest.mark.parametrize("bits", [8, 25, 1 << 40])
def test_a_door_that_asks_for_ever_or_for_too_much_is_none(bits: int) -> None:
    relay, _ = meeting()
    asked: list[dict[str, Any]] = []

    def never(frame: dict[str, Any]) -> bool:
        asked.append(frame)
        return False

    relay.work, relay.bits = never, bits
    guest = relay.connect(member("guest"))
    assert guest.over == "work"
    assert len(asked) == (6 if bits == 8 else 1)


@pytest.mark.parametrize("challenge", [None, 7, "", "AAAA", "A" * 100, "?" * 39])
def test_what_is_no_challenge_is_not_worked_for(challenge: object) -> None:
    relay, _ = meeting()
    relay.work = lambda _frame: False

    def change(_seat: str, frame: dict[str, Any]) -> dict[str, Any]:
        return frame | {"challenge": challenge} if frame["t"] == "error" else frame

    relay.change = change
    guest = relay.connect(member("guest"))
    assert not guest.is_inside
    assert guest.over in {None, "work"}
