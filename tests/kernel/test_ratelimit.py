"""Rate limits: how many, how they come back, and that memory stays bounded."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conclave.kernel.clock import ManualClock
from conclave.kernel.errors import LimitReached
from conclave.kernel.ratelimit import Rate, RateLimiter, shortened, source_of

pytestmark = pytest.mark.unit

RATE = Rate(5, 10.0)


def test_the_whole_amount_at_once_then_one_by_one() -> None:
    clock = ManualClock()
    limiter = RateLimiter(clock)
    for _ in range(5):
        limiter.hit("x", "a", RATE)
    with pytest.raises(LimitReached) as refused:
        limiter.hit("x", "a", RATE)
    assert refused.value.retry_after == pytest.approx(2.0)
    clock.advance(2.0)
    limiter.hit("x", "a", RATE)
    with pytest.raises(LimitReached):
        limiter.hit("x", "a", RATE)


def test_refused_attempts_do_not_make_it_longer() -> None:
    clock = ManualClock()
    limiter = RateLimiter(clock)
    for _ in range(100):
        with contextlib.suppress(LimitReached):
            limiter.hit("x", "a", RATE)
    clock.advance(2.0)
    limiter.hit("x", "a", RATE)


def test_names_and_keys_count_for_themselves() -> None:
    limiter = RateLimiter(ManualClock())
    for name in ("x", "y"):
        for key in ("a", "b"):
            for _ in range(5):
                limiter.hit(name, key, RATE)


@given(st.lists(st.floats(min_value=0, max_value=5), max_size=60))
def test_never_more_than_the_amount_within_any_period(pauses: list[float]) -> None:
    clock = ManualClock()
    limiter = RateLimiter(clock)
    taken: list[float] = []
    for pause in pauses:
        clock.advance(pause)
        try:
            limiter.hit("x", "a", RATE)
        except LimitReached:
            continue
        taken.append(clock.monotonic())
    for start in taken:
        # A burst of the whole amount, and what has come back during the period.
        assert (
            sum(1 for at in taken if start <= at < start + RATE.seconds - 0.01) <= 2 * RATE.amount
        )
    assert len(taken) <= RATE.amount + sum(pauses) / RATE.interval + 1


def test_memory_is_bounded() -> None:
    clock = ManualClock()
    limiter = RateLimiter(clock, capacity=100)
    for number in range(1_000):
        limiter.hit("x", str(number), RATE)
        assert len(limiter) <= 100
    clock.advance(60)
    for number in range(101):
        limiter.hit("x", f"later {number}", RATE)
    assert len(limiter) <= 101


@pytest.mark.parametrize(
    ("host", "source", "logged"),
    [
        ("203.0.113.9", "203.0.113.9", "203.0.113.0"),
        ("::ffff:203.0.113.9", "203.0.113.9", "203.0.113.0"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::"),
        ("fe80::1%eth0", "fe80::/64", "fe80::"),
        ("", "unknown", "-"),
        (None, "unknown", "-"),
        ("testclient", "unknown", "-"),
    ],
)
def test_addresses_are_grouped_and_shortened(host: str | None, source: str, logged: str) -> None:
    assert source_of(host) == source
    assert shortened(host) == logged
