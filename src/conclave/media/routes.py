"""LiveKit's endpoints: `/rtc/v1` and `/rtc` as WebSockets, `/rtc/v1/validate` and `/rtc/validate`.

With a `join_request` the client has one peer connection; without one, on `/rtc`, two.

Any origin may use them with a token, so `Origin` is echoed here and nowhere else in the product.
A refusal before the upgrade is an HTTP status with plain words; clients fetch the `validate` twin
to show those words, so both come from one function. Must never log a token.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from livekit.protocol import rtc
from starlette.requests import HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from conclave.kernel.slices import guarded
from conclave.kernel.websocket import DIRECT, Direct
from conclave.media.cors import cors_headers
from conclave.media.signal.parameters import parse_parameters
from conclave.media.signal.profile import excess, merged
from conclave.media.signal.state import Limits
from conclave.media.signal.wire import Unreadable, parse_join_request
from conclave.media.sockets import Goodbye, SocketQueue
from conclave.media.tokens import Claims, TokenRefused

if TYPE_CHECKING:
    from conclave.media.signal_engine import SignalEngine

ELSEWHERE = (
    "the media of this server are carried by a LiveKit server of its own: connect to the address "
    "that came with the token"
)

log = structlog.get_logger()


class Refused(Exception):
    def __init__(self, status: int, words: str, reason: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Admission:
    claims: Claims
    request: rtc.JoinRequest
    is_dual: bool
    """The client has two peer connections."""


def routes(engine: SignalEngine) -> Sequence[BaseRoute]:
    @guarded("LiveKit token")
    async def socket(websocket: WebSocket) -> None:
        await _serve(engine, websocket)

    @guarded("LiveKit token")
    async def validate(request: Request) -> Response:
        return await _validate(engine, request)

    return _at_rtc(socket, validate)


def elsewhere_routes() -> Sequence[BaseRoute]:
    """The same paths where a LiveKit cluster carries the media: nobody is let in here."""

    @guarded("nobody: another server has the media")
    async def socket(websocket: WebSocket) -> None:
        headers = cors_headers(websocket, "GET, HEAD, OPTIONS")
        await websocket.send_denial_response(PlainTextResponse(ELSEWHERE, 404, headers=headers))

    @guarded("nobody: another server has the media")
    async def answer(request: Request) -> Response:
        headers = {**cors_headers(request, "GET, HEAD, OPTIONS"), "Cache-Control": "no-store"}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        return PlainTextResponse(ELSEWHERE, 404, headers=headers)

    return _at_rtc(socket, answer)


def _at_rtc(
    socket: Callable[[WebSocket], Awaitable[None]],
    validate: Callable[[Request], Awaitable[Response]],
) -> Sequence[BaseRoute]:
    methods = ["GET", "HEAD", "OPTIONS"]
    return [
        WebSocketRoute("/rtc", socket, name="rtc"),
        WebSocketRoute("/rtc/v1", socket, name="rtc_v1"),
        Route("/rtc/validate", validate, methods=methods, name="rtc_validate"),
        Route("/rtc/v1/validate", validate, methods=methods, name="rtc_v1_validate"),
    ]


async def admit(engine: SignalEngine, connection: HTTPConnection) -> Admission:
    """Everything that can be said before a socket is open; raises `Refused`."""
    if engine.is_draining:
        raise Refused(503, "the server is restarting, please try again", "draining")
    try:
        claims = engine.verify(_token(connection))
    except TokenRefused as refusal:
        raise Refused(401, str(refusal), refusal.reason) from None
    encoded = connection.query_params.get("join_request", "")
    if not encoded and connection.url.path.startswith("/rtc/v1"):
        raise Refused(400, "join_request is missing", "join_request")
    try:
        if encoded:
            request = parse_join_request(encoded)
        else:
            request = parse_parameters(connection.query_params)
    except Unreadable as error:
        engine.counters.count("malformed", "join_request")
        raise Refused(400, str(error), "join_request") from None
    claims = _with_own_wishes(claims, request, engine.limits)
    if not request.reconnect:
        await _check_entry(engine, claims)
    return Admission(claims, request, is_dual=not encoded)


async def _check_entry(engine: SignalEngine, claims: Claims) -> None:
    if not engine.machine.has_place(claims):
        raise Refused(403, "the room is full", "room_full")
    if engine.machine.is_revoked(claims) or not await engine.may_enter(claims):
        words = "this room is closed to you: it has ended, or you were removed from it"
        raise Refused(403, words, "gate")


def _with_own_wishes(claims: Claims, request: rtc.JoinRequest, limits: Limits) -> Claims:
    """Metadata and attributes that a client brings itself, if its token lets it."""
    if request.reconnect or not (request.metadata or request.participant_attributes):
        return claims
    if not claims.permission.can_update_own_metadata:
        words = "the access token does not allow to set metadata or attributes"
        raise Refused(401, words, "metadata")
    claims = merged(
        claims,
        metadata=request.metadata or None,
        # An empty value would remove what the token says; at a join it says nothing.
        attributes={k: v for k, v in request.participant_attributes.items() if v},
    )
    words = excess(claims, limits)
    if words:
        raise Refused(400, words, "metadata")
    return claims


def _token(connection: HTTPConnection) -> str:
    header = connection.headers.get("authorization", "")
    if header:
        scheme, _, token = header.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""
    return connection.query_params.get("access_token", "")


async def _validate(engine: SignalEngine, request: Request) -> Response:
    headers = {**cors_headers(request, "GET, HEAD, OPTIONS"), "Cache-Control": "no-store"}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=headers)
    try:
        await admit(engine, request)
    except Refused as refusal:
        return PlainTextResponse(refusal.words, refusal.status, headers=headers)
    return PlainTextResponse("success", headers=headers)


async def _serve(engine: SignalEngine, websocket: WebSocket) -> None:
    try:
        admission = await admit(engine, websocket)
    except Refused as refusal:
        engine.counters.count("refused", refusal.reason)
        headers = cors_headers(websocket, "GET, HEAD, OPTIONS")
        await websocket.send_denial_response(
            PlainTextResponse(refusal.words, refusal.status, headers=headers)
        )
        return
    await websocket.accept()
    if engine.is_draining:
        # The stop began while this one waited at the door.
        await websocket.close(1012, "the server is restarting")
        return
    queue = SocketQueue()
    connection = engine.connect(queue)
    try:
        # From here to the transport's answer nothing waits.
        engine.join(connection, admission.claims, admission.request, dual=admission.is_dual)
        _shorten(engine, websocket, queue, connection)
        await _run(engine, websocket, queue, connection)
    finally:
        engine.disconnect(connection)


def _shorten(
    engine: SignalEngine, websocket: WebSocket, queue: SocketQueue, connection: int
) -> None:
    """Most frames are pings: where the server can, they are answered without waking a task, and
    before anything else looks at them."""
    extension = websocket.scope.get("extensions", {}).get(DIRECT)
    if extension is None:
        return
    direct: Direct = extension["socket"]

    def receive(frame: bytes) -> None:
        try:
            engine.receive(connection, frame)
        except Exception:
            log.exception("signalling socket failed")
            queue.end(1011, "internal error")

    queue.write_now = direct.write
    direct.listen(receive, functools.partial(engine.pong, connection))


async def _run(
    engine: SignalEngine, websocket: WebSocket, queue: SocketQueue, connection: int
) -> None:
    """Both directions, until either ends."""
    reader = asyncio.create_task(_read(engine, websocket, connection))
    writer = asyncio.create_task(_write(websocket, queue))
    try:
        await asyncio.wait((reader, writer), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (reader, writer):
            task.cancel()
        results = await asyncio.gather(reader, writer, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
            log.error("signalling socket failed", exc_info=result)


async def _read(engine: SignalEngine, websocket: WebSocket, connection: int) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        frame = message.get("bytes")
        if frame is None:
            frame = message.get("text") or ""
        engine.receive(connection, frame)


async def _write(websocket: WebSocket, queue: SocketQueue) -> None:
    while True:
        entry = await queue.get()
        try:
            if isinstance(entry, Goodbye):
                await websocket.close(entry.code, entry.reason)
                return
            if isinstance(entry, str):
                await websocket.send_text(entry)
            else:
                await websocket.send_bytes(entry)
        except (WebSocketDisconnect, RuntimeError, OSError):
            # The client has gone in the middle; the reader learns it too.
            return
