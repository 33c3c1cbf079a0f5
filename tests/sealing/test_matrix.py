"""The web client's MLS (ts-mls, corrected) and openmls in one group, each in every part."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from conclave_sealing import Refused
from conclave_sealing.context import MeetingContext, Policy, Standing
from conclave_sealing.invitation import NEVER, Bound, binding_of, make_invitation
from conclave_sealing.keys import verify
from tests.sealing.engines import (
    Change,
    Gone,
    Member,
    NodeProcess,
    RustMember,
    Who,
    account_seed,
)
from tests.sealing.sitting import INSTANCE, KINDS, LINK, Sitting, context

pytestmark = pytest.mark.unit

PAIRS = list(product(KINDS, KINDS))
TRIPLES = list(product(KINDS, KINDS, KINDS))


def _sitting(node: NodeProcess, *kinds: str, has_link: bool = True) -> Sitting:
    """`m0`, who made it and owns the meeting, and `m1`, `m2`, … of these kinds."""
    sitting = Sitting(node)
    first, *others = (
        sitting.person(Who(f"m{at}", "owner" if at == 0 else None), kind, has_link=has_link)
        for at, kind in enumerate(kinds)
    )
    sitting.start(first)
    if others:
        sitting.step("m0", joiners=others)
    return sitting


def _refused(reason: str, call: object, *args: object) -> None:
    assert callable(call)
    with pytest.raises(Refused) as caught:
        call(*args)
    assert caught.value.reason == reason, caught.value


@pytest.mark.parametrize("kinds", TRIPLES, ids="-".join)
def test_everything_that_happens_in_a_meeting(
    node: NodeProcess, kinds: tuple[str, str, str]
) -> None:
    sitting = _sitting(node, *kinds)
    sitting.everybody_hears_everybody()
    for by, kind in product(("m0", "m1", "m2"), KINDS):
        sitting.step(by)
        late = sitting.person(Who(f"late of {by}"), kind)
        facts = sitting.step(by, joiners=[late], with_psk=True)
        assert len(facts.roster) == 4
        sitting.everybody_hears_everybody()
        sitting.step(by, removes=[late.who.name])
        key = sitting.members["m1"].who.key
        locked = Policy(
            "lobby",
            True,
            7,
            (key,),
            template="class",
            attendees=0x1A2,
            people=(Standing(key, "presenter", more=0x8001, less=2),),
            blocked=(bytes(32), key),
        )
        context_now = MeetingContext.read(sitting.step("m0", policy=locked).meeting)
        assert context_now is not None
        assert context_now.policy == locked
        sitting.step("m0", policy=Policy())
    sitting.everybody_hears_everybody()


@pytest.mark.parametrize("kinds", TRIPLES, ids="-".join)
def test_one_commit_that_does_everything(node: NodeProcess, kinds: tuple[str, str, str]) -> None:
    sitting = _sitting(node, *kinds)
    again = [sitting.person(Who("m2"), kind) for kind in KINDS]
    new = [sitting.person(Who(f"n{at}"), kind) for at, kind in enumerate(KINDS)]
    for back in again:
        facts = sitting.step(
            "m0", joiners=[back, *new], removes=["m2"], policy=Policy("lobby"), with_psk=True
        )
        assert len(facts.roster) == 5
        sitting.everybody_hears_everybody()
        sitting.step("m0", removes=["n0", "n1"], policy=Policy())


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_coming_back_takes_the_old_place(node: NodeProcess, kinds: tuple[str, str]) -> None:
    sitting = _sitting(node, *kinds, "openmls")
    place = sitting.leaf("m1")
    for kind in KINDS:
        sitting.step("m2", removes=["m1"], joiners=[sitting.person(Who("m1"), kind)])
        assert sitting.leaf("m1") == place
        sitting.everybody_hears_everybody()


@pytest.mark.parametrize("kinds", TRIPLES, ids="-".join)
def test_two_commit_at_once_and_one_wins(node: NodeProcess, kinds: tuple[str, str, str]) -> None:
    sitting = _sitting(node, *kinds)
    winner, loser, third = (sitting.members[name] for name in ("m0", "m1", "m2"))
    lost, _ = loser.commit()
    won, _ = winner.commit()
    winner.merge()
    assert isinstance(loser.apply(won), Change)
    assert isinstance(third.apply(won), Change)
    _refused("wrong-epoch", third.apply, lost)
    late = sitting.person(Who("late"), kinds[0])
    # A commit that was thrown away has spent its key: the next one of its sender in the same epoch
    # must still be readable.
    loser.commit()
    loser.discard()
    commit, welcome = loser.commit(adds=[late.key_package()[0]], with_psk=True)
    after = loser.merge().after
    assert welcome is not None
    for done in (winner.apply(commit), third.apply(commit)):
        assert isinstance(done, Change)
        assert done.after.authenticator == after.authenticator
    assert late.join(welcome).authenticator == after.authenticator


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_the_link_is_needed(node: NodeProcess, kinds: tuple[str, str]) -> None:
    sitting = _sitting(node, *kinds, has_link=False)
    first, second = sitting.members["m0"], sitting.members["m1"]
    _refused("no-psk", lambda: first.commit(with_psk=True))
    psk = b"p" * 32
    for kind in KINDS:
        late = sitting.person(Who(f"late {kind}"), kind, has_link=False)
        first.set_psk(psk)
        commit, welcome = first.commit(adds=[late.key_package()[0]], with_psk=True)
        after = first.merge().after
        assert welcome is not None
        if kind == KINDS[0]:
            _refused("no-psk", second.apply, commit)
            second.set_psk(psk)
        done = second.apply(commit)
        assert isinstance(done, Change)
        assert done.after.authenticator == after.authenticator
        _refused("no-psk", late.join, welcome)
        late.set_psk(psk)
        assert late.join(welcome).authenticator == after.authenticator


def _invited(name: str, invitation: str, role: int = 0, *, is_judged: bool = True) -> Who:
    seed = invitation.encode().ljust(16)[:16]
    made = make_invitation(
        account_seed("owner"),
        LINK,
        name=invitation,
        role=role,
        expires_at=NEVER,
        nonce=bytes(12),
        seed=seed,
    )
    binding = binding_of(LINK.meeting, seed, Who(name).key)
    return Who(name, is_judged=is_judged, bound=Bound(made, binding))


@pytest.mark.parametrize("kinds", TRIPLES, ids="-".join)
def test_invitations_are_judged_alike(node: NodeProcess, kinds: tuple[str, str, str]) -> None:
    sitting = _sitting(node, *kinds[:2])
    sitting.step("m0", policy=Policy("lobby"))
    for kind in KINDS:
        phone = sitting.person(_invited(f"phone {kind}", f"Anna {kind}"), kinds[2])
        facts = sitting.step("m1", joiners=[phone], with_psk=True)
        assert facts.roster[-1].invitation is not None
        laptop = sitting.person(_invited(f"laptop {kind}", f"Anna {kind}"), kind)
        sitting.step(phone.who.name, joiners=[laptop])
        again = sitting.person(laptop.who, kind)
        sitting.step("m1", removes=[laptop.who.name], joiners=[again])
    cohost = sitting.person(_invited("cohost", "Cleo", 1), kinds[2])
    sitting.step("m1", joiners=[cohost], with_psk=True)
    sitting.step("cohost", joiners=[sitting.person(Who("by a cohost"), kinds[2])])
    sitting.step("m0", policy=Policy("lobby", is_locked=True))
    host = sitting.person(Who("host's phone", "owner"), kinds[2])
    sitting.step("m1", joiners=[host], with_psk=True)
    sitting.everybody_hears_everybody()


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_invitations_that_open_nothing_are_refused_alike(
    node: NodeProcess, kinds: tuple[str, str]
) -> None:
    sitting = _sitting(node, *kinds)
    intruder = sitting.person(Who("intruder", is_judged=False), "openmls")
    phone = sitting.person(_invited("phone", "Anna"), "openmls")
    sitting.step("m0", joiners=[intruder, phone])
    revoked = _invited("revoked", "Ben")
    assert revoked.bound is not None
    ids = (revoked.bound.invitation.id,)
    sitting.step("m0", policy=Policy(revoked=ids))
    two = [_invited(name, "Dora") for name in ("one", "two")]
    for whos in ([_invited("laptop", "Anna")], [revoked], two):
        adds = [sitting.person(who, "openmls").key_package()[0] for who in whos]
        commit, _ = intruder.commit(adds=adds, with_psk=True)
        for name in ("m0", "m1"):
            _refused("forbidden", sitting.members[name].apply, commit)
        intruder.discard()


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_what_a_cohost_may_say_is_judged_alike(node: NodeProcess, kinds: tuple[str, str]) -> None:
    sitting = _sitting(node, *kinds)
    cohost = sitting.person(Who("cohost", is_judged=False), "openmls")
    sitting.step("m0", joiners=[cohost])
    shut = Who("shut out")
    blocked = tuple(sorted((bytes(32), shut.key)))
    began = Policy(cohosts=(cohost.who.key,), revoked=(bytes(16),), blocked=blocked)
    sitting.step("m0", policy=began)
    more = replace(
        began,
        is_locked=True,
        cohosts=tuple(sorted((*began.cohosts, sitting.members["m1"].who.key))),
        revoked=(bytes(16), bytes([1] * 16)),
        people=(Standing(sitting.members["m1"].who.key, "listener"),),
    )
    present = MeetingContext.read(sitting.step("cohost", policy=more).meeting)
    assert present is not None
    takings = [
        present.with_policy(taking).encode()
        for taking in (
            replace(more, cohosts=()),
            replace(more, revoked=()),
            replace(more, blocked=()),
        )
    ]
    for meeting in takings:
        commit, _ = cohost.commit(meeting=meeting)
        for name in ("m0", "m1"):
            _refused("forbidden", sitting.members[name].apply, commit)
        cohost.discard()
    package = sitting.person(shut, "openmls").key_package()[0]
    commit, _ = cohost.commit(adds=[package])
    for name in ("m0", "m1"):
        _refused("forbidden", sitting.members[name].apply, commit)
    cohost.discard()
    sitting.step("m0", policy=Policy())
    sitting.everybody_hears_everybody()


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_messages_of_three_epochs_back_are_read(node: NodeProcess, kinds: tuple[str, str]) -> None:
    sitting = _sitting(node, *kinds)
    sender, receiver = sitting.members["m0"], sitting.members["m1"]
    late = [(sender.protect(f"in {at}".encode()), sitting.step("m1"))[0] for at in range(4)]
    (oldest, _), *readable = late
    _refused("wrong-epoch", receiver.open, oldest)
    for message, epoch in reversed(readable):
        assert receiver.open(message).epoch == epoch


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_what_is_not_taken_changes_nothing(node: NodeProcess, kinds: tuple[str, str]) -> None:
    sitting = _sitting(node, *kinds)
    first, second = sitting.members["m0"], sitting.members["m1"]
    message, _ = first.protect(b"once")
    changed = message[:-1] + bytes([message[-1] ^ 1])
    _refused("forged", second.open, changed)
    assert second.open(message).content == b"once"
    _refused("forged", second.open, message)
    _refused("own", first.open, message)
    _refused("malformed", second.apply, message)
    _refused("malformed", second.open, message + b"\0")
    _refused("malformed", second.open, b"")
    _refused("malformed", second.join, message)
    other = sitting.person(Who("other"), kinds[0])
    other.create(b"another instance", context(other.who).encode())
    _refused("wrong-group", second.open, other.protect(b"")[0])
    _refused("wrong-group", second.apply, other.commit()[0])
    commit, _ = first.commit()
    damaged = commit[:-1] + bytes([commit[-1] ^ 1])
    _refused("forged", second.apply, damaged)
    first.merge()
    assert isinstance(second.apply(commit), Change)
    _refused("wrong-epoch", second.apply, commit)
    sitting.facts = None


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_comes_in_by_an_external_commit(node: NodeProcess, kind: str) -> None:
    member = _sitting(node, kind).members["m0"]
    sender, no_path, commit_type = b"\x04", b"\x00", b"\x03"
    signature, tag = b"\x40\x40" + bytes(64), b"\x20" + bytes(32)
    message = (
        b"\x00\x01\x00\x01\x10" + INSTANCE + (0).to_bytes(8, "big") + sender + b"\x00"
        + commit_type + b"\x00" + no_path + signature + tag
    )  # fmt: skip
    _refused("forbidden", member.apply, message)


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_roles_are_judged_alike(node: NodeProcess, kinds: tuple[str, str]) -> None:
    """A member that keeps no rules, and a judge that does."""
    sitting = Sitting(node)
    host = sitting.person(Who("host", "owner"), kinds[0])
    rogue = sitting.person(Who("rogue", is_judged=False), kinds[1])
    sitting.start(host)
    sitting.step("host", joiners=[rogue], policy=Policy("lobby"))
    stranger = sitting.person(Who("stranger"), kinds[1])
    facts = sitting.facts
    assert facts is not None
    own = MeetingContext.read(facts.meeting)
    assert own is not None
    forbidden: list[dict[str, object]] = [
        {"adds": [stranger.key_package()[0]], "with_psk": True},
        {"adds": [stranger.key_package()[0]]},
        {"meeting": own.with_policy(Policy()).encode()},
        {"meeting": own.with_policy(Policy("lobby", False, 0, (rogue.who.key,))).encode()},
        {"meeting": b"no meeting"},
    ]
    for changes in forbidden:
        commit, _ = rogue.commit(**changes)  # type: ignore[arg-type]
        _refused("forbidden", host.apply, commit)
        # The very same bytes are judged again: nothing was used up.
        _refused("forbidden", host.apply, commit)
    sitting.step("rogue")
    sitting.everybody_hears_everybody()


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_a_commit_is_undone_and_another_takes_its_place(
    node: NodeProcess, kinds: tuple[str, str]
) -> None:
    sitting = _sitting(node, *kinds, "ts-mls")
    first, second, third = (sitting.members[name] for name in ("m0", "m1", "m2"))
    undone, _ = third.commit()
    for member in (first, second):
        before = member.apply(undone)
        assert isinstance(before, Change)
        assert member.undo()
        assert not member.undo()
    facts = sitting.step("m0", removes=["m2"])
    assert len(facts.roster) == 2
    sitting.everybody_hears_everybody()


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_keys_of_strangers_are_looked_at_alike(node: NodeProcess, kinds: tuple[str, str]) -> None:
    sitting = Sitting(node)
    maker, reader = (sitting.person(Who(f"p{at}", "acc"), kind) for at, kind in enumerate(kinds))
    package, ref = maker.key_package()
    facts = reader.inspect(package)
    assert (facts.ref, facts.signature_key) == (ref, maker.who.key)
    assert facts == maker.inspect(package)
    for at in (4, 40, 120, len(package) // 2, len(package) - 1):
        with pytest.raises(Refused):
            reader.inspect(package[:at] + bytes([package[at] ^ 1]) + package[at + 1 :])
    assert verify(maker.who.key, b"content", maker.sign(b"content"))
    sealed = reader.seal_to(maker.box_key(), b"info", b"aad", b"for one")
    assert maker.open_box(b"info", b"aad", sealed) == b"for one"
    assert maker.open_box(b"info", b"other", sealed) is None
    assert reader.open_box(b"info", b"aad", sealed) is None
    assert maker.open_box(b"info", b"aad", b"short") is None


@pytest.mark.parametrize("kind", KINDS)
def test_data_that_is_only_authenticated_is_no_hindrance(node: NodeProcess, kind: str) -> None:
    """Nobody here sends it; a later version may."""
    sitting = _sitting(node, "openmls", kind)
    sender, receiver = sitting.members["m0"], sitting.members["m1"]
    assert isinstance(sender, RustMember)
    message, _ = sender.engine.protect(b"text", b"authenticated")
    at = message.index(b"authenticated")
    _refused("forged", receiver.open, message[:at] + b"A" + message[at + 1 :])
    assert receiver.open(message).content == b"text"
    commit, _ = sender.engine.commit(aad=b"authenticated")
    sender.engine.merge()
    assert isinstance(receiver.apply(commit), Change)


@pytest.mark.parametrize("kinds", PAIRS, ids="-".join)
def test_a_welcome_is_for_one(node: NodeProcess, kinds: tuple[str, str]) -> None:
    sitting = _sitting(node, kinds[0])
    guest, other = (sitting.person(Who(name), kinds[1]) for name in ("guest", "other"))
    other.key_package()
    commit, welcome = sitting.members["m0"].commit(adds=[guest.key_package()[0]])
    del commit
    assert welcome is not None
    _refused("not-for-us", other.join, welcome)
    damaged = welcome[:-1] + bytes([welcome[-1] ^ 1])
    with pytest.raises(Refused):
        guest.join(damaged)
    guest.join(welcome)


@pytest.mark.parametrize("kinds", TRIPLES, ids="-".join)
def test_who_is_removed_reads_nothing_more(node: NodeProcess, kinds: tuple[str, str, str]) -> None:
    sitting = _sitting(node, *kinds)
    removed: Member = sitting.members["m1"]
    place = sitting.leaf("m0")
    commit, _ = sitting.members["m0"].commit(removes=[sitting.leaf("m1")])
    sitting.members["m0"].merge()
    assert removed.apply(commit) == Gone(place, False)
    message, _ = sitting.members["m0"].protect(b"not for m1")
    with pytest.raises(Refused):
        removed.open(message)
