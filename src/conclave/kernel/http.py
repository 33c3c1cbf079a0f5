"""What every request passes on its way in and every response on its way out.

`Guard` is the outermost layer: request id, security headers, the origin rule for unsafe API calls,
the bound on bodies, access log, metrics, and the last catch. The signalling endpoints (`/rtc*`)
are guarded by their token and set their own CORS headers; here they only get the common headers.
Must never log a query string (it holds tokens) or a full address.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from conclave.kernel.app import App
from conclave.kernel.clock import Clock
from conclave.kernel.csp import STRICT_TRANSPORT_SECURITY, security_headers
from conclave.kernel.errors import ConclaveError, Forbidden, Invalid, TooLarge, Unavailable
from conclave.kernel.origin import is_own_origin, split_host
from conclave.kernel.problems import internal_error, problem_of
from conclave.kernel.ratelimit import shortened, source_of

BODY_LIMIT = 64 * 1024
BODY_TIMEOUT_S = 20.0
API = "/api/"
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

log = structlog.get_logger()


def source(connection: HTTPConnection) -> str:
    """Who counts as one source for rate limits."""
    return source_of(connection.client.host if connection.client else None)


def base_url(app: App, connection: HTTPConnection) -> str:
    """scheme://host under which the asker sees us: for links in answers."""
    public_url = app.settings.http.public_url
    if public_url is not None:
        return public_url
    secure = connection.url.scheme in {"https", "wss"}
    host = connection.headers.get("host", "")
    if split_host(host) is None:
        return local_url(app)
    return f"{'https' if secure else 'http'}://{host.lower()}"


def local_url(app: App) -> str:
    """The address for links that are printed rather than asked for."""
    http = app.settings.http
    if http.public_url is not None:
        return http.public_url
    return f"{'http' if http.tls == 'off' else 'https'}://localhost:{app.port or http.port}"


def check_origin(app: App, connection: HTTPConnection) -> None:
    """`Forbidden` (code `origin`) unless the request comes from one of our own pages."""
    headers = connection.headers
    if not is_own_origin(
        headers.get("origin", ""), headers.get("host", ""), app.settings.http.public_url
    ):
        raise Forbidden(
            "This call is only for this server's own pages. If you reach the server through a "
            "proxy, set CONCLAVE_HTTP__PUBLIC_URL to the address that people use.",
            code="origin",
        )


class HttpMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "conclave_http_requests_total",
            "Requests answered, by route and status",
            ["method", "route", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "conclave_http_request_seconds",
            "Time from a request to the end of its answer, by route",
            ["route"],
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
        )
        self.refusals = Counter(
            "conclave_http_refusals_total",
            "Requests refused before they reached a route, by reason",
            ["reason"],
            registry=registry,
        )


class Guard:
    """ASGI middleware; see the module's docstring."""

    def __init__(
        self,
        inner: ASGIApp,
        app: App,
        metrics: HttpMetrics,
        *,
        body_limits: Mapping[str, int] | None = None,
        connects_to: Sequence[str] = (),
    ) -> None:
        self._inner = inner
        self._app = app
        self._metrics = metrics
        self._body_limits = body_limits or {}
        http = app.settings.http
        self._headers = security_headers(connects_to)
        if http.tls == "files" or (http.public_url or "").startswith("https:"):
            self._headers = (*self._headers, STRICT_TRANSPORT_SECURITY)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        clock = self._app.clock
        exchange = _Exchange(clock, send, self._headers, is_api=scope["path"].startswith(API))
        scope["state"] = {**scope.get("state", {}), "request_id": exchange.request_id}
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=exchange.request_id)
        try:
            if exchange.is_api:
                receive = await self._admit(scope, receive)
            await self._inner(scope, receive, exchange.send)
        except ConclaveError as error:
            self._metrics.refusals.labels(error.code).inc()
            await exchange.answer(problem_of(error), scope, receive)
        except Exception:
            log.exception("request failed", method=scope["method"], route=_route(scope))
            await exchange.answer(internal_error(exchange.request_id), scope, receive)
        finally:
            self._record(scope, exchange)

    async def _admit(self, scope: Scope, receive: Receive) -> Receive:
        connection = HTTPConnection(scope)
        if scope["method"] in _SAFE:
            return receive
        if not self._app.is_ready:
            raise Unavailable("The server is starting or stopping. Please try again in a moment.")
        check_origin(self._app, connection)
        if connection.headers.get("x-conclave") != "1":
            raise Forbidden("The header X-Conclave: 1 is missing.", code="header")
        limit = self._body_limits.get(scope["path"], BODY_LIMIT)
        return await bounded_body(connection.headers, receive, limit)

    def _record(self, scope: Scope, exchange: _Exchange) -> None:
        route = _route(scope)
        seconds = self._app.clock.monotonic() - exchange.started_at
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.requests.labels(method, route, str(exchange.status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)
        client = scope.get("client")
        log.debug(
            "request",
            method=method,
            route=route,
            status=exchange.status,
            ms=round(seconds * 1000, 1),
            source=shortened(client[0] if client else None),
        )


class _Exchange:
    """One request's answer: knows whether it has begun, and adds the common headers."""

    def __init__(
        self, clock: Clock, send: Send, headers: tuple[tuple[str, str], ...], *, is_api: bool
    ) -> None:
        self.started_at = clock.monotonic()
        self.request_id = secrets.token_hex(8)
        self.is_api = is_api
        self.status = 0
        self._send = send
        self._headers = headers

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in self._headers:
                headers.setdefault(name, value)
            headers["x-request-id"] = self.request_id
            if self.is_api:
                headers.setdefault("cache-control", "no-store")
        await self._send(message)

    async def answer(self, response: Response, scope: Scope, receive: Receive) -> None:
        if self.status:
            # The answer has begun; cutting it short is all that is left.
            return
        await response(scope, receive, self.send)


async def bounded_body(headers: Headers, receive: Receive, limit: int) -> Receive:
    """Read the whole body (at most `limit`, within `BODY_TIMEOUT_S`), give it out again."""
    too_large = TooLarge(f"The request's body may hold at most {limit // 1024} kB.")
    stated = headers.get("content-length", "")
    if stated.isdecimal() and (len(stated) > 9 or int(stated) > limit):
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise Invalid("The connection ended before the request did.")
                body += message.get("body", b"")
                if len(body) > limit:
                    raise too_large
                if not message.get("more_body", False):
                    break
    except TimeoutError:
        raise Invalid("The request's body did not arrive in time.", code="body_timeout") from None
    whole: Message | None = {"type": "http.request", "body": bytes(body), "more_body": False}

    async def replay() -> Message:
        nonlocal whole
        if whole is not None:
            message, whole = whole, None
            return message
        return await receive()

    return replay


def _route(scope: Scope) -> str:
    """The route's pattern, never the path: a path may hold an id, and there are too many."""
    route = scope.get("route")
    return str(getattr(route, "path", "other"))
