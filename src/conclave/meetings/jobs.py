"""What meetings do by themselves: follow the engine's events, and reconcile every 30 seconds.

Events only mark a room as changed; one task asks the engine and stores what it says. So a flood of
joins costs one write a round, and signalling never waits for the database.
"""

from __future__ import annotations

import asyncio

import structlog

from conclave.kernel.app import App
from conclave.kernel.changes import Changes
from conclave.kernel.errors import Unavailable
from conclave.kernel.ids import is_id
from conclave.kernel.tasks import Tasks
from conclave.media.engine import RoomEvent
from conclave.meetings import policy, service

RECONCILE_S = 30.0

log = structlog.get_logger()


class Follower:
    def __init__(self, app: App) -> None:
        self._app = app
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()
        self._tasks = Tasks()

    async def note(self, event: RoomEvent) -> None:
        """The engine's room listener."""
        if is_id(policy.PREFIX, event.room):
            self._changed.add(event.room)
            self._settled.clear()
            self._wake.set()

    async def start(self) -> None:
        await self._reconcile()
        self._tasks.start(self._follow(), "meetings follow")
        self._tasks.start(self._keep_true(), "meetings reconcile")

    async def stop(self) -> None:
        stopping = asyncio.create_task(self._tasks.stop())
        await asyncio.sleep(0)  # `_follow` sees it when it wakes
        self._wake.set()
        await stopping

    async def settled(self) -> None:
        """Wait until all noted changes are stored."""
        await self._settled.wait()

    async def _follow(self) -> None:
        while not self._tasks.stopping:
            await self._wake.wait()
            self._wake.clear()
            rooms, self._changed = self._changed, set()
            for room in rooms:
                try:
                    await service.follow(self._app, room)
                except Exception as error:  # the next round of reconciling makes it good
                    _report("a room could not be followed", error)
            if not self._changed:
                self._settled.set()

    async def _keep_true(self) -> None:
        changes = Changes(self._app.db)
        while True:
            await self._tasks.pause(RECONCILE_S)
            if self._tasks.stopping:
                return
            if not changes.may_have_come() and not await self._has_rooms():
                continue
            if await self._reconcile():
                changes.forget()
            try:
                await self._app.outbox.purge()
            except Exception as error:
                changes.forget()
                _report("old events could not be dropped", error)

    async def _has_rooms(self) -> bool:
        try:
            return bool(await service.rooms_of_meetings(self._app))
        except Exception as error:
            _report("rooms could not be listed", error)
            return True

    async def _reconcile(self) -> bool:
        """Whether there is something to keep true."""
        try:
            return await service.reconcile(self._app)
        except Exception as error:
            _report("meetings could not be reconciled", error)
            return True


def _report(message: str, error: Exception) -> None:
    log.warning(
        "meetings job failed",
        job=message,
        error=type(error).__name__,
        exc_info=not isinstance(error, Unavailable),
    )
