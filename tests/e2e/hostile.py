"""A delivery service that lies: the product itself, with hands on its sealing socket.

Pages, media and the honest service behind it are the real ones; what passes the sealing socket may
be withheld, altered, repeated, made up or passed to others. It knows what an operator knows: never
the fragment of a link. Runs in a thread, so that a test can press buttons meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from livekit.protocol import rtc
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from conclave import accounts
from conclave.app import build
from conclave.kernel.http import local_url
from conclave.kernel.listen import bind, new_server
from conclave.media.engine import MediaEngine
from conclave.media.signal_engine import SignalEngine
from conclave.meetings import Follower
from conclave.settings import HttpSettings, MediaSettings, Settings
from conclave_sealing import Engine
from conclave_sealing.bot import Bot
from conclave_sealing.context import MeetingContext, Policy
from conclave_sealing.keys import Link, b64, credential_of, identity_of, public_half, unb64
from conclave_sealing.member import Member
from tests.media.server import MediaServer, RawClient, free_udp_port

Frame = dict[str, Any]
Relabel = Callable[[rtc.SignalResponse], None]
Change = Callable[["Line", Frame], Iterable[Frame]]

PATIENCE_S = 30.0


def honest(_line: Line, frame: Frame) -> Iterable[Frame]:
    return [frame]


async def _anybody(_room: str, _identity: str) -> bool:
    return True


def _relabelling(send: Send, relabel: Relabel) -> Send:
    async def say(message: Message) -> None:
        if message["type"] == "websocket.send" and message.get("bytes") is not None:
            response = rtc.SignalResponse.FromString(message["bytes"])
            relabel(response)
            message = {**message, "bytes": response.SerializeToString()}
        await send(message)

    return say


class Line:
    """One sealing socket. `asked` and `told` are what really came from either end."""

    def __init__(self, server: HostileServer, send: Send) -> None:
        self.asked: list[Frame] = []
        self.told: list[Frame] = []
        self.seat = ""
        self.is_open = True
        self._server = server
        self._send = send

    def tell(self, *frames: Frame) -> None:
        """Something that the honest service never said. From the server's own thread or another."""
        self._server.run(self._tell(frames))

    async def _tell(self, frames: Iterable[Frame]) -> None:
        for frame in frames:
            if self.is_open:
                await self._send({"type": "websocket.send", "text": json.dumps(frame)})

    def from_service(self, message: Message) -> list[Message]:
        if message["type"] != "websocket.send" or message.get("text") is None:
            return [message]
        frame = json.loads(message["text"])
        self.told.append(frame)
        if frame["t"] == "hello":
            self.seat = frame["seat"]
        changed = self._server.to_people(self, frame)
        return [{"type": "websocket.send", "text": json.dumps(each)} for each in changed]

    def from_person(self, message: Message) -> list[Message]:
        if message["type"] != "websocket.receive" or message.get("text") is None:
            self.is_open = message["type"] != "websocket.disconnect"
            return [message]
        frame = json.loads(message["text"])
        self.asked.append(frame)
        changed = self._server.to_service(self, frame)
        return [{"type": "websocket.receive", "text": json.dumps(each)} for each in changed]


class HostileServer:
    def __init__(self, data_dir: Path) -> None:
        self.lines: list[Line] = []
        self.to_people: Change = honest
        """What becomes of a frame of the service on its way to somebody's browser."""
        self.to_service: Change = honest
        self.relabel: Relabel | None = None
        """What the media server tells of others to whoever joins its media from now on."""
        self.operator_link = ""
        self.port = 0
        data_dir.mkdir()
        self._settings = Settings(
            data_dir=data_dir,
            http=HttpSettings(host="127.0.0.1", port=0),
            media=MediaSettings(udp_port=free_udp_port(), shards=1, addresses=["127.0.0.1"]),
        )
        self._loop = asyncio.new_event_loop()
        self._is_ready = threading.Event()
        self._error: BaseException | None = None
        self._bots: list[Bot] = []
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    # --- its life
    def start(self) -> None:
        self._thread.start()
        assert self._is_ready.wait(PATIENCE_S), "the server did not start"
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)
        if self._error is not None:
            raise self._error

    def run(self, work: Any) -> Any:
        """From its own thread: begins it. From another: waits for the outcome."""
        if threading.current_thread() is self._thread:
            return self._loop.create_task(work)
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def _live(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.run(self._serve())
        except BaseException as error:
            self._error = error
        finally:
            self._is_ready.set()

    async def _serve(self) -> None:
        self._product = product = build(self._settings, process_metrics=False)
        sockets = bind("127.0.0.1", 0)
        product.app.port = self.port = sockets[0].getsockname()[1]
        server = new_server(
            self._between(product.web),
            clock=product.app.clock,
            certificate=None,
            trusted_proxies=[],
        )
        await product.start()
        serving = asyncio.create_task(server.serve(sockets=sockets))
        await server.listening.wait()
        token = await accounts.new_operator_link(product.app.db, product.app.clock)
        self.operator_link = f"{local_url(product.app)}/operator#{token}"
        self._is_ready.set()
        await self._stop.wait()
        for bot in self._bots:
            await bot.stop()
        server.stop_listening()
        await product.stop()
        server.leave()
        await serving

    def _between(self, web: ASGIApp) -> ASGIApp:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            is_media = scope["type"] == "websocket" and scope["path"].startswith("/rtc")
            if is_media and self.relabel is not None:
                await web(scope, receive, _relabelling(send, self.relabel))
                return
            if scope["type"] != "websocket" or not scope["path"].endswith("/sealing"):
                await web(scope, receive, send)
                return
            line = Line(self, send)
            self.lines.append(line)
            waiting: deque[Message] = deque()

            async def hear() -> Message:
                while not waiting:
                    waiting.extend(line.from_person(await receive()))
                return waiting.popleft()

            async def say(message: Message) -> None:
                for each in line.from_service(message):
                    await send(each)

            await web(scope, hear, say)
            line.is_open = False

        return app

    # --- what it can do
    def line(self, seat: str) -> Line:
        """The socket that this seat has now."""
        return next(each for each in reversed(self.lines) if each.seat == seat)

    def ticket(self, room: str, identity: str) -> str:
        self._open_media()
        return self._product.app.use(MediaEngine).mint(room, identity).token

    def media_client(self, room: str, identity: str) -> RawClient:
        """Somebody whom the server lets into the media all by itself, past its own gate."""

        async def join() -> RawClient:
            engine = self._product.app.use(MediaEngine)
            assert isinstance(engine, SignalEngine)
            media = MediaServer(engine, self.port, self._product.app)
            settings = rtc.ConnectionSettings(auto_subscribe=True)
            request = rtc.JoinRequest(connection_settings=settings)
            client = await RawClient.connect(media.v1_url(media.token(identity, room), request))
            await client.next("join")
            return client

        self._open_media()
        made: RawClient = self.run(join())
        return made

    def _open_media(self) -> None:
        """Nobody is refused at the media's door, nor taken out again."""

        async def open_door() -> None:
            app = self._product.app
            app.use(MediaEngine).set_gate(_anybody)
            await app.use(Follower).stop()

        self.run(open_door())

    def guest(self, link: Link, name: str) -> Bot:
        """A headless guest without media, in the server's thread; ends with the server."""

        async def come() -> Bot:
            bot = Bot(Member(link.meeting, name=name, link=link), f"ws://127.0.0.1:{self.port}")
            await bot.__aenter__()
            self._bots.append(bot)
            return bot

        made: Bot = self.run(come())
        return made


class Mallory:
    """The server's own member: an engine of its own, and every word that passed the server."""

    def __init__(self) -> None:
        self.seed = b"mallory's seed, of thirty-two ch"
        self.key = public_half(self.seed)
        self.engine = Engine(self.seed, credential_of(self.key, None))

    def identity(self, instance: str) -> str:
        return identity_of(self.key, unb64(instance))

    def pretend(self, meeting: str, instance: str, *, fingerprint: bytes) -> None:
        """A group under the name of somebody's sitting, by who has all of the link but its key."""
        guess = Link(meeting, bytes(16), fingerprint)
        context = MeetingContext.make(meeting, unb64(instance), self.key, guess, Policy())
        self.engine.create(unb64(instance), context.encode())

    def advance(self, epoch: int) -> None:
        """Empty commits, until its own group counts as far as the other."""
        while self.engine.facts().epoch < epoch:
            self.engine.commit()
            self.engine.merge()

    def welcome(self, key_package: str) -> tuple[str, str]:
        """Takes somebody who knocked into its own group: the Welcome, and their identity."""
        content = unb64(key_package)
        facts = self.engine.inspect(content)
        _, welcome = self.engine.commit(adds=[content])
        assert welcome is not None
        self.engine.merge()
        return b64(welcome), identity_of(facts.signature_key, self.engine.facts().group_id)


class Fork:
    """A second room under the name of the first: a delivery service for the few who are in it."""

    def __init__(self, lines: dict[str, Line]) -> None:
        self.lines = lines
        self.identities: dict[str, str] = {}
        self.seq = 1_000
        self.said: list[Frame] = []

    def _tell(self, frame: Frame, *, but: str = "") -> None:
        for seat, line in self.lines.items():
            if seat != but:
                line.tell(frame)

    def knock(self, inside: Line, line: Line, frame: Frame) -> None:
        line.tell({"t": "ok", "n": frame["n"]})
        fields = {name: frame[name] for name in ("key_package", "intro", "proof", "sign")}
        inside.tell({"t": "knock", "seat": line.seat, **fields})

    def take(self, newcomers: dict[str, Line], line: Line, frame: Frame) -> None:
        """What somebody of this room asks of the service."""
        if frame["t"] not in {"commit", "message"}:
            return
        self.seq += 1
        line.tell({"t": "ok", "n": frame["n"], "seq": self.seq})
        event = {"seq": self.seq, "epoch": frame["epoch"], "bytes": frame["bytes"]}
        self.said.append(frame)
        if frame["t"] == "message":
            self._tell({"t": "message", "from": line.seat, **event}, but=line.seat)
            return
        changes = {name: frame[name] for name in ("admitted", "removed")}
        self._tell({"t": "commit", "from": line.seat, **event, **changes})
        for entry in frame["admitted"]:
            newcomer = self.lines[entry["seat"]] = newcomers[entry["seat"]]
            welcome = {
                "t": "welcome",
                "seq": self.seq,
                "epoch": frame["epoch"] + 1,
                "bytes": frame["welcome"],
                "identity": entry["identity"],
                "ticket": {"url": "", "token": "none"},
                "seats": [],
            }
            newcomer.tell(welcome)
