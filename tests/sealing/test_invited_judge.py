"""Who may add whom when invitations are about: the rules of sealing-protocol.md, 3, one by one."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from conclave_sealing import CommitFacts, GroupFacts, KeyPackageFacts, LeafFacts
from conclave_sealing.context import MeetingContext, Policy
from conclave_sealing.invitation import ATTENDEE, COHOST, NEVER, Invitation, make_invitation
from conclave_sealing.judge import counting, judge, role_of
from conclave_sealing.keys import LINK_PSK_ID, Link, fingerprint_of, public_half
from tests.sealing.engines import account_seed

pytestmark = pytest.mark.unit

OWNER = account_seed("owner")
LINK = Link("mtg_test", bytes(16), fingerprint_of(public_half(OWNER)))
OPEN, LOBBY, LOCKED = Policy(), Policy("lobby"), Policy("open", is_locked=True)

NOT_COUNTING = "an invitation that does not count"
HELD = "an invitation that another device has"
BY_LINK = "a member adds only by the link"
SHUT = "a member adds nobody while it is locked"


def key(name: str) -> bytes:
    return sha256(name.encode()).digest()


def invitation(
    name: str,
    role: int = ATTENDEE,
    *,
    by: bytes = OWNER,
    link: Link = LINK,
    expires_at: int = NEVER,
) -> Invitation:
    return make_invitation(
        by, link, name=name, role=role, expires_at=expires_at, nonce=bytes(12), seed=key(name)[:16]
    )


ANNA, BEN = invitation("Anna"), invitation("Ben")
FOREIGN = invitation("Anna", by=account_seed("other"))
ELSEWHERE = invitation("Anna", link=replace(LINK, meeting="mtg_other"))


def leaf(
    at: int, name: str, carried: Invitation | None = None, account: bytes | None = None
) -> LeafFacts:
    return LeafFacts(at, key(name), account, carried.encode() if carried else None)


def add(
    name: str, carried: Invitation | None = None, account: bytes | None = None
) -> KeyPackageFacts:
    return KeyPackageFacts(bytes(32), key(name), account, carried.encode() if carried else None)


HOST = leaf(0, "host", account=public_half(OWNER))
PLAIN = leaf(1, "plain")
ANNAS = leaf(2, "anna's phone", ANNA)


def said(
    policy: Policy,
    *adds: KeyPackageFacts,
    by: LeafFacts = PLAIN,
    also: tuple[LeafFacts, ...] = (),
    removes: tuple[int, ...] = (),
    has_psk: bool = True,
    link: Link | None = LINK,
) -> str | None:
    """What the judge says; in the group are the host, a plain member and Anna's phone."""
    context = MeetingContext.make(LINK.meeting, bytes(16), key("host"), link, policy)
    roster = [HOST, PLAIN, ANNAS, *also]
    before = GroupFacts(bytes(16), 5, 1, roster, context.encode(), bytes(32))
    psks = [LINK_PSK_ID] if has_psk else []
    return judge(before, CommitFacts(by.leaf, list(adds), list(removes), None, psks))


def test_an_invitation_opens_a_lobby_to_one_device() -> None:
    assert said(LOBBY, add("ben", BEN)) is None
    assert said(OPEN, add("ben", BEN)) is None
    assert said(LOBBY, add("ben", BEN), by=ANNAS) is None
    assert said(LOBBY, add("ben", BEN), has_psk=False) == BY_LINK
    assert said(LOCKED, add("ben", BEN)) == SHUT
    assert said(LOBBY, add("ben")) == BY_LINK


def test_a_further_device_is_added_by_hosts_and_by_its_own_invitation() -> None:
    second = add("anna's laptop", ANNA)
    for policy in (OPEN, LOBBY):
        assert said(policy, second) == HELD, "even when the entry is open"
        for has_psk in (True, False):
            assert said(policy, second, by=ANNAS, has_psk=has_psk) is None
            assert said(policy, second, by=HOST, has_psk=has_psk) is None
    assert said(LOCKED, second, by=ANNAS) == SHUT
    assert said(LOCKED, second, by=HOST) is None


def test_two_devices_of_one_invitation_are_not_added_in_one_commit() -> None:
    two = add("ben's phone", BEN), add("ben's laptop", BEN)
    for policy in (OPEN, LOBBY):
        assert said(policy, *two) == HELD
        assert said(policy, *two, by=HOST) is None
    assert said(LOBBY, add("a", ANNA), add("b", ANNA), by=ANNAS) is None


def test_a_leaf_that_goes_holds_nothing() -> None:
    assert said(LOBBY, add("anna's laptop", ANNA), removes=(2,)) is None
    also = (leaf(3, "anna's laptop", ANNA),)
    assert said(LOBBY, add("anna's tablet", ANNA), removes=(2,), also=also) == HELD


def test_the_same_invitation_written_anew_is_the_same() -> None:
    anew = invitation("Anna", COHOST, expires_at=9)
    assert anew.id == ANNA.id
    assert said(OPEN, add("anna's laptop", anew)) == HELD


@pytest.mark.parametrize("carried", [FOREIGN, ELSEWHERE], ids=["foreign", "elsewhere"])
def test_one_of_another_host_or_meeting_is_added_by_hosts_only(carried: Invitation) -> None:
    for policy in (OPEN, LOBBY):
        assert said(policy, add("x", carried)) == NOT_COUNTING
        assert said(policy, add("x", carried), by=HOST) is None
    holder = leaf(3, "x", carried)
    assert said(OPEN, add("y", carried), by=holder, also=(holder,)) == NOT_COUNTING
    # Its key is known by its bytes alone, whoever signed it.
    came = said(LOBBY, add("anna's laptop", ANNA), also=(holder,), removes=(2,))
    assert came == (HELD if carried.key == ANNA.key else None)


def test_a_revoked_one_is_added_by_hosts_and_cohosts_only() -> None:
    revoked = Policy(revoked=(BEN.id,), cohosts=(key("cohost"),))
    cohost = leaf(3, "cohost")
    assert said(revoked, add("ben", BEN)) == NOT_COUNTING
    assert said(revoked, add("ben", BEN), by=HOST) is None
    assert said(revoked, add("ben", BEN), by=cohost, also=(cohost,)) is None
    assert said(revoked, add("anna's laptop", ANNA), by=ANNAS) is None


def test_a_revoked_device_brings_no_other_and_keeps_its_place_until_it_is_removed() -> None:
    revoked = Policy(revoked=(ANNA.id,))
    assert said(revoked, add("anna's laptop", ANNA), by=ANNAS) == NOT_COUNTING
    assert said(revoked, add("anna's laptop", ANNA), removes=(2,)) == NOT_COUNTING
    assert said(revoked, add("anna's phone", ANNA), removes=(2,)) is None


def test_whoever_is_inside_lets_the_host_in() -> None:
    account = public_half(OWNER)
    for policy in (OPEN, LOBBY, LOCKED):
        assert said(policy, add("host's phone", account=account)) is None
        assert said(policy, add("host's phone", ANNA, account)) is None
        assert said(policy, add("host's phone", account=account), has_psk=False) in {BY_LINK, SHUT}
        other = public_half(account_seed("other"))
        assert said(policy, add("x", account=other), link=LINK) == (
            None if policy is OPEN else SHUT if policy is LOCKED else BY_LINK
        )


def test_coming_back_needs_the_same_invitation() -> None:
    back = {"removes": (2,), "has_psk": False}
    for policy in (OPEN, LOBBY, LOCKED):
        assert said(policy, add("anna's phone", ANNA), **back) is None  # type: ignore[arg-type]
        for other in (None, BEN, invitation("Anna", COHOST)):
            came = said(policy, add("anna's phone", other), **back)  # type: ignore[arg-type]
            assert came == (SHUT if policy is LOCKED else BY_LINK)
    assert said(LOBBY, add("plain", BEN), by=ANNAS, removes=(1,), has_psk=False) == BY_LINK


def test_a_further_device_comes_back_beside_the_first() -> None:
    laptop = leaf(3, "anna's laptop", ANNA)
    came = said(LOCKED, add("anna's laptop", ANNA), also=(laptop,), removes=(3,), has_psk=False)
    assert came is None


def test_each_add_of_a_commit_is_judged_by_itself() -> None:
    assert said(LOBBY, add("ben", BEN), add("cleo", invitation("Cleo"))) is None
    assert said(LOBBY, add("ben", BEN), add("stranger")) == BY_LINK
    assert said(OPEN, add("stranger"), add("anna's laptop", ANNA)) == HELD
    assert said(OPEN, add("ben", BEN), add("x", FOREIGN)) == NOT_COUNTING


def test_without_a_host_in_the_group_no_invitation_counts() -> None:
    nobody = make_invitation(
        OWNER, LINK, name="", role=ATTENDEE, expires_at=0, nonce=b"", seed=bytes(16)
    )
    assert said(OPEN, add("ben", nobody), link=None) == NOT_COUNTING
    context = MeetingContext.make(LINK.meeting, bytes(16), bytes(32), None, OPEN)
    assert counting(nobody.encode(), context) is None


def test_a_cohost_by_invitation() -> None:
    context = MeetingContext.make(LINK.meeting, bytes(16), key("host"), LINK, OPEN)
    cleo = invitation("Cleo", COHOST)
    cohost = leaf(3, "cleo", cleo)
    assert role_of(cohost, context) == "cohost"
    assert role_of(ANNAS, context) == "member"
    assert said(LOCKED, add("stranger"), by=cohost, also=(cohost,), has_psk=False) is None
    for false in (
        replace(cleo, meeting=b"mtg_other"),
        replace(cleo, account_key=public_half(account_seed("other"))),
    ):
        assert role_of(leaf(3, "cleo", false), context) == "member"
    revoked = context.with_policy(Policy(revoked=(cleo.id,)))
    assert role_of(cohost, revoked) == "member"
