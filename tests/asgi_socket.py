"""A WebSocket client that speaks ASGI with the application directly: no network, no thread."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote

from starlette.types import ASGIApp, Message

PATIENCE_S = 5.0


class Socket:
    def __init__(self, app: ASGIApp, path: str, headers: Mapping[str, str], *, client: str) -> None:
        self._app = app
        self._scope: dict[str, Any] = {
            "type": "websocket",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "ws",
            "path": unquote(path.partition("?")[0]),
            "raw_path": path.partition("?")[0].encode(),
            "query_string": path.partition("?")[2].encode(),
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "client": (client, 40_000),
            "server": ("localhost", 8080),
            "subprotocols": [],
            "state": {},
            "extensions": {"websocket.http.response": {}},
        }
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.takes = asyncio.Event()
        """Cleared: this client reads nothing, so the server's sends wait."""
        self.takes.set()
        self.status: int | None = None
        """HTTP status when the handshake was refused."""
        self.problem: dict[str, Any] = {}
        self.close_code: int | None = None

    async def open(self) -> None:
        self._to_app.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._run())
        message = await self._next()
        if message["type"] == "websocket.http.response.start":
            self.status = message["status"]
            body = await self._next()
            self.problem = json.loads(body["body"])
        elif message["type"] == "websocket.close":
            self.status = 403
        else:
            assert message["type"] == "websocket.accept"

    async def frame(self) -> dict[str, Any]:
        """The next frame that the server sends; `{"t": "closed"}` once it has closed."""
        message = await self._next()
        if message["type"] == "websocket.close":
            self.close_code = message["code"]
            return {"t": "closed"}
        return cast("dict[str, Any]", json.loads(message["text"]))

    def say(self, text: str) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    def say_bytes(self, content: bytes) -> None:
        self._to_app.put_nowait({"type": "websocket.receive", "bytes": content})

    async def leave(self) -> None:
        """The connection breaks, and the server's side of it ends."""
        self.takes.set()
        self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1006})
        await self.ended()

    async def ended(self) -> None:
        if self._task is not None:
            await asyncio.wait_for(self._task, PATIENCE_S)

    async def _next(self) -> Message:
        return await asyncio.wait_for(self._from_app.get(), PATIENCE_S)

    async def _run(self) -> None:
        async def send(message: Message) -> None:
            await self.takes.wait()
            self._from_app.put_nowait(message)

        await self._app(self._scope, self._to_app.get, send)
