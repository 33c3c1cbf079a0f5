"""A product whose meetings have a doorkeeper made by hand, and tabs that speak the socket."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conclave import accounts, sealing
from conclave.accounts import Actor
from conclave.app import build
from conclave.kernel.clock import ManualClock
from conclave.kernel.tokens import digest_of
from conclave.sealing import Entry, MemberRole, Sealing, Ticket
from conclave.settings import Settings
from tests.asgi_socket import Socket

HOST = "http://localhost:8080"
MEETING = "mtg_00000000000000000000000001"
OTHER = "mtg_00000000000000000000000002"


def b64(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def instance_id(number: int = 1) -> str:
    return b64(number.to_bytes(16, "big"))


def identity(number: int) -> str:
    return b64(digest_of(str(number).encode()))[:22]


def private(instance: str, epoch: int, content_type: int, body: bytes = b"x") -> str:
    """The head of a PrivateMessage, and some bytes."""
    from conclave.sealing.schemas import decoded

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


@dataclass
class FakeDoorkeeper:
    meetings: set[str] = field(default_factory=lambda: {MEETING, OTHER})
    org_id: str = "org_1"
    hosts: bool = True
    """Whoever is signed in is a host."""
    failure: Exception | None = None
    tickets: list[tuple[str, str, MemberRole]] = field(default_factory=list)

    async def admits(self, meeting_id: str, actor: Actor | None) -> Entry | None:
        if meeting_id not in self.meetings:
            return None
        return Entry(self.org_id, "host" if actor is not None and self.hosts else "guest")

    async def ticket(self, meeting_id: str, identity: str, role: MemberRole) -> Ticket:
        if self.failure is not None:
            raise self.failure
        self.tickets.append((meeting_id, identity, role))
        return Ticket("", f"token-{identity}")


class SealingStage:
    def __init__(self, settings: Settings, static: Path, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.product = build(
            settings,
            clock=self.clock,
            slices=(accounts.SLICE, sealing.SLICE),
            static=static,
            process_metrics=False,
        )
        self.app = self.product.app
        self.door = FakeDoorkeeper()
        self.sealing = self.app.use(Sealing)
        self.sealing.set_doorkeeper(self.door)
        self.epochs: list[tuple[str, int]] = []
        self.sealing.on_epoch_in_use(self._note)
        self.tabs: list[Tab] = []
        self.is_started = False

    async def _note(self, meeting_id: str, epoch: int) -> None:
        self.epochs.append((meeting_id, epoch))

    async def start(self) -> None:
        await self.product.start()
        self.is_started = True

    async def stop(self) -> None:
        for tab in self.tabs:
            await tab.drop()
        if self.is_started:
            self.is_started = False
            await self.product.stop()
        else:
            await self.app.db.close()

    async def cookie(self) -> str:
        """A session of the operator's."""
        from conclave.accounts import service

        token = await accounts.new_operator_link(self.app.db, self.clock)
        _, session = await service.redeem_operator_link(self.app, token, session_token=None)
        return f"conclave={session}"

    async def tab(
        self, *, meeting: str = MEETING, cookie: str = "", address: str = "198.51.100.7"
    ) -> Tab:
        """A connected tab that has said nothing yet."""
        headers = {"host": "localhost:8080", "origin": HOST}
        if cookie:
            headers["cookie"] = cookie
        tab = Tab(self, await self.open(meeting, headers, address))
        self.tabs.append(tab)
        return tab

    async def open(
        self, meeting: str, headers: Mapping[str, str], address: str = "198.51.100.7"
    ) -> Socket:
        path = f"/api/v1/meetings/{meeting}/sealing"
        socket = Socket(self.product.web, path, headers, client=address)
        await socket.open()
        return socket

    async def outsider(self, **options: Any) -> Tab:
        tab = await self.tab(**options)
        await tab.hello()
        return tab

    async def creator(self, number: int = 0, *, host: bool = True, **options: Any) -> Tab:
        if host:
            options["cookie"] = await self.cookie()
        tab = await self.outsider(**options)
        answer = await tab.ask("create", instance=instance_id(), identity=identity(number))
        assert answer["t"] == "ok", answer
        tab.identity = identity(number)
        return tab

    async def knocker(self, **options: Any) -> Tab:
        tab = await self.outsider(**options)
        answer = await tab.ask("knock", **knock())
        assert answer["t"] == "ok", answer
        assert (await tab.frame())["t"] == "waiting"
        return tab

    async def newcomer(self, by: Tab, number: int, epoch: int, **options: Any) -> Tab:
        """Somebody whom `by` has admitted in `epoch`; frames to others are left to read."""
        tab = await self.knocker(**options)
        answer = await by.commit(epoch, admitted={tab.seat: identity(number)})
        assert answer["t"] == "ok", answer
        tab.identity = identity(number)
        welcome = await tab.until("welcome")
        tab.seq = welcome["seq"]
        return tab

    async def rows(self) -> dict[str, int]:
        from sqlalchemy import text

        async with self.app.db.read() as session:
            return {
                table: (
                    await session.execute(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
                ).scalar_one()
                for table in ("sealing_instances", "sealing_seats", "sealing_log")
            }


class Tab:
    """One tab's socket. Frames are read in order; answers are found by their number."""

    def __init__(self, stage: SealingStage, socket: Socket) -> None:
        self.stage = stage
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
    from conclave.sealing.schemas import decoded

    return b64(digest_of(decoded(private(instance_id(), epoch, 3, body))))
