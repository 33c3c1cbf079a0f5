"""A whole server inside the test's event loop, on loopback, with the fake or the built engine."""

from __future__ import annotations

import asyncio
import base64
import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from livekit.protocol import rtc
from websockets.asyncio.client import ClientConnection, connect

from conclave import media as media_slice
from conclave.app import Product, build
from conclave.kernel.app import App
from conclave.kernel.clock import Clock
from conclave.kernel.listen import bind, new_server
from conclave.media.engine import MediaEngine
from conclave.media.fake import FakeTransport
from conclave.media.signal_engine import SignalEngine
from conclave.settings import HttpSettings, LimitsSettings, MediaSettings, Settings
from tests.media.stage import OFFER


class Door:
    """Where clients come in, whichever engine stands behind it."""

    @property
    def media(self) -> MediaEngine:
        raise NotImplementedError

    @property
    def url(self) -> str:
        raise NotImplementedError

    def token(self, identity: str, room: str = "room", **more: Any) -> str:
        return self.media.mint(room, identity, **more).token

    def v1_url(
        self, token: str, request: rtc.JoinRequest | None = None, path: str = "/rtc/v1"
    ) -> str:
        parameters = {"access_token": token, "join_request": join_request(request)}
        return f"{self.url}{path}?{urlencode(parameters)}"

    def v0_url(self, token: str, **parameters: str) -> str:
        """As a client of two peer connections joins."""
        query = {"access_token": token, "protocol": "16", "auto_subscribe": "1", **parameters}
        return f"{self.url}/rtc?{urlencode(query)}"

    async def join(self, identity: str, room: str = "room", **more: Any) -> RawClient:
        """A raw client that has got its `join`."""
        client = await RawClient.connect(self.v1_url(self.token(identity, room, **more)))
        join = await client.next("join")
        client.sid = join.participant.sid
        return client


@dataclass
class MediaServer(Door):
    engine: SignalEngine
    port: int
    app: App

    @property
    def media(self) -> MediaEngine:
        return self.engine

    @property
    def fake(self) -> FakeTransport:
        transport = self.engine.transport
        assert isinstance(transport, FakeTransport)
        return transport

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


class RawClient:
    """A LiveKit client reduced to its socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.sid = ""

    @classmethod
    async def connect(cls, url: str, **more: Any) -> RawClient:
        return cls(await connect(url, proxy=None, max_size=None, **more))

    async def send(self, **message: Any) -> None:
        await self.socket.send(rtc.SignalRequest(**message).SerializeToString())

    async def receive(self) -> rtc.SignalResponse:
        async with asyncio.timeout(5):
            frame = await self.socket.recv()
        assert isinstance(frame, bytes)
        return rtc.SignalResponse.FromString(frame)

    async def next(self, kind: str) -> Any:
        """The next message of a kind; others are passed over."""
        while True:
            message = await self.receive()
            if message.HasField(kind):
                return getattr(message, kind)

    async def closed(self) -> int | None:
        async with asyncio.timeout(5):
            await self.socket.wait_closed()
        return self.socket.close_code


def join_request(request: rtc.JoinRequest | None = None) -> str:
    request = request or rtc.JoinRequest(
        connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
        publisher_offer=rtc.SessionDescription(type="offer", sdp=OFFER, id=1),
    )
    wrapped = rtc.WrappedJoinRequest(
        compression=rtc.WrappedJoinRequest.GZIP,
        join_request=gzip.compress(request.SerializeToString()),
    )
    return base64.urlsafe_b64encode(wrapped.SerializeToString()).decode().rstrip("=")


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def serve(
    data_dir: Path,
    *,
    engine: str = "fake",
    port: int = 0,
    udp_port: int = 0,
    clock: Clock | None = None,
    limits: LimitsSettings | None = None,
    **media_settings: Any,
) -> AsyncIterator[MediaServer]:
    settings = Settings(
        data_dir=data_dir,
        http=HttpSettings(host="127.0.0.1", port=port),
        limits=limits or LimitsSettings(),
        media=MediaSettings(
            engine=engine,
            udp_port=udp_port or free_udp_port(),
            shards=1,
            addresses=["127.0.0.1"],
            **media_settings,
        ),
    )
    product = build(settings, clock=clock, slices=(media_slice.SLICE,), process_metrics=False)
    sockets = bind("127.0.0.1", port)
    async with running(product, sockets):
        yield MediaServer(product.app.use(SignalEngine), sockets[0].getsockname()[1], product.app)


@asynccontextmanager
async def running(product: Product, sockets: list[socket.socket]) -> AsyncIterator[None]:
    """Start, yield, stop as `conclave serve` does: goodbye first, then the sockets."""
    server = new_server(product.web, clock=product.app.clock, certificate=None, trusted_proxies=[])
    try:
        await product.start()
    except BaseException:
        for listening in sockets:
            listening.close()
        await product.stop()
        raise
    serving = asyncio.create_task(server.serve(sockets=sockets))
    await server.listening.wait()
    try:
        yield
    finally:
        server.stop_listening()
        await product.stop()
        server.leave()
        await serving
