"""One tab's sealing socket, and frames that look as they have to look."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from conclave.kernel.tokens import digest_of
from conclave.sealing.schemas import decoded
from tests.asgi_socket import Socket


def b64(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def instance_id(number: int = 1) -> str:
    return b64(number.to_bytes(16, "big"))


def identity(number: int) -> str:
    return b64(digest_of(str(number).encode()))[:22]


def private(instance: str, epoch: int, content_type: int, body: bytes = b"x") -> str:
    """The head of a PrivateMessage, and some bytes."""
    group = decoded(instance)
    return b64(
        b"\x00\x01\x00\x02"
        + bytes([len(group)])
        + group
        + epoch.to_bytes(8, "big")
        + bytes([content_type])
        + body
    )


WELCOME = b64(b"\x00\x01\x00\x03 somebody's")


class Tab:
    """One tab's socket. Frames are read in order; answers are found by their number."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.seat = ""
        self.resume = ""
        self.identity = ""
        self.seq = 0
        self._n = 0
        self._waiting: list[dict[str, Any]] = []

    def say(self, t: str, **fields: Any) -> None:
        self.socket.say(json.dumps({"t": t, **fields}))

    async def hello(self, **fields: Any) -> dict[str, Any]:
        self.say("hello", **fields)
        hello = await self.until("hello")
        self.seat, self.resume = hello["seat"], hello["resume"]
        return hello

    def request(self, t: str, **fields: Any) -> int:
        self._n += 1
        self.say(t, n=self._n, **fields)
        return self._n

    async def answer(self, n: int) -> dict[str, Any]:
        kept: list[dict[str, Any]] = []
        while True:
            frame = await self._next()
            if frame["t"] in {"ok", "error"} and frame.get("n") in {n, None}:
                self._waiting[:0] = kept
                return frame
            assert frame["t"] != "closed", (frame, kept)
            kept.append(frame)

    async def ask(self, t: str, **fields: Any) -> dict[str, Any]:
        return await self.answer(self.request(t, **fields))

    async def frame(self) -> dict[str, Any]:
        frame = await self._next()
        self.seq = frame.get("seq", self.seq) if frame["t"] in NUMBERED else self.seq
        return frame

    async def until(self, t: str) -> dict[str, Any]:
        """The next frame of this kind; those before it are dropped."""
        while (frame := await self.frame())["t"] != t:
            assert frame["t"] != "closed", f"closed {self.socket.close_code} before {t}"
        return frame

    async def next_of(self, *kinds: str) -> dict[str, Any]:
        while (frame := await self.frame())["t"] not in kinds:
            assert frame["t"] != "closed"
        return frame

    async def barrier(self) -> list[dict[str, Any]]:
        """All frames that have reached this tab by now."""
        n = self.request("ticket")
        frames = []
        while (frame := await self.frame()).get("n") != n or frame["t"] not in {"ok", "error"}:
            frames.append(frame)
        return frames

    async def commit(
        self,
        epoch: int,
        *,
        admitted: Mapping[str, str] | None = None,
        removed: Mapping[str, str] | None = None,
        body: bytes = b"commit",
        **fields: Any,
    ) -> dict[str, Any]:
        return await self.ask(
            "commit", **commit(epoch, admitted=admitted, removed=removed, body=body), **fields
        )

    async def message(self, epoch: int, body: bytes = b"message") -> dict[str, Any]:
        return await self.ask("message", epoch=epoch, bytes=private(instance_id(), epoch, 1, body))

    async def drop(self) -> None:
        """The connection breaks."""
        await self.socket.leave()

    async def closed(self) -> int | None:
        while (await self.frame())["t"] != "closed":
            pass
        await self.socket.ended()
        return self.socket.close_code

    async def _next(self) -> dict[str, Any]:
        return self._waiting.pop(0) if self._waiting else await self.socket.frame()


NUMBERED = {"commit", "message", "reopened", "welcome"}


def knock(instance: str | None = None) -> dict[str, str]:
    return {
        "instance": instance or instance_id(),
        "key_package": b64(b"key package"),
        "intro": b64(b"sealed name"),
        "proof": b64(bytes(32)),
        "sign": b64(bytes(64)),
    }


def commit(
    epoch: int,
    *,
    admitted: Mapping[str, str] | None = None,
    removed: Mapping[str, str] | None = None,
    body: bytes = b"commit",
) -> dict[str, Any]:
    frame: dict[str, Any] = {
        "epoch": epoch,
        "bytes": private(instance_id(), epoch, 3, body),
        "admitted": [{"seat": s, "identity": i} for s, i in (admitted or {}).items()],
        "removed": [{"seat": s, "why": why} for s, why in (removed or {}).items()],
    }
    if admitted:
        frame["welcome"] = WELCOME
    return frame


def hash_of_commit(epoch: int, body: bytes = b"commit") -> str:
    return b64(digest_of(decoded(private(instance_id(), epoch, 3, body))))
