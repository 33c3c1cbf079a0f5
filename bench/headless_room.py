"""A sealed meeting whose host and guests are headless: what benchmarks without a browser share."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from hashlib import sha256

import httpx2
from servers import Server

from conclave_sealing.bot import Bot
from conclave_sealing.context import Policy
from conclave_sealing.fetch import fetch_invitation
from conclave_sealing.invitation import ATTENDEE, NEVER, make_invitation
from conclave_sealing.keys import Link, b64, fingerprint_of, public_half
from conclave_sealing.media import Media
from conclave_sealing.member import Member

_ACCOUNT = sha256(b"the host's account").digest()


@dataclass(frozen=True)
class HeadlessRoom:
    server: Server
    link: Link
    browser: httpx2.AsyncClient
    cookie: str

    def host(self, policy: Policy | None = None, media: Media | None = None) -> Bot:
        member = Member(
            self.link.meeting, name="Host", link=self.link, account_seed=_ACCOUNT, policy=policy
        )
        return Bot(member, self.server.url, headers={"Cookie": self.cookie}, media=media)

    def guest(self, name: str, media: Media | None = None) -> Bot:
        member = Member(self.link.meeting, name=name, link=self.link)
        return Bot(member, self.server.url, media=media)

    async def invite(self, name: str) -> Link:
        """A personal link, whose certificate the server keeps."""
        link = replace(self.link, seed=sha256(f"seed {name}".encode()).digest()[:16])
        assert link.seed is not None
        made = make_invitation(
            _ACCOUNT,
            self.link,
            name=name,
            role=ATTENDEE,
            expires_at=NEVER,
            nonce=bytes(12),
            seed=link.seed,
        )
        kept = await self.browser.post(
            f"/api/v1/meetings/{link.meeting}/invitations",
            json={"invitations": [b64(made.encode())]},
        )
        kept.raise_for_status()
        return link

    async def invited(self, link: Link, name: str) -> Bot:
        invitation = await fetch_invitation(self.server.url, link)
        member = Member(link.meeting, name=name, link=link, invitation=invitation)
        return Bot(member, self.server.url)


@contextlib.asynccontextmanager
async def headless_room(server: Server) -> AsyncIterator[HeadlessRoom]:
    assert server.operator_link is not None
    base = server.url.replace("ws", "http", 1)
    headers = {"Origin": base, "X-Conclave": "1"}
    async with httpx2.AsyncClient(base_url=base, headers=headers) as browser:
        token = server.operator_link.rpartition("#")[2]
        (await browser.post("/api/v1/operator-link", json={"token": token})).raise_for_status()
        opened = await browser.post("/api/v1/meetings")
        opened.raise_for_status()
        link = Link(
            opened.json()["id"],
            sha256(b"the link's secret").digest()[:16],
            fingerprint_of(public_half(_ACCOUNT)),
        )
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        yield HeadlessRoom(server, link, browser, cookie)
