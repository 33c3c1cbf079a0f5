"""Tasks that run beside requests, and how they end.

They are asked to finish what they do and only then cancelled: a task cancelled in the middle of a
database call costs the connection. A task's loop asks `stopping` and waits with `pause`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

PATIENCE_S = 3.0


class Tasks:
    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    @property
    def stopping(self) -> bool:
        return self._stop.is_set()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> None:
        self._running.add(asyncio.create_task(work, name=name))

    async def pause(self, seconds: float) -> None:
        """Wait that long, or until the end."""
        await wait_at_most(self._stop, seconds)

    async def stop(self) -> None:
        self._stop.set()
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=PATIENCE_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running.clear()


async def wait_at_most(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
