"""A headless member with a socket: for tests, load and measurements.

The thin shell around `Member`: one WebSocket, one timer, and what to do when the socket breaks.
Must never decide anything about the group.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from conclave_sealing.effects import Effect, Heard, Inside, Keys, Send, UseKey
from conclave_sealing.member import Member

if TYPE_CHECKING:
    from conclave_sealing.media import Media

MAX_FRAME = 1 << 20
FINAL = {1008, 4000}
"""Closes after which one must not come back: a violation, or another tab has the seat."""
RETRY_S = (0.2, 0.5, 1.0, 2.0, 4.0)


class Bot:
    """Use as `async with Bot(member, "ws://127.0.0.1:8080") as bot`; it leaves at the end."""

    def __init__(
        self,
        member: Member,
        server: str,
        *,
        headers: Mapping[str, str] | None = None,
        media: Media | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`headers`: a session's cookie and origin, for who is signed in."""
        self.member = member
        self.media = media
        self.told: list[Effect] = []
        """Everything but frames, in order."""
        self.error: BaseException | None = None
        self._server = server.rstrip("/")
        self._headers = dict(headers or {})
        self._tls = tls
        self._outgoing: asyncio.Queue[str] = asyncio.Queue()
        self._news = asyncio.Event()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._live(), name=f"bot {self.member.name}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.member.phase not in {"over", "away"} and self._task and not self._task.done():
            self.do(lambda member, _now: member.leave())
            with suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await asyncio.shield(self._task)
        await self.stop()

    async def stop(self) -> None:
        """Gone without a word, as when a tab is closed."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self.media is not None:
            await self.media.stop()

    def drop(self) -> None:
        """Break the socket, as a bad network does; the bot comes back by itself."""
        if self._socket is not None:
            self._socket.transport.abort()

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def do(self, action: Callable[[Member, float], list[Effect]]) -> None:
        """Anything that a member can do: `bot.do(lambda m, now: m.admit(seat, now))`."""
        self._perform(action(self.member, self.now()))

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """What others said, of one kind."""
        return [
            dict(effect.content)
            for effect in self.told
            if isinstance(effect, Heard) and effect.content["k"] == kind
        ]

    @property
    def is_inside(self) -> bool:
        return self.member.phase == "inside"

    async def until(self, condition: Callable[[Self], bool], seconds: float = 15.0) -> None:
        """Wait for something; what went wrong in the bot is raised here."""
        async with asyncio.timeout(seconds):
            while not condition(self):
                if self.error is not None:
                    raise self.error
                self._news.clear()
                await self._news.wait()

    # --- the socket
    async def _live(self) -> None:
        try:
            for pause in (*RETRY_S, None):
                if await self._connection() or pause is None or self.member.phase == "over":
                    return
                await asyncio.sleep(pause)
        except Exception as error:
            self.error = error
        finally:
            self._news.set()

    async def _connection(self) -> bool:
        """One socket's life; True when there is nothing to come back to."""
        url = f"{self._server}/api/v1/meetings/{self.member.meeting}/sealing"
        origin = self._server.replace("ws", "http", 1)
        headers = {"Origin": origin} | self._headers
        try:
            async with connect(
                url, additional_headers=headers, ssl=self._tls, max_size=MAX_FRAME, proxy=None
            ) as socket:
                self._socket = socket
                self._outgoing = asyncio.Queue()
                self._perform(self.member.start())
                sending = asyncio.create_task(self._send(socket.send))
                ticking = asyncio.create_task(self._tick())
                try:
                    async for text in socket:
                        self._perform(self.member.receive(json.loads(text), self.now()))
                finally:
                    self._socket = None
                    for task in (sending, ticking):
                        task.cancel()
                    await asyncio.gather(sending, ticking, return_exceptions=True)
                if socket.close_code in FINAL:
                    return True
        except ConnectionClosed as error:
            if error.rcvd is not None and error.rcvd.code in FINAL:
                return True
        except InvalidStatus as error:
            if error.response.status_code in {403, 404}:
                raise
        except (WebSocketException, OSError):
            pass
        return self.member.phase == "over"

    async def _send(self, send: Callable[[str], Any]) -> None:
        while True:
            await send(await self._outgoing.get())

    async def _tick(self) -> None:
        while True:
            self._wake.clear()
            at = self.member.next_at()
            pause = None if at is None else max(0.0, at - self.now())
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
                continue
            self._perform(self.member.tick(self.now()))

    def _perform(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self._outgoing.put_nowait(json.dumps(effect.frame))
                continue
            self.told.append(effect)
            if self.media is not None and isinstance(effect, Inside | Keys | UseKey):
                self.media.apply(effect, self._server)
        self._wake.set()
        self._news.set()
