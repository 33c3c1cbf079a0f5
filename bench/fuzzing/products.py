"""Servers in memory, asked as uvicorn asks them: no socket, no thread, no clock but ours."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from livekit.protocol import models, rtc

from conclave import media
from conclave.app import Product, build
from conclave.kernel.clock import ManualClock
from conclave.media.engine import Permission
from conclave.media.keys import ApiKeys
from conclave.media.signal_engine import SignalEngine
from conclave.media.sockets import SocketQueue
from conclave.media.tokens import Claims
from conclave.settings import LimitsSettings, MediaSettings, Settings

KEYS = ApiKeys({"key": "a secret of some length"})
ROOM = "room"


class Asked:
    """What came of one request."""

    def __init__(self) -> None:
        self.status = 0
        self.body = b""

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            for name, value in message["headers"]:
                assert b"\n" not in name + value, "a header of two lines"
        else:
            self.body += message.get("body", b"")


class Server:
    """Our product with the slice `media` alone."""

    def __init__(self, **media_settings: Any) -> None:
        self.clock = ManualClock()
        self._folder = tempfile.TemporaryDirectory()
        secrets = {KEYS.primary: KEYS.secret(KEYS.primary)}
        settings = Settings(
            data_dir=Path(self._folder.name),
            media=MediaSettings(api_keys=secrets, **media_settings),
            limits=LimitsSettings(lookups_per_source=1_000_000),
        )
        self.product: Product = build(
            settings, clock=self.clock, slices=(media.SLICE,), process_metrics=False
        )
        self.product.app.is_ready = True

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: bytes = b"",
        body: bytes = b"",
        headers: Sequence[tuple[bytes, bytes]] = (),
    ) -> Asked:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "scheme": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "root_path": "",
            "headers": [(b"host", b"localhost"), *headers],
            "client": ("192.0.2.1", 40_000),
            "server": ("localhost", 8080),
            "state": {},
        }
        messages = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        asked = Asked()
        await self.product.web(scope, receive, asked.send)
        return asked

    def close(self) -> None:
        self._folder.cleanup()


class Meeting(Server):
    """With an engine of our own without media, and two people in a room."""

    def __init__(self) -> None:
        super().__init__(engine="fake")
        self.engine = self.product.app.use(SignalEngine)
        self.people: list[int] = []

    async def open(self) -> None:
        await self.engine.start(ticking=False)
        for identity in ("alice", "bob"):
            connection = self.engine.connect(SocketQueue())
            claims = Claims(identity=identity, room=ROOM, permission=Permission())
            self.engine.join(connection, claims, rtc.JoinRequest())
            self.engine.receive(connection, _track().SerializeToString())
            self.people.append(connection)

    async def end(self) -> None:
        for connection in self.people:
            self.engine.disconnect(connection)
        await self.engine.stop()
        self.close()


def _track() -> rtc.SignalRequest:
    request = rtc.AddTrackRequest(
        cid="microphone", type=models.TrackType.AUDIO, source=models.TrackSource.MICROPHONE
    )
    return rtc.SignalRequest(add_track=request)
