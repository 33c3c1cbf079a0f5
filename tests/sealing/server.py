"""The whole product inside the test's event loop, on loopback, with a meeting and its operator."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import httpx2

from conclave import accounts
from conclave.app import build
from conclave.kernel.app import App
from conclave.kernel.listen import bind, new_server
from conclave.kernel.migrate import migrate
from conclave.settings import HttpSettings, MediaSettings, Settings
from conclave_sealing.bot import Bot
from conclave_sealing.context import Policy
from conclave_sealing.fetch import fetch_invitation
from conclave_sealing.invitation import ATTENDEE, NEVER, make_invitation
from conclave_sealing.keys import Link, b64, fingerprint_of, public_half
from conclave_sealing.media import Media
from conclave_sealing.member import Member
from tests.media.server import free_udp_port
from tests.sealing.engines import account_seed


@dataclass
class SealedServer:
    app: App
    port: int
    link: Link
    cookie: str

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def host(self, name: str = "host", policy: Policy | None = None, *, media: bool = False) -> Bot:
        member = Member(
            self.link.meeting,
            name=name,
            link=self.link,
            account_seed=account_seed("owner"),
            policy=policy,
        )
        return Bot(
            member, self.url, headers={"Cookie": self.cookie}, media=Media() if media else None
        )

    async def invite(self, name: str, role: int = ATTENDEE) -> Link:
        """A personal link of this meeting, whose invitation the server keeps."""
        link = replace(self.link, seed=sha256(f"seed {name}".encode()).digest()[:16])
        assert link.seed is not None
        made = make_invitation(
            account_seed("owner"),
            self.link,
            name=name,
            role=role,
            expires_at=NEVER,
            nonce=bytes(12),
            seed=link.seed,
        )
        base = self.url.replace("ws", "http", 1)
        headers = {"Origin": base, "X-Conclave": "1", "Cookie": self.cookie}
        async with httpx2.AsyncClient(base_url=base, headers=headers) as browser:
            kept = await browser.post(
                f"/api/v1/meetings/{link.meeting}/invitations",
                json={"invitations": [b64(made.encode())]},
            )
            assert kept.status_code == 201, kept.text
        return link

    async def invited(self, link: Link, device: str) -> Bot:
        """Whoever holds this personal link, on one of their devices."""
        invitation = await fetch_invitation(self.url, link)
        assert invitation is not None
        seed = sha256(device.encode()).digest()
        member = Member(link.meeting, name=device, link=link, seed=seed, invitation=invitation)
        return Bot(member, self.url)

    def guest(
        self, name: str, *, has_link: bool = True, seed: bytes | None = None, media: bool = False
    ) -> Bot:
        link = self.link if has_link else None
        member = Member(self.link.meeting, name=name, link=link, seed=seed)
        return Bot(member, self.url, media=Media() if media else None)


@asynccontextmanager
async def serve(
    data_dir: Path,
    *,
    engine: str = "fake",
    media: MediaSettings | None = None,
    sockets: list[socket.socket] | None = None,
) -> AsyncIterator[SealedServer]:
    """`media` instead of an engine's name, and sockets that are bound already, for a cluster."""
    settings = Settings(
        data_dir=data_dir,
        http=HttpSettings(host="127.0.0.1", port=0),
        media=media
        or MediaSettings(
            engine=engine, udp_port=free_udp_port(), shards=1, addresses=["127.0.0.1"]
        ),
    )
    product = build(settings, process_metrics=False)
    await migrate(product.app.db)
    sockets = sockets or bind("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    server = new_server(product.web, clock=product.app.clock, certificate=None, trusted_proxies=[])
    await product.start()
    serving = asyncio.create_task(server.serve(sockets=sockets))
    await server.listening.wait()
    try:
        base = f"http://127.0.0.1:{port}"
        token = await accounts.new_operator_link(product.app.db, product.app.clock)
        headers = {"Origin": base, "X-Conclave": "1"}
        async with httpx2.AsyncClient(base_url=base, headers=headers) as browser:
            signed_in = await browser.post("/api/v1/operator-link", json={"token": token})
            assert signed_in.status_code == 200, signed_in.text
            opened = await browser.post("/api/v1/meetings")
            assert opened.status_code == 201, opened.text
            cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        link = Link(
            opened.json()["id"],
            sha256(b"secret").digest()[:16],
            fingerprint_of(public_half(account_seed("owner"))),
        )
        yield SealedServer(product.app, port, link, cookie)
    finally:
        server.stop_listening()
        await product.stop()
        server.leave()
        await serving
