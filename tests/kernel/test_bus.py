"""The bus in memory: delivery, bounds, ends."""

from __future__ import annotations

import asyncio

import pytest

from conclave.kernel.bus import MemoryBus

pytestmark = pytest.mark.unit


async def test_messages_reach_whoever_listens_to_the_topic() -> None:
    bus = MemoryBus()
    one, two, other = bus.subscribe("a"), bus.subscribe("a"), bus.subscribe("b")
    await bus.publish("a", {"n": 1})
    assert await one.next() == {"n": 1}
    assert await two.next() == {"n": 1}
    await bus.publish("b", {"n": 2})
    assert await other.next() == {"n": 2}
    await bus.publish("nobody listens", {"n": 3})


async def test_who_falls_behind_gets_nothing_more() -> None:
    bus = MemoryBus()
    slow = bus.subscribe("a", limit=2)
    quick = bus.subscribe("a", limit=10)
    for number in range(3):
        await bus.publish("a", {"n": number})
    assert slow.overflowed
    assert await slow.next() is None
    assert [await quick.next() for _ in range(3)] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert not quick.overflowed


async def test_closing_ends_a_waiting_reader() -> None:
    bus = MemoryBus()
    subscription = bus.subscribe("a")
    reader = asyncio.create_task(subscription.next())
    await asyncio.sleep(0)
    await bus.close()
    assert await reader is None
    assert await subscription.next() is None
    assert not subscription.overflowed
    await bus.publish("a", {"n": 1})
