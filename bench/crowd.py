"""Headless members without media, in a process of their own: who fills a sealed room.

`Crowd(server, link, 48)` starts the process and waits until all are in. They are complete members
(openmls): they admit by the link, commit when it is their turn, and take in every change.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from servers import ROOT, Server

PATIENCE_S = 120.0


class Crowd:
    """The process, as a context; each request is one line to it and one line back."""

    def __init__(self, server: Server, link: str, count: int) -> None:
        command = [sys.executable, __file__, server.url, link, str(count)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        self.count = count
        self.all_in_s = float(self._answer()["seconds"])

    @property
    def pid(self) -> int:
        return self._process.pid

    def come(self) -> float:
        """One more comes in; milliseconds until all of the crowd are in one epoch with them."""
        return float(self._ask("come")["seconds"]) * 1000

    def go(self) -> float:
        """They leave; milliseconds until all of the crowd are in an epoch without them."""
        return float(self._ask("go")["seconds"]) * 1000

    def _ask(self, request: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(request + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            message = f"the crowd ended with {self._process.wait()}"
            raise RuntimeError(message)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(15)


@contextlib.contextmanager
def crowd(server: Server, link: str, count: int) -> Iterator[Crowd]:
    members = Crowd(server, link, count)
    try:
        yield members
    finally:
        members.close()


# --- the process itself
async def _live(server: str, guest_link: str, count: int) -> None:
    from conclave_sealing.bot import Bot
    from conclave_sealing.keys import Link
    from conclave_sealing.member import Member

    link = Link.read(guest_link)
    assert link is not None, "the guest link is not whole"

    def make(name: str) -> Bot:
        return Bot(Member(link.meeting, name=name, link=link), server)

    bots: list[Bot] = []

    async def together(since: float, *, without: bytes | None = None) -> None:
        for bot in bots:
            await bot.until(lambda each: each.is_inside, PATIENCE_S)
        last = bots[-1].member
        while True:
            epochs = {bot.member.facts.epoch for bot in bots if bot.member.facts is not None}
            keys = {leaf.signature_key for leaf in last.facts.roster} if last.facts else set()
            if len(epochs) == 1 and without not in keys:
                break
            await asyncio.sleep(0.005)
        print(json.dumps({"seconds": time.monotonic() - since}), flush=True)

    started = time.monotonic()
    for number in range(count):
        bots.append(make(f"Member {number + 1}"))
        await bots[-1].__aenter__()
        await bots[-1].until(lambda each: each.is_inside, PATIENCE_S)
    await together(started)
    loop = asyncio.get_running_loop()
    while request := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        since = time.monotonic()
        if request == "come":
            bots.append(make("Visitor"))
            await bots[-1].__aenter__()
            await together(since)
        else:
            visitor = bots.pop()
            key = visitor.member.key
            await visitor.__aexit__(None, None, None)
            await together(since, without=key)
    await asyncio.gather(*(bot.stop() for bot in bots))


if __name__ == "__main__":
    asyncio.run(_live(sys.argv[1], sys.argv[2], int(sys.argv[3])))
