"""The client of RoomService against servers that answer badly: an error in words, in time."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models
from livekit.protocol import room as wire

from conclave.kernel.errors import (
    ConclaveError,
    Conflict,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    TooLarge,
    Unavailable,
)
from conclave.media.livekit import twirp as client
from conclave.media.livekit.twirp import KeyRefused, Twirp, error_of
from conclave.media.livekit.views import participant_view, room_view

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

Say = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TOKEN = "the.secret.token"
GOOD = wire.ListRoomsResponse(rooms=[{"name": "room"}]).SerializeToString()


@dataclass
class Bad:
    """An HTTP server that reads a request and then does what the test says."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(*says: Say) -> AsyncIterator[Bad]:
    """The n-th request gets the n-th answer, all later ones the last."""
    bad = Bad()
    open_now: set[asyncio.StreamWriter] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next(int(x.split(b":")[1]) for x in lines if x.startswith(b"content-length"))
            body = await reader.readexactly(length)
            bad.requests.append(head + body)
            await says[min(len(bad.requests), len(says)) - 1](reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            open_now.discard(writer)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    bad.port = server.sockets[0].getsockname()[1]
    try:
        yield bad
    finally:
        server.close()
        for writer in open_now:
            writer.close()
        for _ in range(10):
            await asyncio.sleep(0)


def say(status: int, body: bytes, *headers: str, length: int | None = None) -> Say:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = len(body) if length is None else length
        head = [f"HTTP/1.1 {status} X", f"content-length: {size}", "connection: close", *headers]
        writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + body)
        await writer.drain()

    return answer


def refuse(code: str, message: str = "", status: int = 400) -> Say:
    return say(status, json.dumps({"code": code, "msg": message}).encode())


async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
        await writer.drain()


async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    pass


async def ask(
    bad: Bad, *, is_repeatable: bool = False, deadline: float = 5.0
) -> wire.ListRoomsResponse:
    twirp = Twirp(bad.url, deadline=deadline, pauses=(0.0, 0.0))
    try:
        return await twirp.call(
            "ListRooms",
            wire.ListRoomsRequest(),
            wire.ListRoomsResponse,
            token=TOKEN,
            is_repeatable=is_repeatable,
        )
    finally:
        await twirp.close()


async def test_a_good_answer_is_read_and_the_request_is_twirp() -> None:
    async with serving(say(200, GOOD)) as server:
        answer = await ask(server)
    assert [room.name for room in answer.rooms] == ["room"]
    head = server.requests[0].decode().lower()
    assert head.startswith("post /twirp/livekit.roomservice/listrooms http/1.1")
    assert f"authorization: bearer {TOKEN}" in head
    assert "content-type: application/protobuf" in head
    assert "accept-encoding: identity" in head


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("not_found", NotFound),
        ("permission_denied", Forbidden),
        ("unauthenticated", KeyRefused),
        ("failed_precondition", Conflict),
        ("already_exists", Conflict),
        ("aborted", Conflict),
        ("invalid_argument", Invalid),
        ("out_of_range", Invalid),
        ("resource_exhausted", LimitReached),
        ("unavailable", Unavailable),
        ("deadline_exceeded", Unavailable),
        ("bad_route", Unavailable),
        ("unimplemented", Unavailable),
        ("internal", Unavailable),
        ("unknown", Unavailable),
        ("malformed", Unavailable),
        ("something_new", Unavailable),
    ],
)
async def test_each_code_is_one_of_our_errors(code: str, kind: type[ConclaveError]) -> None:
    async with serving(refuse(code, "about alice in the room")) as server:
        with pytest.raises(ConclaveError) as caught:
            await ask(server)
    assert type(caught.value) is kind
    assert "alice" not in caught.value.detail, "what others say is not passed on"
    assert caught.value.detail


async def test_what_exceeds_limits_is_too_large() -> None:
    async with serving(refuse("invalid_argument", "metadata size exceeds limits")) as server:
        with pytest.raises(TooLarge):
            await ask(server)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (say(401, b"invalid API key: key"), KeyRefused),
        (say(403, b"<html>no</html>"), Forbidden),
        (say(429, b""), LimitReached),
        (say(404, b"<html>nothing here</html>"), Unavailable),
        (say(502, b"bad gateway"), Unavailable),
        (say(400, b"[" * 50_000), Unavailable),
        (say(400, b'{"code":7,"msg":[]}'), Unavailable),
        (say(400, b"null"), Unavailable),
        (say(302, b"", "location: http://192.0.2.1/"), Unavailable),
        (say(204, b""), Unavailable),
        (say(200, b"<html>a web page</html>"), Unavailable),
        (say(200, gzip.compress(GOOD), "content-encoding: gzip"), Unavailable),
        (say(200, GOOD, length=len(GOOD) + 10), Unavailable),
        (say(500, b"x" * (client.MAX_ERROR + 1)), Unavailable),
        (hang_up, Unavailable),
        (endless, Unavailable),
    ],
)
async def test_what_is_no_answer_is_an_error_in_words(
    answer: Say, kind: type[ConclaveError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "MAX_ANSWER", 1_000_000)
    async with serving(answer) as server:
        with structlog.testing.capture_logs() as logs, pytest.raises(ConclaveError) as caught:
            await ask(server)
    assert type(caught.value) is kind
    assert TOKEN not in str(caught.value)
    assert TOKEN not in str(logs)
    assert len(server.requests) == 1


@pytest.mark.parametrize("answer", [never, dripping])
async def test_the_deadline_is_for_the_whole_call(answer: Say) -> None:
    async with serving(answer) as server:
        with pytest.raises(Unavailable, match="within"):
            await ask(server, deadline=0.2, is_repeatable=True)


async def test_nobody_there() -> None:
    async with serving(hang_up) as server:
        pass
    with pytest.raises(Unavailable, match="cannot be reached"):
        await ask(server)


async def test_only_what_may_be_repeated_is_repeated() -> None:
    async with serving(hang_up, refuse("unavailable"), say(200, GOOD)) as server:
        assert (await ask(server, is_repeatable=True)).rooms
        assert len(server.requests) == 3
    async with serving(hang_up, say(200, GOOD)) as server:
        with pytest.raises(Unavailable):
            await ask(server)
        assert len(server.requests) == 1
    # An answer is an answer, and a key that is refused stays so.
    for code in ("not_found", "unauthenticated"):
        async with serving(refuse(code), say(200, GOOD)) as server:
            with pytest.raises(ConclaveError):
                await ask(server, is_repeatable=True)
            assert len(server.requests) == 1
    async with serving(hang_up) as server:
        with pytest.raises(Unavailable):
            await ask(server, is_repeatable=True)
        assert len(server.requests) == 3, "in the end it is given up"


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    async with serving(say(200, GOOD)) as server:
        assert (await ask(server)).rooms


async def test_each_call_is_counted() -> None:
    seen: list[tuple[str, str]] = []
    async with serving(say(200, GOOD), refuse("not_found")) as server:
        twirp = Twirp(server.url, observe=lambda method, outcome: seen.append((method, outcome)))
        for _ in range(2):
            with suppress(NotFound):
                await twirp.call(
                    "ListRooms", wire.ListRoomsRequest(), wire.ListRoomsResponse, token=TOKEN
                )
        await twirp.close()
    assert seen == [("ListRooms", "ok"), ("ListRooms", "not_found")]


@pytest.mark.parametrize("number", [2**62, -(2**63), 10**15, -(10**15)])
def test_dates_that_cannot_be_are_the_clusters_fault(number: int) -> None:
    for room in (models.Room(creation_time=number), models.Room(creation_time_ms=number)):
        with pytest.raises(Unavailable, match="date"):
            room_view(room)
    for info in (
        models.ParticipantInfo(joined_at=number),
        models.ParticipantInfo(joined_at_ms=number),
    ):
        with pytest.raises(Unavailable, match="date"):
            participant_view(info)


@given(st.integers(100, 599), st.binary(max_size=200))
def test_any_refusal_is_one_of_our_errors(status: int, body: bytes) -> None:
    error = error_of(status, body)
    assert isinstance(error, ConclaveError)
    assert error.detail
