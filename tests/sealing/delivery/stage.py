"""A product whose meetings have a doorkeeper made by hand, and tabs that speak the socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from conclave import accounts, sealing
from conclave.accounts import Actor
from conclave.app import build
from conclave.kernel.clock import ManualClock
from conclave.sealing import Entry, Invited, MemberRole, MuteSource, Sealing, Ticket
from conclave.settings import Settings
from tests.asgi_socket import Socket
from tests.sealing.delivery.tab import Tab, identity, instance_id, knock

HOST = "http://localhost:8080"
MEETING = "mtg_00000000000000000000000001"
OTHER = "mtg_00000000000000000000000002"


@dataclass
class FakeDoorkeeper:
    meetings: set[str] = field(default_factory=lambda: {MEETING, OTHER})
    org_id: str = "org_1"
    hosts: bool = True
    """Whoever is signed in is a host."""
    may_begin: bool = True
    """Guests may found the group."""
    invitations: dict[str, Invited] = field(default_factory=dict)
    bindings: list[tuple[str, bytes, bytes]] = field(default_factory=list)
    failure: Exception | None = None
    tickets: list[tuple[str, str, MemberRole]] = field(default_factory=list)
    media: dict[str, int] = field(default_factory=dict)
    """By identity, what its last ticket was good for."""

    async def admits(self, meeting_id: str, actor: Actor | None) -> Entry | None:
        if meeting_id not in self.meetings:
            return None
        is_host = actor is not None and self.hosts
        return Entry(self.org_id, "host" if is_host else "guest", is_host or self.may_begin)

    async def invited(
        self, meeting_id: str, invitation_id: str, device: bytes, binding: bytes
    ) -> Invited:
        self.bindings.append((invitation_id, device, binding))
        return self.invitations.get(invitation_id, Invited("unknown", None, False))

    async def ticket(self, meeting_id: str, identity: str, role: MemberRole, media: int) -> Ticket:
        if self.failure is not None:
            raise self.failure
        self.media[identity] = media
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
        self.mutes: list[tuple[str, str, str]] = []
        self.mute_failure: Exception | None = None
        self.sealing.on_mute(self._mute)
        self.silences: list[tuple[str, frozenset[str]]] = []
        self.sealing.on_silence(self._silence)
        self.permits: list[Mapping[str, int]] = []
        self.sealing.on_permit(self._permit)
        self.tabs: list[Tab] = []
        self.is_started = False

    async def _note(self, meeting_id: str, epoch: int) -> None:
        self.epochs.append((meeting_id, epoch))

    async def _mute(self, meeting_id: str, identity: str, source: MuteSource) -> None:
        if self.mute_failure is not None:
            raise self.mute_failure
        self.mutes.append((meeting_id, identity, source))

    async def _silence(self, meeting_id: str, identities: frozenset[str]) -> None:
        if self.mute_failure is not None:
            raise self.mute_failure
        self.silences.append((meeting_id, identities))

    async def _permit(self, meeting_id: str, media: Mapping[str, int]) -> None:
        assert meeting_id == MEETING
        if self.mute_failure is not None:
            raise self.mute_failure
        self.permits.append(media)

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
        token = await accounts.new_operator_link(self.app.db, self.clock)
        transport = httpx2.ASGITransport(self.product.web, client=("198.51.100.7", 40_000))
        headers = {"origin": HOST, "x-conclave": "1"}
        async with httpx2.AsyncClient(
            transport=transport, base_url=HOST, headers=headers
        ) as browser:
            answer = await browser.post("/api/v1/operator-link", json={"token": token})
        return f"conclave={answer.cookies['conclave']}"

    async def tab(
        self, *, meeting: str = MEETING, cookie: str = "", address: str = "198.51.100.7"
    ) -> Tab:
        """A connected tab that has said nothing yet."""
        headers = {"host": "localhost:8080", "origin": HOST}
        if cookie:
            headers["cookie"] = cookie
        tab = Tab(await self.open(meeting, headers, address))
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
