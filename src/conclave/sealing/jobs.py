"""What the delivery service does by itself: says that this process lives, and ends what is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from conclave.kernel.errors import Unavailable
from conclave.kernel.tasks import Tasks
from conclave.sealing.service import Sealing

BEAT_S = 15.0

log = structlog.get_logger()


class Janitor:
    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing
        self._tasks = Tasks()

    async def start(self) -> None:
        await self._sealing.restarted()
        self._tasks.start(self._rounds(), "sealing rounds")

    async def stop(self) -> None:
        await self._sealing.close()
        await self._tasks.stop()

    async def _rounds(self) -> None:
        # Both at once: the processor of an idle server is woken once.
        while not self._tasks.stopping:
            await self._try(self._sealing.beat)
            await self._try(self._sealing.expire)
            await self._tasks.pause(BEAT_S)

    async def _try(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # the next round makes it good
            log.warning(
                "sealing job failed",
                job=work.__name__,
                error=type(error).__name__,
                exc_info=not isinstance(error, Unavailable),
            )
