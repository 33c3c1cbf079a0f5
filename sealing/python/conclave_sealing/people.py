"""Seats and leaves of one sitting: who is whose, who lives, whose turn it is to commit. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from conclave_sealing._mls import GroupFacts, LeafFacts
from conclave_sealing.keys import identity_of

TURN_S = 2.0
LOST_S = 30.0


@dataclass(slots=True)
class Seat:
    id: str
    identity: str
    state: str = "live"
    since: float = 0.0
    """Of the state."""


@dataclass(frozen=True, slots=True)
class Profile:
    name: str
    colour: int
    box: bytes


@dataclass
class People:
    instance: bytes
    own_seat: str
    seats: dict[str, Seat] = field(default_factory=dict)
    profiles: dict[bytes, Profile] = field(default_factory=dict)
    """By signature key."""
    linkless: set[bytes] = field(default_factory=set)
    """Members that do not hold the link yet: no Add with its PSK before they do."""
    banned: set[bytes] = field(default_factory=set)
    """Removed by a host in this sitting."""
    is_leader_lost: bool = False
    """The last who led lost their connection, and none is back: nobody comes in by themselves."""
    rosters: dict[int, dict[int, LeafFacts]] = field(default_factory=dict)
    """Of the present epoch and three back."""

    def enter(self, facts: GroupFacts) -> None:
        self.rosters = {
            epoch: roster for epoch, roster in self.rosters.items() if epoch > facts.epoch - 4
        }
        self.rosters[facts.epoch] = {leaf.leaf: leaf for leaf in facts.roster}

    def identity_of_key(self, signature_key: bytes) -> str:
        return identity_of(signature_key, self.instance)

    def identity(self, leaf: LeafFacts) -> str:
        return self.identity_of_key(leaf.signature_key)

    def leaf_of(self, facts: GroupFacts, identity: str) -> LeafFacts | None:
        return next((leaf for leaf in facts.roster if self.identity(leaf) == identity), None)

    def seat_of(self, identity: str) -> Seat | None:
        return next((seat for seat in self.seats.values() if seat.identity == identity), None)

    def admit(self, seat: str, identity: str, now: float) -> None:
        self.seats[seat] = Seat(seat, identity, since=now)

    def set_state(self, seat: str, state: str, now: float) -> None:
        found = self.seats.get(seat)
        if found is not None and found.state != state:
            found.state, found.since = state, now

    def turn(self, facts: GroupFacts) -> int:
        """How many live members come before us: the elected one has turn 0."""
        live = {seat.identity for seat in self.seats.values() if seat.state == "live"}
        return sum(
            1 for leaf in facts.roster if leaf.leaf < facts.own_leaf and self.identity(leaf) in live
        )

    def gone(self) -> Iterable[tuple[Seat, str, float]]:
        """Seats whose leaf has to go: why, and since when it could."""
        for seat in self.seats.values():
            if seat.state == "left":
                yield seat, "left", seat.since
            elif seat.state == "lost":
                yield seat, "lost", seat.since + LOST_S
