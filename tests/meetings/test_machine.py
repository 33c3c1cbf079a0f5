"""The rules of a meeting's life, on their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conclave.meetings.machine import (
    Keeping,
    Lifetimes,
    Occupancy,
    counted,
    end_reason,
    unkept,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Lifetimes(empty=timedelta(minutes=60), unused=timedelta(hours=24))
ORDINARY = Keeping()


def test_somebody_there_keeps_it_open() -> None:
    occupied = counted(Occupancy(0, None, NOW), 2, NOW + timedelta(hours=1))
    assert occupied == Occupancy(2, NOW + timedelta(hours=1), None)
    assert end_reason(occupied, ORDINARY, RULES, NOW + timedelta(days=365)) is None


def test_the_hour_counts_from_when_the_last_one_left() -> None:
    left = counted(Occupancy(1, NOW, None), 0, NOW + timedelta(hours=2))
    assert left.empty_since_at == NOW + timedelta(hours=2)
    assert counted(left, 0, NOW + timedelta(hours=3)) == left, "hearing it again changes nothing"
    assert end_reason(left, ORDINARY, RULES, NOW + timedelta(hours=2, minutes=59)) is None
    assert end_reason(left, ORDINARY, RULES, NOW + timedelta(hours=3)) == "empty"


def test_one_that_nobody_joined_is_kept_for_longer() -> None:
    unused = Occupancy(0, None, NOW)
    assert end_reason(unused, ORDINARY, RULES, NOW + timedelta(hours=23)) is None
    assert end_reason(unused, ORDINARY, RULES, NOW + timedelta(hours=24)) == "unused"


LATER = NOW + timedelta(days=30)
KEPT = Keeping("until", LATER)


def test_one_that_is_kept_waits_for_its_time() -> None:
    unused = Occupancy(0, None, NOW)
    assert end_reason(unused, KEPT, RULES, LATER - timedelta(seconds=1)) is None
    assert end_reason(unused, KEPT, RULES, LATER) == "over"


def test_who_is_there_at_the_end_of_its_time_stays_and_may_come_back() -> None:
    there = Occupancy(1, NOW, None)
    assert end_reason(there, KEPT, RULES, LATER + timedelta(days=1)) is None
    left = counted(there, 0, LATER + timedelta(days=1))
    assert end_reason(left, KEPT, RULES, LATER + timedelta(days=1, minutes=59)) is None
    assert end_reason(left, KEPT, RULES, LATER + timedelta(days=1, hours=1)) == "over"


def test_one_without_end_never_ends_by_itself() -> None:
    unused = Occupancy(0, None, NOW)
    assert end_reason(unused, Keeping("always"), RULES, NOW + timedelta(days=36_500)) is None


def test_a_plan_taken_back_begins_the_ordinary_times_anew() -> None:
    now = NOW + timedelta(days=9)
    used = unkept(Occupancy(0, NOW, NOW), now)
    assert end_reason(used, ORDINARY, RULES, now) is None
    assert end_reason(used, ORDINARY, RULES, now + timedelta(hours=1)) == "empty"
    unused = unkept(Occupancy(0, None, NOW), now)
    assert end_reason(unused, ORDINARY, RULES, now + timedelta(hours=23)) is None
    assert end_reason(unused, ORDINARY, RULES, now + timedelta(hours=24)) == "unused"
    there = Occupancy(2, NOW, None)
    assert unkept(there, now) == there


moments = st.timedeltas(timedelta(0), timedelta(days=900)).map(lambda after: NOW + after)
keepings = st.one_of(
    st.just(ORDINARY),
    st.just(Keeping("always")),
    moments.map(lambda until: Keeping("until", until)),
)
counts = st.lists(st.tuples(moments, st.integers(0, 3)), max_size=8).map(sorted)


@given(keepings, counts, moments)
def test_what_holds_whatever_happens(
    keeping: Keeping, history: list[tuple[datetime, int]], now: datetime
) -> None:
    occupancy = Occupancy(0, None, NOW)
    for at, participants in history:
        occupancy = counted(occupancy, participants, at)
    reason = end_reason(occupancy, keeping, RULES, now)
    if occupancy.participants > 0 or keeping.keep == "always":
        assert reason is None, "nobody is put out, and what has no end goes on"
    if keeping.until is not None and now < keeping.until:
        assert reason is None, "not before its time"
    if keeping.until is not None and reason is not None:
        assert reason == "over"
        assert end_reason(occupancy, keeping, RULES, now + timedelta(days=1)) == "over"
    if keeping == ORDINARY:
        assert reason in {None, "empty", "unused"}
