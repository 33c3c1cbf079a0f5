"""`POST /livekit/webhook`: what a LiveKit cluster tells of its rooms, checked and passed on.

As LiveKit signs it: `Authorization` holds a token of a known API key whose claim `sha256` is the
body's. Nothing of the body is read before that holds. Events are taken once (by id) and not when
they are old. Must never log what a webhook holds, nor say why a signature was refused.
"""

from __future__ import annotations

import asyncio
import hmac
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import structlog
from livekit.protocol.webhook import WebhookEvent
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from conclave.kernel.clock import Clock
from conclave.kernel.errors import Unavailable
from conclave.kernel.slices import guarded
from conclave.media import tokens
from conclave.media.keys import ApiKeys
from conclave.media.livekit.engine import ClusterEngine
from conclave.media.protojson import from_json
from conclave.media.tokens import MAX_IDENTITY, MAX_ROOM_NAME, TokenRefused

PATH = "/livekit/webhook"
MAX_BODY = 1024 * 1024
BODY_TIMEOUT_S = 10.0
MAX_AGE = timedelta(minutes=6)
"""A cluster keeps an event for half a minute and signs each try for five."""
MAX_AHEAD = timedelta(minutes=1)
IDS_KEPT = 50_000

log = structlog.get_logger()


class Rejected(Exception):
    """`reason` is for the metrics, `words` for who runs the cluster."""

    def __init__(self, status: int, words: str, reason: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words
        self.reason = reason


class Inbox:
    """Which webhooks are genuine and new; sans-IO."""

    def __init__(self, keys: ApiKeys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock
        self._seen: OrderedDict[str, datetime] = OrderedDict()

    def opened(self, authorization: str, body: bytes) -> WebhookEvent | None:
        """The event; None for one that was here before. Raises `Rejected`."""
        self._check_signature(authorization, body)
        event = _parsed(body)
        if not self._is_of_now(event):
            raise Rejected(400, "the event is too old, or a clock is wrong", "stale")
        return event if event.id not in self._seen else None

    def remember(self, event: WebhookEvent) -> None:
        """From now on this event is one that was here before."""
        now = self._clock.now()
        self._seen[event.id] = now
        while self._seen and (
            len(self._seen) > IDS_KEPT
            or now - next(iter(self._seen.values())) > MAX_AGE + MAX_AHEAD
        ):
            self._seen.popitem(last=False)

    def _check_signature(self, authorization: str, body: bytes) -> None:
        refused = Rejected(401, "this is not signed as a webhook of our LiveKit server", "unsigned")
        token = authorization.strip()
        if token[:7].lower() == "bearer ":
            token = token[7:].strip()
        try:
            payload = tokens.signed_payload(token, self._keys, self._clock.now())
        except TokenRefused:
            raise refused from None
        claimed = payload.get("sha256")
        digest = b64encode(sha256(body).digest())
        if not isinstance(claimed, str) or not hmac.compare_digest(
            claimed.encode("utf-8", "surrogatepass"), digest
        ):
            raise refused

    def _is_of_now(self, event: WebhookEvent) -> bool:
        at, now = event.created_at, self._clock.now().timestamp()
        return -MAX_AGE.total_seconds() <= at - now <= MAX_AHEAD.total_seconds()


def _parsed(body: bytes) -> WebhookEvent:
    try:
        event = from_json(WebhookEvent(), body)
    except ValueError:
        raise Rejected(400, "this is no webhook event", "malformed") from None
    if not event.id or len(event.id) > 128:
        raise Rejected(400, "the event has no id", "malformed")
    return event


def routes(engine: ClusterEngine, clock: Clock) -> Sequence[BaseRoute]:
    inbox = Inbox(engine.keys, clock)

    @guarded("LiveKit webhook signature")
    async def webhook(request: Request) -> Response:
        return await _receive(engine, inbox, request)

    return [Route(PATH, webhook, methods=["POST"], name="livekit_webhook")]


async def _receive(engine: ClusterEngine, inbox: Inbox, request: Request) -> Response:
    try:
        if not engine.is_running:
            raise Rejected(503, "the server is starting or stopping", "not_ready")
        body = await _body(request)
        event = inbox.opened(request.headers.get("authorization", ""), body)
        outcome = "repeated" if event is None else _note(engine, event)
        if event is not None:
            inbox.remember(event)
    except Rejected as rejection:
        engine.counters.webhooks.labels(rejection.reason).inc()
        return PlainTextResponse(rejection.words, rejection.status)
    except Unavailable as error:
        # The cluster sends it again.
        engine.counters.webhooks.labels("overloaded").inc()
        return PlainTextResponse(error.detail, 503)
    engine.counters.webhooks.labels(outcome).inc()
    return PlainTextResponse("ok")


async def _body(request: Request) -> bytes:
    too_large = Rejected(413, f"a webhook may have {MAX_BODY // 1024} kB", "too_large")
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and (len(stated) > 9 or int(stated) > MAX_BODY):
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise too_large
    except TimeoutError:
        raise Rejected(408, "the webhook's body did not arrive in time", "slow") from None
    except ClientDisconnect:
        raise Rejected(400, "the connection ended before the webhook did", "cut_off") from None
    return bytes(body)


def _note(engine: ClusterEngine, event: WebhookEvent) -> str:
    """Pass the event on; what it is to us, for the metrics."""
    room, who = event.room.name, event.participant
    if not room or len(room.encode()) > MAX_ROOM_NAME:
        return "ignored"
    match event.event:
        case "room_started":
            engine.note_started(room)
        case "room_finished":
            engine.note_finished(room)
        case "participant_joined" | "participant_left" | "participant_connection_aborted":
            if not who.identity or not who.sid or len(who.identity.encode()) > MAX_IDENTITY:
                return "ignored"
            note = engine.note_joined if event.event == "participant_joined" else engine.note_left
            note(room, who.identity, who.sid)
        case _:
            return "ignored"
    return "taken"
