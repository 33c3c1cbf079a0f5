"""Lanes: order, pauses, bounds, whatever happens in whichever order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conclave.media.webhooks.lanes import (
    LONGEST_PAUSE_S,
    MAX_AGE,
    MAX_ATTEMPTS,
    REQUESTS_PER_URL,
    WAITING_PER_URL,
    Delivery,
    Lanes,
    pause_after,
)

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def _delivery(seq: int, url: str = "u", room: str = "r") -> Delivery:
    return Delivery(seq, url, room, NOW)


def test_a_lane_goes_one_by_one() -> None:
    lanes = Lanes()
    for seq in (1, 2):
        lanes.add(_delivery(seq), 0)
    (first,) = lanes.take(0)
    assert first.seq == 1
    assert lanes.take(0) == []
    lanes.done(first, 0)
    assert [d.seq for d in lanes.take(0)] == [2]


def test_a_failing_head_holds_up_its_own_lane_alone() -> None:
    lanes = Lanes()
    for seq, room in enumerate(("a", "b", "a"), 1):
        lanes.add(_delivery(seq, room=room), 0)
    first, other = lanes.take(0)
    first.attempts = 1
    lanes.put_back(first, 0)
    lanes.done(other, 0)
    assert lanes.take(0.9) == []
    assert lanes.is_quiet(0.9)
    assert not lanes.is_quiet(1)
    assert [d.seq for d in lanes.take(1)] == [1]


def test_a_receiver_gets_a_bounded_number_at_a_time() -> None:
    lanes = Lanes()
    for seq in range(20):
        lanes.add(_delivery(seq, room=str(seq)), 0)
        lanes.add(_delivery(100 + seq, url="other", room=str(seq)), 0)
    taken = lanes.take(0)
    assert sum(d.url == "u" for d in taken) == REQUESTS_PER_URL
    assert sum(d.url == "other" for d in taken) == REQUESTS_PER_URL
    lanes.done(taken[0], 0)
    assert len(lanes.take(0)) == 1


def test_what_waits_is_bounded() -> None:
    lanes = Lanes()
    for seq in range(WAITING_PER_URL - 1):
        lanes.add(_delivery(seq), 0)
    assert lanes.has_room("u")
    assert not lanes.has_room("u", beyond=1)
    assert lanes.has_room("other")


def test_pauses_grow_and_are_bounded() -> None:
    pauses = [pause_after(attempt) for attempt in range(1, MAX_ATTEMPTS + 1)]
    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE_S


def test_what_is_hopeless() -> None:
    delivery = _delivery(1)
    assert not delivery.is_hopeless(NOW + MAX_AGE - timedelta(seconds=1))
    assert delivery.is_hopeless(NOW + MAX_AGE)
    delivery.attempts = MAX_ATTEMPTS
    assert delivery.is_hopeless(NOW)


@given(st.lists(st.tuples(st.sampled_from("uv"), st.sampled_from("abc"))), st.randoms())
def test_every_delivery_comes_once_and_in_its_lanes_order(
    keys: list[tuple[str, str]], random: Random
) -> None:
    lanes, tick, finished = Lanes(), 0.0, []
    waiting = [_delivery(seq, url, room) for seq, (url, room) in enumerate(keys)]
    under_way: list[Delivery] = []
    while waiting or under_way or not lanes.is_quiet(tick + LONGEST_PAUSE_S):
        for _ in range(random.randint(0, 3)):
            if waiting:
                lanes.add(waiting.pop(0), tick)
        under_way += lanes.take(tick)
        if under_way:
            delivery = under_way.pop(random.randrange(len(under_way)))
            delivery.attempts += 1
            if random.random() < 0.6:
                lanes.done(delivery, tick)
                finished.append(delivery)
            else:
                lanes.put_back(delivery, tick)
        else:
            tick += LONGEST_PAUSE_S
    assert len(lanes) == 0
    assert sorted(d.seq for d in finished) == list(range(len(keys)))
    for key in set(keys):
        seqs = [d.seq for d in finished if (d.url, d.room) == key]
        assert seqs == sorted(seqs)
