"""Which delivery is due: a lane for each receiver and room, in order, without I/O.

The head of a lane holds up its own lane alone; a receiver gets a bounded number of requests at a
time. Time is the monotonic clock's, given by the caller. Must never reorder a lane.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

REQUESTS_PER_URL = 8
WAITING_PER_URL = 10_000
MAX_ATTEMPTS = 20
MAX_AGE = timedelta(hours=24)
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 600.0


@dataclass(slots=True, eq=False)
class Delivery:
    """One event for one receiver."""

    seq: int
    url: str
    room: str
    created_at: datetime
    attempts: int = 0

    def is_hopeless(self, now: datetime) -> bool:
        return self.attempts >= MAX_ATTEMPTS or now - self.created_at >= MAX_AGE


def pause_after(attempts: int) -> float:
    """Seconds until the next attempt: 1, 2, 4, … 600."""
    return min(FIRST_PAUSE_S * 2.0 ** min(attempts - 1, 20), LONGEST_PAUSE_S)


class Lanes:
    def __init__(self) -> None:
        self._lanes: dict[tuple[str, str], deque[Delivery]] = {}
        self._heads: dict[str, list[tuple[float, int, Delivery]]] = {}
        self._in_flight: dict[str, int] = {}
        self._waiting: dict[str, int] = {}

    def __len__(self) -> int:
        return sum(self._waiting.values())

    def has_room(self, url: str, *, beyond: int = 0) -> bool:
        """May one more wait for this receiver, besides `beyond` that are about to be added?"""
        return self._waiting.get(url, 0) + beyond < WAITING_PER_URL

    def add(self, delivery: Delivery, tick: float) -> None:
        """To the end of its lane. Deliveries come in the order of their `seq`."""
        lane = self._lanes.setdefault((delivery.url, delivery.room), deque())
        lane.append(delivery)
        self._waiting[delivery.url] = self._waiting.get(delivery.url, 0) + 1
        if len(lane) == 1:
            self._line_up(delivery, tick)

    def take(self, tick: float) -> list[Delivery]:
        """Everything that may be sent now; each comes back by `done` or `put_back`."""
        taken = []
        for url, heads in self._heads.items():
            while heads and heads[0][0] <= tick and self._in_flight.get(url, 0) < REQUESTS_PER_URL:
                taken.append(heapq.heappop(heads)[2])
                self._in_flight[url] = self._in_flight.get(url, 0) + 1
        return taken

    def done(self, delivery: Delivery, tick: float) -> None:
        """Delivered or given up: the next one of its lane may go."""
        self._in_flight[delivery.url] -= 1
        self._waiting[delivery.url] -= 1
        key = (delivery.url, delivery.room)
        lane = self._lanes[key]
        lane.popleft()
        if lane:
            self._line_up(lane[0], tick)
        else:
            del self._lanes[key]

    def put_back(self, delivery: Delivery, tick: float) -> None:
        """To the head of its lane, until after its pause."""
        self._in_flight[delivery.url] -= 1
        self._line_up(delivery, tick + pause_after(delivery.attempts))

    def is_quiet(self, tick: float) -> bool:
        """Nothing is under way and nothing is due."""
        return not any(self._in_flight.values()) and not any(
            heads and heads[0][0] <= tick for heads in self._heads.values()
        )

    def _line_up(self, delivery: Delivery, due: float) -> None:
        heads = self._heads.setdefault(delivery.url, [])
        heapq.heappush(heads, (due, delivery.seq, delivery))
