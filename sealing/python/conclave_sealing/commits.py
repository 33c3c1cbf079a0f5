"""What the next commit holds: knocks to add, seats to take out, a policy to change.

Pure, but for the wall clock that tells whether an invitation has expired. Must never put into one
commit, under the link's PSK, somebody who does not hold the link; nor let in by itself whose
invitation the server does not vouch for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cached_property

from conclave_sealing._mls import GroupFacts
from conclave_sealing.context import MeetingContext
from conclave_sealing.invitation import Invitation
from conclave_sealing.judge import (
    Role,
    counting,
    holders,
    is_host,
    is_same,
    is_shut,
    role_of,
)
from conclave_sealing.knock import Guest
from conclave_sealing.people import TURN_S, People

SPACING_S = 0.3


@dataclass(slots=True)
class AtDoor:
    guest: Guest
    since: float
    bound: bytes | None = None
    """The device key to which the server says the invitation is bound."""
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


class _View:
    """A group as the door looks at it, read once for all who stand there."""

    def __init__(self, facts: GroupFacts, people: People) -> None:
        self.context = MeetingContext.read(facts.meeting)
        self.own_leaf = facts.own_leaf
        self.leaves = {leaf.signature_key: leaf for leaf in facts.roster}
        self._people = people

    @cached_property
    def held(self) -> Collection[bytes]:
        """Keys of the invitations in the tree."""
        return holders(self.leaves.values()).keys()

    @cached_property
    def is_led(self) -> bool:
        """A host or co-host is here and connected."""
        live = {seat.identity for seat in self._people.seats.values() if seat.state == "live"}
        return self.context is not None and any(
            role_of(leaf, self.context) != "member" and self._people.identity(leaf) in live
            for leaf in self.leaves.values()
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
        view = _View(facts, people)
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
        """May come in without anybody's word: because the leaf is still there, by the link, or by
        an invitation on its own device."""
        newcomer = entry.guest.facts
        context = view.context
        if context is None or newcomer.signature_key in people.banned:
            return False
        old = view.leaves.get(newcomer.signature_key)
        if old is not None:
            is_back = is_same(old, newcomer) and not is_shut(newcomer, context)
            return is_back and old.leaf != view.own_leaf
        if not entry.guest.has_proof or people.linkless or is_shut(newcomer, context):
            return False
        is_closed = context.policy.is_locked or people.is_leader_lost
        if is_closed or is_host(newcomer, context):
            return is_host(newcomer, context)
        is_open = context.policy.entry == "open"
        if newcomer.invitation is None:
            return is_open
        return (is_open or view.is_led) and self._is_good(entry, view)

    def _is_good(self, entry: AtDoor, view: _View) -> bool:
        """An invitation that counts, has not expired, and is this device's and no other's."""
        invitation = view.counting(entry.guest)
        return (
            invitation is not None
            and not invitation.is_over(self.wall())
            and entry.bound == entry.guest.facts.signature_key
            and invitation.key not in view.held
        )

    def wish(self, people: People, facts: GroupFacts, role: Role, now: float) -> Wish:
        wish = Wish()
        turn = people.turn(facts) * TURN_S
        view = _View(facts, people)
        if self.meeting is not None and role != "member":
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
                if invitation.key in invitations and not entry.is_admitted:
                    # The server vouches for two devices of one invitation: the second waits.
                    continue
                invitations.add(invitation.key)
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
