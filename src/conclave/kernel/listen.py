"""The HTTP server's sockets and bounds: uvicorn inside our own event loop.

URLs up to 64 kB are taken because a media client's join request travels in one. Request lines,
headers and the time to send them are bounded; uvicorn itself bounds none of these with httptools.
Signals, logging and the App's life are the caller's (`conclave/serve.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import socket
from collections.abc import Iterator, Sequence
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import httptools
import uvicorn
import websockets.http11
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from conclave.kernel.errors import ConclaveError
from conclave.kernel.websocket import SocketProtocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from conclave.kernel.clock import Clock
    from conclave.kernel.tls import Certificate

URL_LIMIT = 64 * 1024
HEADERS_LIMIT = 32 * 1024
HEADER_COUNT_LIMIT = 100
HEAD_TIMEOUT_S = 15.0
WS_MESSAGE_LIMIT = 1024 * 1024
_CONTENT_TYPE = b"content-type: text/plain; charset=utf-8\r\n"


class PortTaken(ConclaveError):
    title = "The port is taken"


class AddressUnusable(ConclaveError):
    title = "The address cannot be used"


def bind(host: str, port: int) -> list[socket.socket]:
    """Sockets for `host`. `::` means every address of both families, each by a socket of its own,
    so that IPv4 clients keep their plain addresses; without IPv6 it means `0.0.0.0`.

    Raises `PortTaken`, or `AddressUnusable` for a host that is not of this machine.
    """
    if host != "::":
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return [_bind(family, host, port)]
    sockets: list[socket.socket] = []
    if socket.has_ipv6:
        with contextlib.suppress(AddressUnusable):
            sockets.append(_bind(socket.AF_INET6, "::", port))
    try:
        chosen = sockets[0].getsockname()[1] if sockets else port
        sockets.append(_bind(socket.AF_INET, "0.0.0.0", chosen))  # noqa: S104
    except ConclaveError:
        for bound in sockets:
            bound.close()
        raise
    return sockets


def _bind(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    try:
        bound = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:  # a kernel without this family
        raise AddressUnusable(f"{host} cannot be used ({error.strerror})") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(
                f"Port {port} is taken by another program: stop that, or choose another port with "
                "CONCLAVE_HTTP__PORT."
            ) from None
        if error.errno == errno.EACCES:
            raise PortTaken(
                f"Port {port} needs more rights than this account has: choose one above 1023 with "
                "CONCLAVE_HTTP__PORT."
            ) from None
        raise AddressUnusable(
            f"The address {host} cannot be used ({error.strerror}): set CONCLAVE_HTTP__HOST to an "
            "address of this machine, or to :: for all."
        ) from None
    bound.setblocking(False)
    return bound


@functools.lru_cache(maxsize=1)
def date_header(second: int) -> list[tuple[bytes, bytes]]:
    """`Date` (RFC 9110, 6.6.1) of this second since 1970."""
    return [(b"date", formatdate(second, usegmt=True).encode())]


class BoundedHttpProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 connection with bounds on the head of a request."""

    _head_size = 0
    _refused_with = 400
    _head_timer: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, clock: Clock, **options: Any) -> None:
        self._clock = clock
        super().__init__(*arguments, **options)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_done()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_size = 0
        if self._head_timer is None:
            self._await_head()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > URL_LIMIT:
            self._refuse(414, "the URL is too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value)
        if self._head_size > HEADERS_LIMIT or len(self.headers) >= HEADER_COUNT_LIMIT:
            self._refuse(431, "the headers are too large")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head_done()
        self._date_answers()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # A line that never ends reaches no callback: the timer ends it, and meanwhile the parser
        # holds none of it, for it hands out fragments as they come.
        if self.transport.is_closing():
            self._head_done()

    def send_400_response(self, msg: str) -> None:
        self._date_answers()
        if self._refused_with == 400:
            super().send_400_response(msg)
            return
        self.transport.write(
            STATUS_LINE[self._refused_with]
            + _CONTENT_TYPE
            + b"content-length: 0\r\nconnection: close\r\n\r\n"
        )
        self.transport.close()

    def _date_answers(self) -> None:
        self.server_state.default_headers = date_header(int(self._clock.now().timestamp()))

    def _refuse(self, status: int, reason: str) -> None:
        self._refused_with = status
        raise httptools.HttpParserError(reason)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._head_is_late)

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self.transport is not None and not self.transport.is_closing():
            self.transport.close()

    def _head_done(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class Server(uvicorn.Server):
    """Leaves signals to the caller, says when it listens, and is told when to leave."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self._leaving = asyncio.Event()

    def leave(self) -> None:
        self.should_exit = True
        self._leaving.set()

    async def main_loop(self) -> None:
        # uvicorn looks ten times a second, for a date that each request brings up to date here. An
        # idle server shall sleep, and one that carries media has better things to do.
        await self.on_tick(0)
        await self._leaving.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    def stop_listening(self) -> None:
        for server in self.servers:
            server.close()


def new_server(
    web: ASGIApp,
    *,
    clock: Clock,
    certificate: Certificate | None,
    trusted_proxies: Sequence[str],
) -> Server:
    """`clock` dates the answers."""
    # The WebSocket library reads the request again when a connection is upgraded. Its limit is a
    # module constant, by default 8 kB (or an environment variable read at import).
    websockets.http11.MAX_LINE_LENGTH = URL_LIMIT + 1024
    tls: dict[str, Any] = {}
    if certificate is not None:
        tls = {"ssl_certfile": certificate.cert_file, "ssl_keyfile": certificate.key_file}
    return Server(
        uvicorn.Config(
            web,
            http=functools.partial(BoundedHttpProtocol, clock=clock),  # type: ignore[arg-type]
            ws=SocketProtocol,
            ws_max_size=WS_MESSAGE_LIMIT,
            ws_per_message_deflate=False,
            # Each of our sockets has pings of its own, which say more: that the page at the other
            # end still runs. The media's come from the clients.
            ws_ping_interval=None,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
            timeout_graceful_shutdown=3,
            **tls,
        )
    )
