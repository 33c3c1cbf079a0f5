"""The realtime socket: what has happened, in order, to whoever may know it.

On connecting: `hello` with the newest sequence number, then what was missed since the number the
client has (from rows), then live. An event is for everybody in its organisation, or for one user
alone. A client that was away too long gets `resumed: false` and loads
the state anew. Each socket has a bounded queue; one that does not keep up is closed with `bye slow`
and comes back with its last number, so nothing is lost. Slices say with `show` which of their
domain events are seen here and in which shape. Must never send an event before it is committed.
Frames: docs/reference/http-api.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from conclave.kernel.bus import Bus, Subscription
from conclave.kernel.errors import Unavailable
from conclave.kernel.outbox import Outbox, StoredEvent

Shape = Callable[[Mapping[str, Any], str], Mapping[str, Any]]
"""`shape(payload, base_url)` gives the `data` of a frame."""

Audience = Callable[[Mapping[str, Any]], str]
"""`audience(payload)` gives the id of the one user who may see the event; "" is nobody."""

QUEUE_LIMIT = 256
REPLAY_LIMIT = 500
PING_S = 25.0
SEND_TIMEOUT_S = 10.0
FRAME_LIMIT = 1024
_RETRY_MS = (500, 5_000)

# Close codes (RFC 6455, 7.4.1 and IANA's registry).
_POLICY_VIOLATION = 1008
_SERVICE_RESTART = 1012
_TRY_AGAIN_LATER = 1013


class Realtime:
    def __init__(
        self,
        outbox: Outbox,
        bus: Bus,
        metrics: CollectorRegistry,
        *,
        ping_s: float = PING_S,
        queue_limit: int = QUEUE_LIMIT,
        send_timeout_s: float = SEND_TIMEOUT_S,
    ) -> None:
        self._outbox = outbox
        self._bus = bus
        self._ping_s = ping_s
        self._queue_limit = queue_limit
        self._send_timeout_s = send_timeout_s
        self._shapes: dict[str, Shape] = {}
        self._audiences: dict[str, Audience] = {}
        self._closing = asyncio.Event()
        self._sockets = 0
        self._all_gone = asyncio.Event()
        self._all_gone.set()
        self._gauge = Gauge("conclave_realtime_sockets", "Open realtime sockets", registry=metrics)
        self._byes = Counter(
            "conclave_realtime_byes_total",
            "Realtime sockets closed by the server, by reason",
            ["reason"],
            registry=metrics,
        )
        outbox.consume("realtime", self._shapes, self._publish, from_now=True)

    def show(self, event_type: str, shape: Shape, audience: Audience | None = None) -> None:
        """Events of this type are sent to the sockets of their organisation; with `audience` to
        those of one user in it."""
        self._shapes[event_type] = shape
        if audience is not None:
            self._audiences[event_type] = audience

    def _user_of(self, event: StoredEvent) -> str | None:
        audience = self._audiences.get(event.type)
        return None if audience is None else audience(event.payload)

    async def _publish(self, event: StoredEvent) -> None:
        await self._bus.publish(
            _topic(event.org_id, self._user_of(event)),
            {"seq": event.seq, "type": event.type, "payload": event.payload},
        )

    async def close(self, timeout_s: float = 2.0) -> None:
        """Say goodbye to every socket; new ones get it at once."""
        self._closing.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_gone.wait(), timeout_s)

    async def serve(
        self,
        websocket: WebSocket,
        *,
        org_id: str,
        user_id: str,
        base_url: str,
        since: int | None,
        still_allowed: Callable[[], Awaitable[bool]],
    ) -> None:
        """Run an admitted socket until either side ends it; each ping asks `still_allowed`."""
        # Subscribed before the rows are read: what is committed in between comes twice, not never.
        subscription = self._bus.subscribe(
            _topic(org_id, None), _topic(org_id, user_id), limit=self._queue_limit
        )
        self._sockets += 1
        self._all_gone.clear()
        self._gauge.inc()
        try:
            await websocket.accept()
            session = _Session(self, websocket, subscription, base_url)
            await session.run(org_id, user_id, since, still_allowed)
        except (WebSocketDisconnect, RuntimeError, OSError):
            # The client is gone; Starlette raises RuntimeError for a send after that.
            pass
        finally:
            subscription.close()
            self._gauge.dec()
            self._sockets -= 1
            if self._sockets == 0:
                self._all_gone.set()


class _Session:
    def __init__(
        self, hub: Realtime, websocket: WebSocket, subscription: Subscription, base_url: str
    ) -> None:
        self._hub = hub
        self._websocket = websocket
        self._subscription = subscription
        self._base_url = base_url
        self._sent = 0
        self._pongs_owed = 0

    async def run(
        self,
        org_id: str,
        user_id: str,
        since: int | None,
        still_allowed: Callable[[], Awaitable[bool]],
    ) -> None:
        hub = self._hub
        if hub._closing.is_set():
            await self._bye("shutdown", _SERVICE_RESTART)
            return
        if not await self._catch_up(org_id, user_id, since):
            return
        reading = asyncio.create_task(self._read())
        closing = asyncio.create_task(hub._closing.wait())
        message: asyncio.Task[Any] = asyncio.create_task(self._subscription.next())
        loop = asyncio.get_running_loop()
        ping_at = loop.time() + hub._ping_s
        try:
            while True:
                done, _ = await asyncio.wait(
                    {reading, closing, message},
                    timeout=max(0.0, ping_at - loop.time()),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if reading in done:
                    reading.result()
                    return
                if closing in done:
                    await self._bye("shutdown", _SERVICE_RESTART)
                    return
                if message in done:
                    if not await self._forward(message.result()):
                        return
                    message = asyncio.create_task(self._subscription.next())
                if loop.time() >= ping_at:
                    if not await self._ping(still_allowed):
                        return
                    ping_at = loop.time() + hub._ping_s
        finally:
            for task in (reading, closing, message):
                task.cancel()
            await asyncio.gather(reading, closing, message, return_exceptions=True)

    async def _catch_up(self, org_id: str, user_id: str, since: int | None) -> bool:
        outbox = self._hub._outbox
        if since is None:
            self._sent = await outbox.head()
            return await self._send({"t": "hello", "seq": self._sent, "resumed": False})
        head, events = await outbox.since(
            org_id, list(self._hub._shapes), since, limit=REPLAY_LIMIT
        )
        if not await self._send({"t": "hello", "seq": head, "resumed": events is not None}):
            return False
        for event in events or ():
            if self._hub._user_of(event) not in {None, user_id}:
                continue
            if not await self._send_event(event.seq, event.type, event.payload):
                return False
        self._sent = head
        return True

    async def _forward(self, message: Mapping[str, Any] | None) -> bool:
        if message is None:
            if self._subscription.overflowed:
                await self._bye("slow", _TRY_AGAIN_LATER)
            else:
                await self._bye("shutdown", _SERVICE_RESTART)
            return False
        if message["seq"] <= self._sent:
            return True
        self._sent = message["seq"]
        return await self._send_event(message["seq"], message["type"], message["payload"])

    async def _send_event(self, seq: int, event_type: str, payload: Mapping[str, Any]) -> bool:
        data = self._hub._shapes[event_type](payload, self._base_url)
        return await self._send({"t": "event", "seq": seq, "type": event_type, "data": data})

    async def _ping(self, still_allowed: Callable[[], Awaitable[bool]]) -> bool:
        try:
            allowed = await still_allowed()
        except Unavailable:
            allowed = True  # the database is away for a moment; the next ping asks again
        if not allowed or self._pongs_owed >= 2:
            await self._close(_POLICY_VIOLATION)
            return False
        self._pongs_owed += 1
        return await self._send({"t": "ping"})

    async def _read(self) -> None:
        """Until the client leaves, or says something that is no `pong`."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if not _is_pong(message.get("text")):
                await self._close(_POLICY_VIOLATION)
                return
            self._pongs_owed = 0

    async def _send(self, frame: Mapping[str, Any]) -> bool:
        """False when the client does not take it in time: the socket is closed."""
        try:
            async with asyncio.timeout(self._hub._send_timeout_s):
                await self._websocket.send_text(json.dumps(frame, separators=(",", ":")))
        except TimeoutError:
            self._hub._byes.labels("slow").inc()
            await self._close(_TRY_AGAIN_LATER)
            return False
        return True

    async def _bye(self, reason: str, code: int) -> None:
        self._hub._byes.labels(reason).inc()
        # Jitter: a restart must not bring everybody back in the same instant.
        retry = random.randint(*_RETRY_MS)  # noqa: S311
        frame = {"t": "bye", "reason": reason, "retry_after_ms": retry}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self._websocket.send_text(json.dumps(frame))
        await self._close(code)

    async def _close(self, code: int) -> None:
        if self._websocket.application_state is not WebSocketState.DISCONNECTED:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._websocket.close(code)


def _is_pong(text: str | None) -> bool:
    if text is None or len(text) > FRAME_LIMIT:
        return False
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(frame, dict) and frame.get("t") == "pong"


def _topic(org_id: str, user_id: str | None) -> str:
    return f"realtime.{org_id}" if user_id is None else f"realtime.{org_id}.{user_id}"
