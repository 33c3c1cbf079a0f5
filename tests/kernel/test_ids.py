"""Ids: their form, what they tell, and that nothing else passes for one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conclave.kernel.ids import is_id, new_id, unguessable_id

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 1, tzinfo=UTC)
_TIMES = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(9000, 1, 1))  # noqa: DTZ001


@given(_TIMES)
def test_made_ids_are_ids(at: datetime) -> None:
    assert is_id("usr", new_id("usr", at.replace(tzinfo=UTC)))
    assert is_id("mtg", unguessable_id("mtg"))


def test_they_sort_by_time() -> None:
    ids = [new_id("evt", NOW + timedelta(milliseconds=step)) for step in range(200)]
    assert ids == sorted(ids)
    assert len(set(ids)) == 200


def test_they_are_uuids_of_version_7() -> None:
    body = new_id("usr", NOW).partition("_")[2]
    value = 0
    for character in body:
        value = value * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(character)
    assert value >> 80 == int(NOW.timestamp() * 1000)
    assert value >> 76 & 0xF == 7
    assert value >> 62 & 0b11 == 0b10
    assert value.bit_length() <= 128


def test_a_meeting_id_tells_no_time() -> None:
    firsts = {unguessable_id("mtg")[4:9] for _ in range(200)}
    assert len(firsts) > 150


@given(st.text())
def test_whatever_passes_has_the_form(text: str) -> None:
    if is_id("mtg", text):
        assert text.isascii()
        assert len(text) == 30


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mtg",
        "mtg_",
        "_" + "0" * 26,
        "mtg_" + "0" * 25,
        "mtg_" + "0" * 27,
        "mtg_8" + "0" * 25,
        "mtg_" + "0" * 25 + "\n",
        "mtg_" + "0" * 25 + "i",
        "mtg_" + "0" * 25 + "O",
        "mtg-" + "0" * 26,
        "usr_" + "0" * 26,
        "mtg_" + "\u0660" * 26,
    ],
)
def test_near_misses_do_not_pass(text: str) -> None:
    assert not is_id("mtg", text)
