"""The rules of a meeting's life and of names, on their own."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conclave.kernel.errors import Invalid
from conclave.meetings.machine import Lifetimes, Occupancy, counted, display_name, end_reason

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULES = Lifetimes(empty=timedelta(minutes=60), unused=timedelta(hours=24))

GOOD = [
    ("Ada", "Ada"),
    ("  Ada  ", "Ada"),
    ("Ada\u00a0 Lovelace", "Ada Lovelace"),
    ("Zoe\u0308", "Zo\u00eb"),
    ("李小龍", "李小龍"),
    ("می\u200cخوری", "می\u200cخوری"),
    ("👩‍👧", "👩‍👧"),
    ("नमस्ते", "नमस्ते"),
    ("O'Brien-Smith (IT)", "O'Brien-Smith (IT)"),
    ("a" * 60, "a" * 60),
]
BAD = [
    "",
    "   ",
    "\u00a0\u2003",
    "a" * 61,
    "A\x00da",
    "A\nda",
    "\tAda",
    "A\x7fda",
    "A\u0085da",
    "\u202eada",
    "Ada\u2066",
    "Ada\u200e",
    "A\u061cda",
    "\ufeffAda",
    "Ada\u2028x",
    "\ud800",
    "\ue000",
    "\uffff",
    "\U000e0041",
    "\u200d",
    "\u3164",
    "\u2800",
    "a" + "\u0301" * 6,
    "\u0301",
]


@pytest.mark.parametrize(("text", "shown"), GOOD)
def test_names_of_people_are_taken(text: str, shown: str) -> None:
    assert display_name(text) == shown


@pytest.mark.parametrize("text", BAD)
def test_names_that_hide_or_deceive_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        display_name(text)
    assert refused.value.code == "name"


@given(st.text())
def test_a_taken_name_is_safe_and_stays_itself(text: str) -> None:
    try:
        name = display_name(text)
    except Invalid:
        return
    assert 1 <= len(name) <= 60
    assert name == name.strip()
    assert display_name(name) == name
    name.encode()
    for character in name:
        assert unicodedata.bidirectional(character) not in {
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI", "B", "S",
        }  # fmt: skip


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
