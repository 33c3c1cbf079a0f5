"""What the next commit holds: knocks to add, seats to take out, a policy to change.

Pure, but for the wall clock that tells whether an invitation has expired. Must never put into one
commit, under the link's PSK, somebody who does not hold the link; nor let in by itself whose
invitation the server does not vouch for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from conclave_sealing._mls import GroupFacts, LeafFacts
from conclave_sealing.context import MeetingContext
from conclave_sealing.invitation import Invitation
from conclave_sealing.judge import Role, counting, holders, is_same
from conclave_sealing.knock import Guest
from conclave_sealing.people import TURN_S, People

SPACING_S = 0.3


@dataclass(slots=True)
class AtDoor:
    guest: Guest
    since: float
    vouched: str = ""
    """The id of the invitation that the server says is bound to this device; or empty."""
    is_admitted: bool = False
    """A host said so, or another device of the same invitation."""


@dataclass(slots=True)
class Wish:
    """One commit to be: what goes into the group and what the server is told of it."""

    adds: list[bytes] = field(default_factory=list)
    removes: list[int] = field(default_factory=list)
    admitted: list[dict[str, str]] = field(default_factory=list)
    removed: list[dict[str, str]] = field(default_factory=list)
    meeting: bytes | None = None
    with_psk: bool = False
    is_renewal: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.adds or self.removes or self.meeting or self.is_renewal)


@dataclass(frozen=True, slots=True)
class _View:
    """A group as the door looks at it, read once for all who stand there."""

    context: MeetingContext | None
    own_leaf: int
    leaves: dict[bytes, LeafFacts]
    """By signature key."""
    held: Collection[bytes]
    """Ids of the invitations in the tree."""

    @classmethod
    def of(cls, facts: GroupFacts) -> _View:
        context = MeetingContext.read(facts.meeting)
        return cls(
            context,
            facts.own_leaf,
            {leaf.signature_key: leaf for leaf in facts.roster},
            () if context is None else holders(facts.roster, context).keys(),
        )

    def counting(self, guest: Guest) -> Invitation | None:
        return None if self.context is None else counting(guest.facts.invitation, self.context)


@dataclass
class Plan:
    """What is waiting for a commit of ours, beside the elected member's duties."""

    wall: Callable[[], float] = time.time
    """Seconds since 1970."""
    door: dict[str, AtDoor] = field(default_factory=dict)
    to_remove: set[str] = field(default_factory=set)
    """Identities that a host takes out."""
    meeting: MeetingContext | None = None
    is_renewal: bool = False

    def due(self, people: People, facts: GroupFacts) -> float | None:
        """When the next duty comes to us; None: nothing waits."""
        turn = people.turn(facts) * TURN_S
        view = _View.of(facts)
        times = [since + turn for _, _, since in people.gone()]
        times += [
            0.0 if entry.is_admitted else entry.since + turn
            for entry in self.door.values()
            if entry.is_admitted or self._is_free(entry, people, view)
        ]
        if self.to_remove or self.meeting or self.is_renewal:
            times.append(0.0)
        return min(times, default=None)

    def _is_free(self, entry: AtDoor, people: People, view: _View) -> bool:
        """May come in without a host: by the link, by an invitation, or because the leaf is still
        there."""
        newcomer = entry.guest.facts
        context = view.context
        if context is None or newcomer.signature_key in people.banned:
            return False
        invitation = view.counting(entry.guest)
        if newcomer.invitation is not None and (
            invitation is None or invitation.is_over(self.wall())
        ):
            return False
        old = view.leaves.get(newcomer.signature_key)
        if old is not None:
            return old.leaf != view.own_leaf and is_same(old, newcomer)
        if not entry.guest.has_proof or people.linkless or context.policy.is_locked:
            return False
        if invitation is None:
            return context.policy.entry == "open"
        return entry.vouched == invitation.id_text and invitation.id not in view.held

    def wish(self, people: People, facts: GroupFacts, role: Role, now: float) -> Wish:
        wish = Wish()
        turn = people.turn(facts) * TURN_S
        view = _View.of(facts)
        if self.meeting is not None and role == "host":
            wish.meeting = self.meeting.encode()
        wish.is_renewal = self.is_renewal
        for left, why, since in people.gone():
            if since + turn <= now:
                self._remove(wish, people, facts, left.identity, why)
        for identity in sorted(self.to_remove):
            self._remove(wish, people, facts, identity, "removed")
        ready = [
            (seat, entry)
            for seat, entry in self.door.items()
            if entry.is_admitted
            or (entry.since + turn <= now and self._is_free(entry, people, view))
        ]
        # Those with the link and those without it cannot share a commit.
        with_link = bool(ready) and ready[0][1].guest.has_proof and not people.linkless
        invitations: set[bytes] = set()
        for seat, entry in ready:
            if entry.guest.has_proof != with_link and not people.linkless:
                continue
            invitation = view.counting(entry.guest)
            if invitation is not None:
                if invitation.id in invitations and not entry.is_admitted:
                    # The server vouches for two devices of one invitation: the second waits.
                    continue
                invitations.add(invitation.id)
            self._add(wish, people, facts, seat, entry.guest)
        wish.with_psk = with_link and bool(wish.adds)
        return wish

    def forget(self, people: People, facts: GroupFacts) -> None:
        """Nothing of what waits can be done: drop it, so that it is not asked for again."""
        for entry in self.door.values():
            entry.is_admitted = False
        self.to_remove.clear()
        self.meeting = None
        self.is_renewal = False
        for seat in [seat for seat, _, _ in people.gone()]:
            if people.leaf_of(facts, seat.identity) is None:
                del people.seats[seat.id]

    def _add(self, wish: Wish, people: People, facts: GroupFacts, seat: str, guest: Guest) -> None:
        key = guest.facts.signature_key
        old = next((leaf for leaf in facts.roster if leaf.signature_key == key), None)
        if old is not None:
            if old.leaf == facts.own_leaf:
                return
            if old.leaf not in wish.removes:
                self._remove(wish, people, facts, people.identity(old), "replaced")
        identity = people.identity_of_key(key)
        if any(added["identity"] == identity for added in wish.admitted):
            return
        wish.adds.append(guest.key_package)
        wish.admitted.append({"seat": seat, "identity": identity})

    @staticmethod
    def _remove(wish: Wish, people: People, facts: GroupFacts, identity: str, why: str) -> None:
        leaf = people.leaf_of(facts, identity)
        if leaf is not None and leaf.leaf != facts.own_leaf and leaf.leaf not in wish.removes:
            wish.removes.append(leaf.leaf)
            seat = people.seat_of(identity)
            if seat is not None:
                wish.removed.append({"seat": seat.id, "why": why})
