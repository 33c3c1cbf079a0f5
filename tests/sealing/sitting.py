"""A group of members of both kinds, and what must hold in it after every commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from conclave_sealing import GroupFacts
from conclave_sealing.context import MeetingContext, Policy
from conclave_sealing.keys import Link, fingerprint_of, public_half
from tests.sealing.engines import (
    Change,
    Gone,
    Member,
    NodeMember,
    NodeProcess,
    RustMember,
    Who,
    account_seed,
)

INSTANCE = sha256(b"instance").digest()[:16]
LINK = Link(
    "mtg_test",
    sha256(b"secret").digest()[:16],
    fingerprint_of(public_half(account_seed("owner"))),
)
KINDS = ("ts-mls", "openmls")


def context(creator: Who, policy: Policy | None = None) -> MeetingContext:
    return MeetingContext.make(LINK.meeting, INSTANCE, creator.key, LINK, policy or Policy())


@dataclass
class Sitting:
    """`members[name]` as they stand; every step checks that all of them agree."""

    node: NodeProcess
    members: dict[str, Member] = field(default_factory=dict)
    facts: GroupFacts | None = None
    seen: dict[str, GroupFacts] = field(default_factory=dict)
    """What each member says of the present epoch."""
    commits: int = 0

    def person(self, who: Who, kind: str, *, has_link: bool = True) -> Member:
        made: Member = RustMember(who) if kind == "openmls" else NodeMember(who, self.node)
        if has_link:
            made.set_psk(LINK.keys().psk)
        return made

    def start(self, creator: Member) -> GroupFacts:
        self.facts = creator.create(INSTANCE, context(creator.who).encode())
        self.members[creator.who.name] = creator
        self.seen[creator.who.name] = self.facts
        return self.agree()

    def leaf(self, name: str) -> int:
        assert self.facts is not None
        key = self.members[name].who.key
        return next(leaf.leaf for leaf in self.facts.roster if leaf.signature_key == key)

    def step(
        self,
        by: str,
        *,
        joiners: Sequence[Member] = (),
        removes: Iterable[str] = (),
        policy: Policy | None = None,
        with_psk: bool = False,
    ) -> GroupFacts:
        """One commit that wins: applied by all, joined by those it adds, refused by nobody."""
        removed = list(removes)
        leaves = [self.leaf(name) for name in removed]
        meeting = None
        if policy is not None:
            assert self.facts is not None
            present = MeetingContext.read(self.facts.meeting)
            assert present is not None
            meeting = present.with_policy(policy).encode()
        adds = [joiner.key_package()[0] for joiner in joiners]
        committer = self.members[by]
        commit, welcome = committer.commit(
            adds=adds, removes=leaves, meeting=meeting, with_psk=with_psk
        )
        self.commits += 1
        merged = committer.merge()
        self.seen = {by: merged.after}
        back = {joiner.who.key for joiner in joiners}
        for name, member in list(self.members.items()):
            if name == by:
                continue
            done = member.apply(commit)
            if name in removed:
                assert done == Gone(merged.commit.sender, member.who.key in back)
                del self.members[name]
            else:
                assert isinstance(done, Change)
                assert done.commit == merged.commit, f"{name} read another commit"
                assert done.before.authenticator == merged.before.authenticator
                self.seen[name] = done.after
        for joiner in joiners:
            assert welcome is not None
            self.members[joiner.who.name] = joiner
            self.seen[joiner.who.name] = joiner.join(welcome)
        self.facts = merged.after
        return self.agree()

    def agree(self) -> GroupFacts:
        """Everybody has the same epoch, roster, meeting, authenticator and exported secrets."""
        facts = self.facts
        assert facts is not None
        secrets = set()
        for name, member in self.members.items():
            found = self.seen[name]
            assert found.own_leaf == self.leaf(name)
            for field_name in ("group_id", "epoch", "roster", "meeting", "authenticator"):
                ours, theirs = getattr(facts, field_name), getattr(found, field_name)
                assert ours == theirs, f"{name} has another {field_name}"
            secrets.add(member.export_secret("conclave frame v1", b"somebody", 32))
        assert len(secrets) == 1, "members with different secrets"
        return facts

    def everybody_hears_everybody(self) -> None:
        assert self.facts is not None
        for name, member in self.members.items():
            message, epoch = member.protect(f"from {name}".encode())
            for other, receiver in self.members.items():
                if other != name:
                    said = receiver.open(message)
                    assert said.sender == self.leaf(name)
                    assert (said.epoch, said.content) == (epoch, f"from {name}".encode())
