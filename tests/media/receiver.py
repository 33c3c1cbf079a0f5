"""A webhook receiver on loopback that a test can make fail, stall, redirect or talk too much."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

Judge = Callable[[dict[str, Any]], str]
"""What to answer an event with: the status line's rest ("500 No") or a whole answer."""


@dataclass
class Receiver:
    port: int = 0
    judge: Judge = lambda _event: "200 OK"
    seen: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    """Every request: the event, and how it was answered."""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    """Headers and body of each."""
    stall: asyncio.Event = field(default_factory=asyncio.Event)
    """Answers wait for it; set unless a test clears it."""
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks?x=hidden"

    def taken(self, room: str | None = None) -> list[str]:
        """Names of the events that were answered with 2xx, oldest first."""
        return [
            event["event"]
            for event, answer in self.seen
            if answer.startswith("2") and room in (None, event["room"]["name"])
        ]

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self._one(reader, writer)
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in head[1:] if line)
        }
        body = await reader.readexactly(int(headers["content-length"]))
        self.requests.append((headers, body))
        await self.stall.wait()
        event = json.loads(body)
        answer = self.judge(event)
        self.seen.append((event, answer))
        if "\r\n" not in answer:
            answer = f"{answer}\r\ncontent-length: 2\r\n\r\nok"
        writer.write(f"HTTP/1.1 {answer}".encode())
        await writer.drain()


@asynccontextmanager
async def receiving(judge: Judge | None = None, port: int = 0) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    receiver.stall.set()
    if judge is not None:
        receiver.judge = judge
    server = await asyncio.start_server(receiver.handle, "127.0.0.1", port)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        receiver.stall.set()
        server.close()
        for writer in receiver.writers:
            writer.close()
