"""`SignalEngine`: the MediaEngine of this process, signalling machine plus transport.

The shell around `signal.Signalling`: it owns the sockets, the clock, the random sids, the keys and
the transport, feeds the machine and carries its effects out in order. Must never decide what a
client's message means.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

import structlog
from livekit.protocol import rtc, webhook

from conclave.kernel.clock import Clock
from conclave.kernel.errors import Unavailable
from conclave.media import tokens
from conclave.media.engine import (
    Connection,
    Gate,
    Participant,
    Permission,
    Room,
    RoomEvent,
    RoomListener,
)
from conclave.media.keys import ApiKeys
from conclave.media.metrics import SignalCounters
from conclave.media.pings import Pongs
from conclave.media.signal import Effect, Instant, Limits, Signalling, effects
from conclave.media.signal.wire import Unreadable, parse_frame
from conclave.media.sockets import Frames, SocketQueue
from conclave.media.tokens import Claims
from conclave.media.transport import EventsLost, Transport, TransportEvent

Observer = Callable[[webhook.WebhookEvent], None]

TICK = 1.0
FLUSH_TIMEOUT = 1.0

log = structlog.get_logger()


def random_sid(prefix: str) -> str:
    """Like LiveKit's: the prefix and twelve characters nobody can guess."""
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
    return prefix + "".join(secrets.choice(alphabet) for _ in range(14))


class SignalEngine:
    """Implements `MediaEngine`. `start` before anything else; single event loop."""

    def __init__(
        self,
        *,
        transport: Callable[[], Transport],
        keys: Callable[[], ApiKeys],
        clock: Clock,
        counters: SignalCounters,
        limits: Limits | None = None,
        new_sid: Callable[[str], str] = random_sid,
        pongs: Pongs | None = None,
    ) -> None:
        """`transport` and `keys` are called at start: they bind sockets and read files."""
        self._pongs = pongs
        self.limits = limits or Limits()
        self.counters = counters
        self.machine = Signalling(self.limits, new_sid)
        self.is_draining = False
        self._make_transport = transport
        self._load_keys = keys
        self._clock = clock
        self._transport: Transport | None = None
        self._keys: ApiKeys | None = None
        self._gate: Gate | None = None
        self._listeners: list[RoomListener] = []
        self._observer: Observer | None = None
        self._events: asyncio.Queue[RoomEvent] = asyncio.Queue()
        self._sockets: dict[effects.Connection, SocketQueue] = {}
        self._next_connection = 1
        self._tasks: list[asyncio.Task[None]] = []

    # --- life
    async def start(self, *, ticking: bool = True) -> None:
        """Raises `OSError` when a port is taken, `Invalid` for keys that cannot be used."""
        self._keys = self._load_keys()
        self._transport = self._make_transport()
        self._transport.start(self._on_transport_events)
        self.is_draining = False
        self._tasks.append(asyncio.create_task(self._dispatch_events()))
        if ticking:
            self._tasks.append(asyncio.create_task(self._tick_forever()))

    async def drain(self) -> None:
        """Say goodbye to every client, so that it comes back by itself; at most a second."""
        if self.is_draining or self._transport is None:
            return
        self.is_draining = True
        self._execute(self.machine.shutdown(self.now()))
        waiting = [asyncio.ensure_future(s.closed.wait()) for s in self._sockets.values()]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=FLUSH_TIMEOUT)
            for waiter in late:
                waiter.cancel()

    async def stop(self) -> None:
        await self.drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        while not self._events.empty():
            await self._tell(self._events.get_nowait())
        if self._transport is not None:
            self._transport.stop()
            self._transport = None

    @property
    def transport(self) -> Transport:
        if self._transport is None:
            msg = "the media engine is not running"
            raise Unavailable(msg)
        return self._transport

    @property
    def keys(self) -> ApiKeys:
        if self._keys is None:
            msg = "the media engine is not running"
            raise Unavailable(msg)
        return self._keys

    def stats(self) -> Mapping[str, object]:
        """The transport's counters; empty while it does not run."""
        return self._transport.stats() if self._transport is not None else {}

    def tick(self) -> None:
        self._execute(self.machine.tick(self.now()))

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            try:
                self.tick()
            except Exception:
                log.exception("signalling tick failed")

    # --- sockets (routes.py)
    def verify(self, token: str) -> Claims:
        """Raises `tokens.TokenRefused`."""
        return tokens.verify(token, self.keys, self._clock.now())

    def verify_api(self, token: str) -> Claims:
        """For RoomService; never lets anybody join. Raises `tokens.TokenRefused`."""
        return tokens.verify_api(token, self.keys, self._clock.now())

    async def may_enter(self, claims: Claims) -> bool:
        """The gate of the slices above, asked at every join."""
        return self._gate is None or await self._gate(claims.room, claims.identity)

    def connect(self, socket: SocketQueue) -> effects.Connection:
        connection = self._next_connection
        self._next_connection += 1
        self._sockets[connection] = socket
        return connection

    def join(
        self,
        connection: effects.Connection,
        claims: Claims,
        request: rtc.JoinRequest,
        *,
        dual: bool = False,
    ) -> None:
        """The first thing on a fresh socket; answered by `join`, `reconnect` or `leave`.

        `dual`: the client has two connections.
        """
        now = self.now()
        if request.reconnect:
            sid = self.machine.resumable(claims, request, now, dual=dual)
            sequence = self.transport.last_reliable_sequence(sid) if sid else 0
            result = self.machine.resume(connection, claims, request, sequence, now, dual=dual)
        else:
            result = self.machine.join(connection, claims, request, now, dual=dual)
        self._execute(result)

    def receive(self, connection: effects.Connection, frame: bytes | str) -> None:
        socket = self._sockets.get(connection)
        if socket is None:
            return
        request: rtc.SignalRequest | None
        try:
            request = parse_frame(frame)
            socket.is_text = isinstance(frame, str)
        except Unreadable:
            request = None
        self._execute(self.machine.handle(connection, request, self.now()))

    def pong(self, connection: effects.Connection, data: bytes) -> tuple[bytes, int]:
        """Answer the pings at the beginning of what came on a socket: raw frames, and how many
        bytes of `data` they were. What is left, and pings beyond the rate, is for `receive`."""
        if self._pongs is None:
            return b"", 0
        now = self.now()
        answers, size, count = self._pongs(data, int(now.at.timestamp() * 1000))
        if count == 0 or not self.machine.pinged(connection, count, now):
            return b"", 0
        return answers, size

    def disconnect(self, connection: effects.Connection) -> None:
        """The socket is gone."""
        socket = self._sockets.pop(connection, None)
        if socket is not None:
            socket.closed.set()
            self._execute(self.machine.socket_lost(connection, self.now()))

    # --- RoomService and webhooks (service/, webhooks/)
    def perform(self, turn: Callable[[Signalling, Instant], list[Effect]]) -> None:
        """Carry out one turn of the machine; raises what the machine does."""
        self._execute(turn(self.machine, self.now()))

    def observe(self, observer: Observer) -> None:
        """`observer` is told of everything that LiveKit's webhooks tell, at once and in order. It
        must return at once and not raise."""
        self._observer = observer
        self.machine.world.is_observed = True

    # --- MediaEngine
    def mint(
        self,
        room: str,
        identity: str,
        *,
        name: str = "",
        permission: Permission | None = None,
        attributes: Mapping[str, str] | None = None,
        metadata: str = "",
        lifetime: timedelta = timedelta(minutes=10),
        is_admin: bool = False,
    ) -> Connection:
        claims = Claims(
            identity=identity,
            room=room,
            name=name,
            metadata=metadata,
            attributes=dict(attributes or {}),
            permission=permission or Permission(),
            is_admin=is_admin,
        )
        token = tokens.mint(claims, self.keys, self._clock.now(), lifetime)
        return Connection(url="", token=token)

    def subscribe(self, listener: RoomListener) -> None:
        self._listeners.append(listener)

    def set_gate(self, gate: Gate) -> None:
        self._gate = gate

    async def create_room(self, room: str, *, empty_timeout: timedelta | None = None) -> Room:
        seconds = None if empty_timeout is None else empty_timeout.total_seconds()
        self._execute(self.machine.create_room(room, seconds, self.now()))
        return self.machine.room(room).view()

    async def delete_room(self, room: str) -> None:
        self._execute(self.machine.delete_room(room, self.now()))

    async def list_rooms(self) -> Sequence[Room]:
        return [room.view() for room in self.machine.world.rooms.values()]

    async def list_participants(self, room: str) -> Sequence[Participant]:
        return [p.view() for p in self.machine.room(room).participants.values()]

    async def remove_participant(self, room: str, identity: str) -> None:
        self._execute(self.machine.remove_participant(room, identity, self.now()))

    async def mute_track(self, room: str, identity: str, track: str, muted: bool) -> None:
        self._execute(self.machine.mute_track(room, identity, track, muted=muted, now=self.now()))

    async def update_participant(
        self,
        room: str,
        identity: str,
        *,
        permission: Permission | None = None,
        name: str | None = None,
        metadata: str | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> Participant:
        self._execute(
            self.machine.update_participant(
                room,
                identity,
                permission=permission,
                name=name,
                metadata=metadata,
                attributes=attributes,
                now=self.now(),
            )
        )
        return self.machine.participant(room, identity).view()

    async def send_data(
        self,
        room: str,
        payload: bytes,
        *,
        topic: str = "",
        reliable: bool = True,
        identities: Sequence[str] = (),
    ) -> None:
        self._execute(
            self.machine.send_data(
                room,
                payload,
                topic=topic,
                reliable=reliable,
                identities=identities,
                now=self.now(),
            )
        )

    async def request_keyframes(self, room: str) -> None:
        self.machine.room(room)
        self.transport.request_keyframes(room)

    # --- inside
    def now(self) -> Instant:
        return Instant(self._clock.now(), self._clock.monotonic())

    def _on_transport_events(self, events: Sequence[TransportEvent]) -> None:
        for event in events:
            if isinstance(event, EventsLost):
                log.error(
                    "transport events lost: the event loop did not keep up", count=event.count
                )
            # One event that cannot be handled must not take the rest of the batch with it.
            try:
                self._execute(self.machine.transport_events((event,), self.now()))
            except Exception:
                log.exception("transport event failed", kind=type(event).__name__)

    def _execute(self, todo: list[Effect]) -> None:
        overflowed: list[effects.Connection] = []
        for effect in todo:
            match effect:
                case effects.Send():
                    overflowed += self._send(effect.connections, effect.message)
                case effects.SendToken():
                    token = tokens.mint(
                        effect.claims, self.keys, self._clock.now(), self.limits.token_lifetime
                    )
                    message = rtc.SignalResponse(refresh_token=token)
                    overflowed += self._send((effect.connection,), message)
                case effects.CloseSocket():
                    socket = self._sockets.get(effect.connection)
                    if socket is not None:
                        socket.end(effect.code, effect.reason)
                case effects.Announce():
                    self._events.put_nowait(effect.event)
                case effects.Notify():
                    if self._observer is not None:
                        self._observer(effect.event)
                case effects.Count():
                    self.counters.count(effect.counter, effect.label)
                case _:
                    self._command(effect)
        for connection in overflowed:
            self.counters.slow_sockets.inc()
            self._execute(self.machine.socket_lost(connection, self.now()))

    def _send(
        self, connections: Sequence[effects.Connection], message: rtc.SignalResponse
    ) -> list[effects.Connection]:
        """Returns the connections whose client does not read."""
        frames = Frames(message)
        full = []
        for connection in connections:
            socket = self._sockets.get(connection)
            if socket is not None and not socket.put(frames):
                full.append(connection)
        return full

    def _command(self, command: effects.Command) -> None:
        try:
            command.apply(self.transport)
        except ValueError as error:
            # The engine checks again what the machine has let through.
            self.counters.count("malformed", "command")
            log.warning("transport refused a command", kind=type(command).__name__, why=str(error))
        except Unavailable as error:
            # Its participant is left behind by the engine and drops out by a timeout.
            self.counters.count("refused", "engine_unavailable")
            log.error("transport takes no command", kind=type(command).__name__, why=error.detail)

    async def _dispatch_events(self) -> None:
        while True:
            event = await self._events.get()
            await self._tell(event)

    async def _tell(self, event: RoomEvent) -> None:
        for listener in self._listeners:
            try:
                await listener(event)
            except Exception:
                log.exception("room listener failed", kind=type(event).__name__)
