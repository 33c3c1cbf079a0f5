"""`/twirp/*`: from an HTTP request to a call of RoomService, and its answer.

Bounded before anything is read: the route, then the token, then at most 1 MB of body. Must never
log a token or a body, nor ask for less than a token signed with an API key of this server.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from conclave.kernel.errors import ConclaveError, LimitReached, TooLarge, Unavailable
from conclave.kernel.http import bounded_body, source
from conclave.kernel.ratelimit import Rate
from conclave.kernel.slices import guarded
from conclave.media.cors import cors_headers
from conclave.media.service import calls, twirp
from conclave.media.service.twirp import TwirpError
from conclave.media.tokens import Claims, TokenRefused

if TYPE_CHECKING:
    from conclave.kernel.app import App
    from conclave.media.signal_engine import SignalEngine

BODY_LIMIT = 1024 * 1024
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_PREFIX = f"/twirp/{calls.SERVICE}/"

log = structlog.get_logger()


def routes(app: App, engine: SignalEngine) -> Sequence[BaseRoute]:
    @guarded("LiveKit API token")
    async def endpoint(request: Request) -> Response:
        return await _answer(app, engine, request)

    return [Route("/twirp/{path:path}", endpoint, methods=_METHODS, name="twirp")]


async def _answer(app: App, engine: SignalEngine, request: Request) -> Response:
    headers = {**cors_headers(request, "POST, OPTIONS"), "Cache-Control": "no-store"}
    if request.method == "OPTIONS":
        return Response(status_code=204, headers=headers)
    method = request.url.path.removeprefix(_PREFIX)
    label = method if method in calls.CALLS else "other"
    try:
        encoding, body = await _call(app, engine, request, method)
    except TwirpError as error:
        engine.counters.api_calls.labels(label, error.code).inc()
        return Response(error.body(), error.status, headers, media_type=twirp.JSON)
    except Exception:
        # The client expects Twirp's form of an error also then.
        log.exception("call of the server API failed", method=label)
        failure = TwirpError("internal", "the server met an error of its own")
        engine.counters.api_calls.labels(label, failure.code).inc()
        return Response(failure.body(), failure.status, headers, media_type=twirp.JSON)
    engine.counters.api_calls.labels(label, "ok").inc()
    return Response(body, headers=headers, media_type=encoding)


async def _call(app: App, engine: SignalEngine, request: Request, method: str) -> tuple[str, bytes]:
    call = calls.CALLS.get(method)
    if call is None:
        raise TwirpError("bad_route", f"only the methods of {calls.SERVICE} are here")
    if request.method != "POST":
        raise TwirpError("bad_route", "only POST is allowed")
    if engine.is_draining or not app.is_ready:
        raise TwirpError("unavailable", "the server is starting or stopping, please try again")
    claims = _authenticate(app, engine, request)
    encoding = twirp.encoding_of(request.headers.get("content-type", ""))
    message = twirp.parse(call.request, encoding, await _body(request))
    return encoding, twirp.render(calls.perform(call, engine, claims, message), encoding)


def _authenticate(app: App, engine: SignalEngine, request: Request) -> Claims:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        return engine.verify_api(token.strip() if scheme.lower() == "bearer" else "")
    except TokenRefused as refusal:
        rate = Rate(app.settings.limits.lookups_per_source, 60)
        try:
            app.limiter.hit("twirp_refused", source(request), rate)
        except LimitReached as limit:
            raise TwirpError("resource_exhausted", limit.detail) from None
        raise TwirpError("unauthenticated", str(refusal)) from None
    except Unavailable as error:
        raise TwirpError("unavailable", error.detail) from None


async def _body(request: Request) -> bytes:
    try:
        receive = await bounded_body(request.headers, request.receive, BODY_LIMIT)
        message = await receive()
    except TooLarge as error:
        raise TwirpError("invalid_argument", error.detail) from None
    except ConclaveError as error:
        raise TwirpError("malformed", error.detail) from None
    body: bytes = message["body"]
    return body
