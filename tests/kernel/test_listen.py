"""The HTTP server over real sockets: bounds on the head of a request, and ports."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from starlette.types import Message, Receive, Scope, Send

from conclave.kernel import listen
from conclave.kernel.clock import ManualClock
from conclave.kernel.listen import AddressUnusable, PortTaken, bind, new_server

pytestmark = pytest.mark.unit

seen: list[Scope] = []


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers 200; a WebSocket is accepted and closed, or refused at `/refused`."""
    seen.append(scope)
    if scope["type"] == "websocket":
        await receive()
        if scope["path"] == "/refused":
            head: Message = {"type": "websocket.http.response.start", "status": 401, "headers": []}
            await send(head)
            body: Message = {"type": "websocket.http.response.body", "body": b"the token "}
            await send({**body, "more_body": True})
            await send({**body, "body": b"is too old"})
            return
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": 1000})
        return
    start: Message = {"type": "http.response.start", "status": 200, "headers": []}
    await send(start)
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def port(clock: ManualClock) -> AsyncIterator[int]:
    seen.clear()
    sockets = bind("127.0.0.1", 0)
    server = new_server(echo, clock=clock, certificate=None, trusted_proxies=[])
    serving = asyncio.create_task(server.serve(sockets=sockets))
    await server.listening.wait()
    yield sockets[0].getsockname()[1]
    server.leave()
    await serving


async def _ask(port: int, request: bytes) -> bytes:
    """Everything the server sends until it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    try:
        with contextlib.suppress(ConnectionError):
            writer.write(request)
            await writer.drain()
        async with asyncio.timeout(10):
            with contextlib.suppress(ConnectionError):
                return await reader.read()
        return b""
    finally:
        writer.close()


def _get(path: str, *headers: str) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "host: x", "connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode()


async def test_a_url_of_64_kb_is_taken(port: int) -> None:
    path = "/rtc?join_request=" + "a" * 60_000
    answer = await _ask(port, _get(path))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert len(seen[0]["query_string"]) > 60_000


async def test_answers_and_refusals_have_the_time_of_their_own_second(
    port: int, clock: ManualClock
) -> None:
    assert b"\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\n" in await _ask(port, _get("/"))
    clock.advance(timedelta(seconds=61))
    assert b"\r\ndate: Thu, 01 Jan 2026 00:01:01 GMT\r\n" in await _ask(port, _get("/"))
    clock.advance(timedelta(seconds=1))
    refused = await _ask(port, b"nonsense\r\n\r\n")
    assert refused.startswith(b"HTTP/1.1 400 ")
    assert b"\r\ndate: Thu, 01 Jan 2026 00:01:02 GMT\r\n" in refused


def _upgrade(path: str) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        "host: x",
        "upgrade: websocket",
        "connection: upgrade",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-version: 13",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


async def test_a_socket_with_a_long_url_is_taken(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_upgrade("/rtc?join_request=" + "a" * 60_000))
    async with asyncio.timeout(10):
        assert await reader.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
    writer.close()
    assert seen[0]["type"] == "websocket"


async def test_a_refused_socket_is_an_answer_and_no_fault(
    port: int, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await _ask(port, _upgrade("/refused"))
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert answer.endswith(b"the token is too old")
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (_get("/" + "a" * 70_000), b"414"),
        (_get("/", *(f"x-{number}: y" for number in range(150))), b"431"),
        (_get("/", "cookie: " + "a" * 40_000), b"431"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"GET / HTTP/9.9\r\n\r\n", b"400"),
        (b"\r\n\r\nnonsense\r\n\r\n", b"400"),
    ],
)
async def test_heads_beyond_the_bounds_are_refused(
    port: int, request_bytes: bytes, status: bytes
) -> None:
    answer = await _ask(port, request_bytes)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert seen == []


async def test_who_sends_half_a_head_is_not_waited_for(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "HEAD_TIMEOUT_S", 0.05)
    assert await _ask(port, b"GET / HTTP/1.1\r\nhost: x\r\n") == b""
    assert await _ask(port, b"") == b""


async def test_the_server_does_not_name_itself(port: int) -> None:
    answer = await _ask(port, _get("/"))
    assert b"uvicorn" not in answer.lower()


def test_a_taken_port_is_said_with_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortTaken, match="CONCLAVE_HTTP__PORT"):
            bind("127.0.0.1", other.getsockname()[1])


def test_an_address_of_another_machine_is_said() -> None:
    with pytest.raises(AddressUnusable, match="CONCLAVE_HTTP__HOST"):
        bind("192.0.2.1", 0)


@pytest.mark.parametrize(
    ("trusted", "client", "scheme"),
    [(["127.0.0.0/8"], "203.0.113.7", "https"), ([], "127.0.0.1", "http")],
)
async def test_who_asks_behind_a_proxy(trusted: list[str], client: str, scheme: str) -> None:
    seen.clear()
    sockets = bind("127.0.0.1", 0)
    server = new_server(echo, clock=ManualClock(), certificate=None, trusted_proxies=trusted)
    serving = asyncio.create_task(server.serve(sockets=sockets))
    await server.listening.wait()
    forwarded = ("x-forwarded-for: 198.51.100.66, 203.0.113.7", "x-forwarded-proto: https")
    await _ask(sockets[0].getsockname()[1], _get("/", *forwarded))
    server.leave()
    await serving
    assert seen[0]["client"][0] == client, "the last one that the proxy itself has seen"
    assert seen[0]["scheme"] == scheme


def test_every_address_means_both_families_on_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    # Loopback instead of every address: tests open nothing to others.
    original = listen._bind
    hosts = {"::": "::1", "0.0.0.0": "127.0.0.1"}  # noqa: S104

    def on_loopback(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
        return original(family, hosts[host], port)

    monkeypatch.setattr(listen, "_bind", on_loopback)
    sockets = bind("::", 0)
    assert len({bound.getsockname()[1] for bound in sockets}) == 1
    assert {bound.family for bound in sockets} <= {socket.AF_INET, socket.AF_INET6}
    for bound in sockets:
        bound.close()


def test_without_ipv6_every_address_is_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    original = listen._bind

    def no_ipv6(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise AddressUnusable("Address family not supported")
        return original(family, "127.0.0.1", port)

    monkeypatch.setattr(listen, "_bind", no_ipv6)
    (bound,) = bind("::", 0)
    assert bound.family == socket.AF_INET
    bound.close()
