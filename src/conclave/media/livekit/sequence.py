"""Work in order per room: what concerns one room waits for one another, rooms do not.

Bounded: over `MAX_WAITING` jobs `put` refuses, and its caller lets the other side try again. Must
never hold a room for which nothing waits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from conclave.kernel.errors import Unavailable

Job = Callable[[], Awaitable[None]]
MAX_WAITING = 10_000

log = structlog.get_logger()


class Sequence:
    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        self._max_waiting = max_waiting
        self._waiting = 0
        self._queues: dict[str, deque[Job]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def rooms(self) -> int:
        """Rooms with work to do."""
        return len(self._queues)

    def put(self, room: str, job: Job) -> None:
        """Raises `Unavailable` when too much waits already."""
        if self._waiting >= self._max_waiting:
            msg = "too many room events are waiting; please send this one again"
            raise Unavailable(msg)
        self._waiting += 1
        queue = self._queues.get(room)
        if queue is not None:
            queue.append(job)
            return
        self._queues[room] = deque([job])
        task = asyncio.create_task(self._work(room), name="room events")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def run(self, room: str, job: Job) -> None:
        """Wait until the job has had its turn and is done."""
        done = asyncio.Event()

        async def signalled() -> None:
            try:
                await job()
            finally:
                done.set()

        self.put(room, signalled)
        await done.wait()

    async def idle(self) -> None:
        """Wait until nothing waits."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    async def stop(self, patience: float) -> None:
        """Let what waits be done, at most `patience` seconds, and end the rest."""
        if self._tasks:
            _, late = await asyncio.wait(set(self._tasks), timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._queues.clear()
        self._waiting = 0

    async def _work(self, room: str) -> None:
        queue = self._queues[room]
        try:
            while queue:
                job = queue.popleft()
                self._waiting -= 1
                try:
                    await job()
                except Exception:
                    log.exception("room event could not be handled")
        finally:
            if self._queues.get(room) is queue:
                del self._queues[room]
