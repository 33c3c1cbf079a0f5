"""The bus: hints between tasks and, on more than one machine, between processes.

A message may be lost when its receiver is slow or away; the truth is in the database. Must never
carry what cannot be read again from rows. Queues are bounded: a subscription that falls behind is
marked `overflowed` and gets nothing more, its owner starts again from rows.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

Message = Mapping[str, Any]


class Subscription(Protocol):
    @property
    def overflowed(self) -> bool: ...
    async def next(self) -> Message | None:
        """The next message; None once the subscription is closed or has overflowed."""

    def close(self) -> None: ...


class Bus(Protocol):
    async def publish(self, topic: str, message: Message) -> None: ...
    def subscribe(self, *topics: str, limit: int = 256) -> Subscription: ...
    async def close(self) -> None: ...


class MemorySubscription:
    def __init__(self, bus: MemoryBus, topics: Sequence[str], limit: int) -> None:
        self._bus = bus
        self._topics = topics
        self._limit = limit
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue()
        self._overflowed = False
        self._closed = False

    @property
    def overflowed(self) -> bool:
        return self._overflowed

    def offer(self, message: Message) -> None:
        if self._closed:
            return
        if self._queue.qsize() >= self._limit:
            self._overflowed = True
            self.close()
            return
        self._queue.put_nowait(message)

    async def next(self) -> Message | None:
        if self._overflowed or (self._closed and self._queue.empty()):
            return None
        message = await self._queue.get()
        return None if self._overflowed else message

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for topic in self._topics:
            self._bus.forget(topic, self)
        self._queue.put_nowait(None)


class MemoryBus:
    """One process: delivery is a queue append."""

    def __init__(self) -> None:
        self._topics: defaultdict[str, set[MemorySubscription]] = defaultdict(set)

    async def publish(self, topic: str, message: Message) -> None:
        for subscription in tuple(self._topics.get(topic, ())):
            subscription.offer(message)

    def subscribe(self, *topics: str, limit: int = 256) -> MemorySubscription:
        subscription = MemorySubscription(self, topics, limit)
        for topic in topics:
            self._topics[topic].add(subscription)
        return subscription

    def forget(self, topic: str, subscription: MemorySubscription) -> None:
        members = self._topics.get(topic)
        if members is not None:
            members.discard(subscription)
            if not members:
                del self._topics[topic]

    async def close(self) -> None:
        for members in list(self._topics.values()):
            for subscription in tuple(members):
                subscription.close()
