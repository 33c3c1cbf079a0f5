"""`/api/v1/meetings/{meeting_id}/sealing`: the socket's two directions, pings, and how it ends.

Must never log what passes through it.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from conclave.accounts import maybe_actor
from conclave.kernel.app import App, current_app
from conclave.kernel.errors import ConclaveError, LimitReached, Unavailable
from conclave.kernel.http import check_origin, source
from conclave.kernel.problems import problem_of
from conclave.kernel.ratelimit import Rate
from conclave.kernel.slices import guarded
from conclave.sealing import frames, store
from conclave.sealing.connections import (
    LATER,
    RESTART,
    VIOLATION,
    Goodbye,
    Knocks,
    OutboundEntry,
    Welcome,
)
from conclave.sealing.doorkeeper import Entry
from conclave.sealing.room import Room
from conclave.sealing.service import Sealing
from conclave.sealing.session import Session
from conclave.sealing.state import Knock

HELLO_S = 5.0
_MINUTE = 60.0
_RETRY_MS = (500, 5_000)
# Tabs at the door of one meeting, beside its members: both limits of the settings, and a spare.
_SPARE = 20

log = structlog.get_logger()


@guarded("the meeting's doorkeeper")
async def sealing_socket(websocket: WebSocket) -> None:
    app = await current_app(websocket)
    sealing = app.use(Sealing)
    meeting_id = websocket.path_params["meeting_id"]
    try:
        entry = await _admit(app, sealing, websocket, meeting_id)
    except ConclaveError as error:
        sealing.metrics.refusals.labels(error.code).inc()
        await websocket.send_denial_response(problem_of(error))
        return
    sealing.metrics.sockets.inc()
    try:
        await websocket.accept()
        async with sealing.room(entry.org_id, meeting_id) as room:
            await _Socket(sealing, websocket, room, entry).run()
    except (WebSocketDisconnect, RuntimeError, OSError):
        # The client is gone; Starlette raises RuntimeError for a send after that.
        pass
    finally:
        sealing.metrics.sockets.dec()


async def _admit(app: App, sealing: Sealing, websocket: WebSocket, meeting_id: str) -> Entry:
    # Browsers let any page open a socket and send our cookie along: the origin decides.
    check_origin(app, websocket)
    settings = app.settings.sealing
    app.limiter.hit(
        "sealing_sockets", source(websocket), Rate(settings.sockets_per_source, _MINUTE)
    )
    entry = await sealing.entry(meeting_id, await maybe_actor(websocket, app))
    most = settings.members + settings.waiting + _SPARE
    is_full = sealing.sockets_of(meeting_id) >= most
    if is_full and not sealing.make_room(meeting_id, source(websocket)):
        raise LimitReached("Too many are at this meeting's door. Please try again in a moment.")
    return entry


class _Socket:
    def __init__(self, sealing: Sealing, websocket: WebSocket, room: Room, entry: Entry) -> None:
        self._sealing = sealing
        self._websocket = websocket
        self._room = room
        self._ping_s = sealing.ping_s
        self._session = Session(sealing, room, entry, source(websocket), ping_s=self._ping_s)

    async def run(self) -> None:
        reading = asyncio.create_task(self._read())
        writing = asyncio.create_task(self._write())
        closing = asyncio.create_task(self._sealing.closing.wait())
        try:
            done, _ = await asyncio.wait(
                {reading, writing, closing}, return_when=asyncio.FIRST_COMPLETED
            )
            if reading in done and self._session.outbound.is_ended:
                await asyncio.wait({writing}, timeout=self._sealing.send_timeout_s)
            elif closing in done and writing not in done:
                self._session.outbound.end(Goodbye(RESTART, "shutdown"))
                await asyncio.wait({writing}, timeout=1.0)
        finally:
            await self._let_go()
            for task in (reading, writing, closing):
                task.cancel()
            results = await asyncio.gather(reading, writing, closing, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and not isinstance(
                result, WebSocketDisconnect | RuntimeError | OSError
            ):
                log.error("sealing socket failed", exc_info=result)
        with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
            await self._close(LATER)

    async def _let_go(self) -> None:
        connection = self._session.connection
        if connection is None:
            return
        self._room.let_go(connection)
        if connection.instance is not None:
            connection.place = "gone"
            await self._sealing.disconnect(self._room, connection.seat, connection.number)

    # --- in
    async def _read(self) -> None:
        try:
            async with asyncio.timeout(HELLO_S):
                message = await self._websocket.receive()
        except TimeoutError:
            message = {"type": "websocket.receive", "text": None}
        while message["type"] != "websocket.disconnect":
            try:
                if not await self._session.receive(message.get("text")):
                    return
            except Unavailable:
                # The rows cannot be read now: not even a hello can be answered.
                self._session.outbound.end(Goodbye(LATER))
                return
            message = await self._websocket.receive()

    # --- out
    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        ping_at = loop.time() + self._ping_s
        outbound = self._session.outbound
        while True:
            # A timer for each frame would cost more than the frame.
            entry = outbound.take() if loop.time() < ping_at else None
            if entry is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(ping_at):
                        entry = await outbound.get()
            if entry is None:
                if self._session.pongs_owed >= 2:
                    await self._close(LATER)
                    return
                self._session.pongs_owed += 1
                ping_at = loop.time() + self._ping_s
                entry = frames.text("ping")
            if not await self._send(entry):
                return

    async def _send(self, entry: OutboundEntry) -> bool:
        match entry:
            case Goodbye():
                await self._bye(entry)
                return False
            case Welcome():
                return await self._welcome(entry)
            case Knocks():
                return await self._knocks()
            case _:
                return await self._send_text(entry)

    async def _send_text(self, text: str) -> bool:
        """False when the client does not take it in time: the socket is closed."""
        try:
            async with asyncio.timeout(self._sealing.send_timeout_s):
                await self._websocket.send_text(text)
        except TimeoutError:
            self._sealing.metrics.byes.labels("slow").inc()
            await self._close(LATER)
            return False
        return True

    async def _welcome(self, welcome: Welcome) -> bool:
        identity, role = frames.newcomer(welcome.frame)
        try:
            ticket = await self._sealing.ticket(self._room.meeting_id, identity, role)
        except ConclaveError:
            # It comes again after a resume.
            await self._bye(Goodbye(LATER))
            return False
        if not await self._send_text(frames.with_ticket(welcome.frame, ticket)):
            return False
        return await self._knocks()

    async def _knocks(self) -> bool:
        try:
            knocks = await asyncio.shield(self._open_knocks())
        except Unavailable:
            await self._bye(Goodbye(LATER))
            return False
        for seat, knock in knocks:
            if not await self._send_text(frames.knock(seat, knock)):
                return False
        return True

    async def _open_knocks(self) -> Sequence[tuple[str, Knock]]:
        async with self._sealing.app.db.read() as session:
            return await store.open_knocks(session, self._room.meeting_id)

    async def _bye(self, goodbye: Goodbye) -> None:
        if goodbye.reason:
            self._sealing.metrics.byes.labels(goodbye.reason).inc()
            # Jitter: a restart must not bring everybody back in the same instant.
            retry = random.randint(*_RETRY_MS)  # noqa: S311
            text = frames.text("bye", reason=goodbye.reason, retry_after_ms=retry)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._websocket.send_text(text)
        elif goodbye.code == VIOLATION:
            self._sealing.metrics.byes.labels("violation").inc()
        await self._close(goodbye.code)

    async def _close(self, code: int) -> None:
        if self._websocket.application_state is not WebSocketState.DISCONNECTED:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._websocket.close(code)
