"""Rules of a meeting's life, without clock, socket or database.

A meeting stays open while somebody is there, across restarts too. Left empty, it ends after
`empty`; one that nobody ever joined ends after `unused`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal


@dataclass(frozen=True, slots=True)
class Lifetimes:
    empty: timedelta
    unused: timedelta


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


def end_reason(
    occupancy: Occupancy, lifetimes: Lifetimes, now: datetime
) -> Literal["empty", "unused"] | None:
    """Why this meeting ends by itself now, if it does."""
    if occupancy.participants > 0 or occupancy.empty_since_at is None:
        return None
    empty_for = now - occupancy.empty_since_at
    if occupancy.joined_at is None:
        return "unused" if empty_for >= lifetimes.unused else None
    return "empty" if empty_for >= lifetimes.empty else None
