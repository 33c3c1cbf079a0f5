"""A product to test: real routes and database, a clock that stands still, media in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2

from conclave import accounts, audit, meetings, sealing
from conclave.app import build
from conclave.kernel.clock import ManualClock
from conclave.meetings import Follower
from conclave.settings import Settings
from tests.asgi_socket import Socket
from tests.fake_engine import FakeEngine, fake_media
from tests.sealing.delivery.tab import Tab, instance_id, knock

BASE = "http://localhost:8080"
GUEST_ADDRESS = "198.51.100.7"


class Person(httpx2.AsyncClient):
    """A browser: keeps cookies and sends what our pages send."""

    def __init__(self, stage: Stage, *, address: str = GUEST_ADDRESS, base_url: str = BASE) -> None:
        self.stage = stage
        self.address = address
        super().__init__(
            transport=httpx2.ASGITransport(
                stage.product.web, raise_app_exceptions=False, client=(address, 40_000)
            ),
            base_url=base_url,
            headers={"origin": base_url, "x-conclave": "1"},
        )

    async def socket(self, path: str, **headers: str) -> Socket:
        """Open a WebSocket as this browser would; `headers` replace its own."""
        request = self.build_request("GET", path)
        sent = {
            name: value
            for name, value in request.headers.items()
            if name in {"host", "origin", "cookie"}
        }
        socket = Socket(self.stage.product.web, path, {**sent, **headers}, client=self.address)
        await socket.open()
        self.stage.sockets.append(socket)
        return socket


class Stage:
    def __init__(self, settings: Settings, static: Path) -> None:
        self.clock = ManualClock()
        self.engine = FakeEngine()
        self.settings = settings
        self.static = static
        self.sockets: list[Socket] = []
        self.members: dict[str, list[Tab]] = {}
        self.is_started = False
        self.product = build(
            settings,
            clock=self.clock,
            slices=(
                accounts.SLICE,
                fake_media(self.engine),
                sealing.SLICE,
                meetings.SLICE,
                audit.SLICE,
            ),
            static=static,
            process_metrics=False,
        )
        self.app = self.product.app

    async def start(self) -> None:
        await self.product.start()
        self.is_started = True

    async def stop(self) -> None:
        if self.is_started:
            self.is_started = False
            await self.product.stop()
        else:
            await self.app.db.close()
        for socket in self.sockets:
            await socket.leave()

    async def settled(self) -> None:
        """Everything that follows from what was done is done."""
        await self.app.use(Follower).settled()
        await self.app.outbox.caught_up()

    def guest(self, *, address: str = GUEST_ADDRESS) -> Person:
        return Person(self, address=address)

    async def operator(self) -> Person:
        """Somebody signed in by a fresh operator link."""
        person = Person(self, address="198.51.100.1")
        token = await accounts.new_operator_link(self.app.db, self.clock)
        answer = await person.post("/api/v1/operator-link", json={"token": token})
        assert answer.status_code == 200, answer.text
        return person

    async def tab(self, meeting: str, by: Person | None = None) -> Tab:
        """A tab outside the meeting's group; of a host's when `by` is its operator."""
        person = by or self.guest()
        tab = Tab(await person.socket(f"/api/v1/meetings/{meeting}/sealing"))
        await tab.hello()
        return tab

    async def knocker(self, meeting: str) -> Tab:
        tab = await self.tab(meeting)
        answer = await tab.ask("knock", **knock())
        assert answer["t"] == "ok", answer
        return tab

    async def seat(self, meeting: str, identity: str, *, by: Person | None = None) -> None:
        """Make `identity` a member of the meeting's group, by the first member's commit; the first
        one of all founds it."""
        members = self.members.setdefault(meeting, [])
        if members:
            tab = await self.knocker(meeting)
            answer = await members[0].commit(len(members) - 1, admitted={tab.seat: identity})
        else:
            tab = await self.tab(meeting, by)
            answer = await tab.ask("create", instance=instance_id(), identity=identity)
        assert answer["t"] == "ok", answer
        members.append(tab)

    async def enter(self, meeting: str, identity: str) -> bool:
        """A member comes into the media room, if it may."""
        await self.seat(meeting, identity)
        return await self.engine.enter(meeting, identity)

    async def meeting(self, operator: Person) -> str:
        """The id of a meeting that `operator` has just opened."""
        answer = await operator.post("/api/v1/meetings")
        assert answer.status_code == 201, answer.text
        opened: dict[str, Any] = answer.json()
        return str(opened["id"])
