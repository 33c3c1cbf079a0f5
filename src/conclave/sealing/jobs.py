"""What the delivery service does by itself: says that this process lives, and ends what is over."""

from __future__ import annotations

import structlog

from conclave.kernel.changes import Changes
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
        # Both at once: an idle server is woken once for them, and asks its database nothing.
        changes = Changes(self._sealing.app.db)
        while not self._tasks.stopping:
            if changes.may_have_come() and not await self._round():
                changes.forget()
            await self._tasks.pause(BEAT_S)

    async def _round(self) -> bool:
        """Whether the next would do nothing if nothing changes until then."""
        is_settled = True
        for work in (self._sealing.beat, self._sealing.expire):
            try:
                is_settled &= not await work()
            except Exception as error:  # the next round makes it good
                is_settled = False
                log.warning(
                    "sealing job failed",
                    job=work.__name__,
                    error=type(error).__name__,
                    exc_info=not isinstance(error, Unavailable),
                )
        return is_settled
