"""Rules of a meeting's life, without clock, socket or database.

A meeting stays open while somebody is there, across restarts too. Left empty, it ends after
`empty`; one that nobody ever joined ends after `unused`. One that is kept ends by itself when its
time is over, or never.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Keep = Literal["while-used", "until", "always"]


@dataclass(frozen=True, slots=True)
class Lifetimes:
    empty: timedelta
    unused: timedelta


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long a meeting is kept for what is planned in it."""

    keep: Keep = "while-used"
    until: datetime | None = None
    """Of `until` alone."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    participants: int
    joined_at: datetime | None
    empty_since_at: datetime | None


def counted(before: Occupancy, participants: int, now: datetime) -> Occupancy:
    """What is known after the engine has said how many are there."""
    if participants > 0:
        return Occupancy(participants, before.joined_at or now, None)
    return Occupancy(0, before.joined_at, before.empty_since_at or now)


def unkept(before: Occupancy, now: datetime) -> Occupancy:
    """The plan was taken back: from now on the ordinary rule holds, and its times begin anew."""
    if before.participants > 0:
        return before
    return Occupancy(0, before.joined_at, now)


def end_reason(
    occupancy: Occupancy, keeping: Keeping, lifetimes: Lifetimes, now: datetime
) -> Literal["empty", "unused", "over"] | None:
    """Why this meeting ends by itself now, if it does."""
    if occupancy.participants > 0 or occupancy.empty_since_at is None:
        return None
    empty_for = now - occupancy.empty_since_at
    if keeping.keep == "always":
        return None
    if keeping.keep == "until":
        if keeping.until is not None and now < keeping.until:
            return None
        # Whoever has just lost the connection may come back, also at the end of its time.
        return "over" if empty_for >= lifetimes.empty else None
    if occupancy.joined_at is None:
        return "unused" if empty_for >= lifetimes.unused else None
    return "empty" if empty_for >= lifetimes.empty else None
