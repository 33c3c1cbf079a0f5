"""The rules of a meeting's life, on their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from conclave.meetings.machine import Lifetimes, Occupancy, counted, end_reason

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Lifetimes(empty=timedelta(minutes=60), unused=timedelta(hours=24))


def test_somebody_there_keeps_it_open() -> None:
    occupied = counted(Occupancy(0, None, NOW), 2, NOW + timedelta(hours=1))
    assert occupied == Occupancy(2, NOW + timedelta(hours=1), None)
    assert end_reason(occupied, RULES, NOW + timedelta(days=365)) is None


def test_the_hour_counts_from_when_the_last_one_left() -> None:
    left = counted(Occupancy(1, NOW, None), 0, NOW + timedelta(hours=2))
    assert left.empty_since_at == NOW + timedelta(hours=2)
    assert counted(left, 0, NOW + timedelta(hours=3)) == left, "hearing it again changes nothing"
    assert end_reason(left, RULES, NOW + timedelta(hours=2, minutes=59)) is None
    assert end_reason(left, RULES, NOW + timedelta(hours=3)) == "empty"


def test_one_that_nobody_joined_is_kept_for_longer() -> None:
    unused = Occupancy(0, None, NOW)
    assert end_reason(unused, RULES, NOW + timedelta(hours=23)) is None
    assert end_reason(unused, RULES, NOW + timedelta(hours=24)) == "unused"
