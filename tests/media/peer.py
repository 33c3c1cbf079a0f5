"""Participants on LiveKit's Go SDK: the program in `tests/media/go`, built once and driven here."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from tests.media.server import Door

SOURCE = Path(__file__).parent / "go"
BUILD_TIMEOUT = 600
PATIENCE = 20.0

Event = dict[str, Any]


@cache
def program() -> Path:
    """The built program. Skips where it cannot be built; a program that is wrong is a failure."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("Go is not installed")
    if _run(go, "mod", "download").returncode != 0:
        pytest.skip("the Go modules cannot be had here")
    target = Path(mkdtemp(prefix="conclave-peer-")) / "peer"
    built = _run(go, "build", "-o", str(target), ".")
    assert built.returncode == 0, built.stderr
    return target


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, check=False, cwd=SOURCE, capture_output=True, text=True, timeout=BUILD_TIMEOUT
    )


class Peer:
    """One running program and everything it has said."""

    def __init__(self, identity: str, process: asyncio.subprocess.Process) -> None:
        self.identity = identity
        self.events: list[Event] = []
        self._process = process
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            async with self._news:
                self.events.append(json.loads(line))
                self._news.notify_all()
        async with self._news:
            self.events.append({"event": "ended"})
            self._news.notify_all()

    async def tell(self, *commands: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.writelines(f"{command}\n".encode() for command in commands)
        await self._process.stdin.drain()

    async def until(self, event: str, condition: Callable[[Event], bool] = lambda _: True) -> Event:
        """The first such event, past or to come."""

        def found() -> Event | None:
            return next((e for e in self.events if e["event"] == event and condition(e)), None)

        try:
            async with asyncio.timeout(PATIENCE), self._news:
                await self._news.wait_for(lambda: found() is not None)
        except TimeoutError:
            msg = f"{self.identity} said no {event}; said {self.events[-30:]}"
            raise AssertionError(msg) from None
        result = found()
        assert result is not None
        return result

    def forget(self) -> None:
        self.events.clear()

    async def hears(self, other: str) -> None:
        """A tone, and no silence, by the size of its packets. On a busy machine silence may come
        first."""
        await self.until("sound", lambda e: e["from"] == other and e["bytes"] > 100 * e["packets"])

    async def reads(self, other: str, text: str) -> None:
        await self.until("data", lambda e: (e["from"], e["text"]) == (other, text))

    async def leave(self) -> None:
        """Ended in good order, or by force."""
        with suppress(ConnectionError):
            await self.tell("leave")
        try:
            async with asyncio.timeout(5):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        await self._reader


@asynccontextmanager
async def peer(server: Door, identity: str) -> AsyncIterator[Peer]:
    """Somebody on the Go SDK who has joined, with two peer connections."""
    process = await asyncio.create_subprocess_exec(
        program(),
        "-url",
        server.url,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PEER_TOKEN": server.token(identity)},
    )
    somebody = Peer(identity, process)
    try:
        await somebody.until("joined")
        yield somebody
    finally:
        await somebody.leave()
