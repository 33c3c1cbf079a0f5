"""Frames past the tasks: answered in the socket's own callback, in order, and never twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from livekit.protocol import rtc
from websockets.exceptions import ConnectionClosed

from conclave.media.sockets import Frames, Goodbye, SocketQueue
from tests.media.server import MediaServer, serve

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[MediaServer]:
    async with serve(tmp_path) as running:
        yield running


def _pong(number: int) -> Frames:
    return Frames(rtc.SignalResponse(pong=number))


def _number(entry: bytes | str | Goodbye) -> int:
    assert isinstance(entry, bytes)
    return rtc.SignalResponse.FromString(entry).pong


async def test_a_frame_goes_past_the_queue_only_when_nothing_is_in_front_of_it() -> None:
    queue = SocketQueue()
    written: list[int] = []
    is_open = True

    def write(frame: bytes | str) -> bool:
        if is_open:
            written.append(_number(frame))
        return is_open

    queue.put(_pong(0))
    queue.write_now = write
    queue.put(_pong(1))
    assert _number(await queue.get()) == 0
    # The first is being sent and the second waits.
    queue.put(_pong(2))
    assert [_number(await queue.get()) for _ in range(2)] == [1, 2]
    queue.put(_pong(3))
    waiting = asyncio.create_task(queue.get())
    assert _number(await waiting) == 3
    assert written == []
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.put(_pong(4))
    is_open = False
    queue.put(_pong(5))
    is_open = True
    queue.put(_pong(6))
    assert written == [4]
    assert [_number(await waiting), _number(await queue.get())] == [5, 6]
    queue.end(1000, "over")
    queue.put(_pong(7))
    assert written == [4]
    assert isinstance(await queue.get(), Goodbye)


async def test_many_pings_at_once_are_answered_in_order(server: MediaServer) -> None:
    client = await server.join("alice")
    for number in range(1, 101):
        await client.send(ping_req=rtc.Ping(timestamp=number))
    for number in range(1, 101):
        assert (await client.next("pong_resp")).last_ping_timestamp == number
    await client.socket.close()


async def test_a_message_in_fragments_is_taken_whole(server: MediaServer) -> None:
    client = await server.join("alice")
    frame = rtc.SignalRequest(ping_req=rtc.Ping(timestamp=5)).SerializeToString()
    await client.socket.send([frame[:1], frame[1:2], frame[2:]])
    assert (await client.next("pong_resp")).last_ping_timestamp == 5
    await client.socket.close()


async def test_frames_of_both_forms_keep_their_order(server: MediaServer) -> None:
    client = await server.join("alice")
    seen: list[int] = []
    handled = server.engine.receive

    def receive(connection: int, frame: bytes | str) -> None:
        seen.append(len(seen) * 2 + isinstance(frame, str))
        handled(connection, frame)

    server.engine.receive = receive  # type: ignore[method-assign]
    binary = rtc.SignalRequest(update_layers=rtc.UpdateVideoLayers()).SerializeToString()
    for _ in range(10):
        await client.socket.send(binary)
        await client.socket.send('{"ping": "1"}')
    async with asyncio.timeout(5):
        while len(seen) < 20:
            await client.socket.recv()
    assert [number % 2 for number in seen] == [0, 1] * 10
    await client.socket.close()


async def test_a_ping_is_answered_in_the_form_of_the_message_before(server: MediaServer) -> None:
    client = await server.join("alice")
    ping = rtc.SignalRequest(ping_req=rtc.Ping(timestamp=3)).SerializeToString()
    await client.socket.send('{"ping": "1"}')
    await client.socket.send(ping)
    async with asyncio.timeout(5):
        while not isinstance(answer := await client.socket.recv(), str):
            pass
        assert "pong" in answer
        while not isinstance(answer := await client.socket.recv(), bytes):
            pass
    assert rtc.SignalResponse.FromString(answer).pong_resp.last_ping_timestamp == 3
    await client.socket.close()


async def test_what_only_begins_like_a_ping_is_handled_as_what_it_is(server: MediaServer) -> None:
    client = await server.join("alice")
    ping = rtc.SignalRequest(ping=1).SerializeToString()
    # In protobuf the last of several wins: this one is a request to leave.
    leave = rtc.SignalRequest(leave=rtc.LeaveRequest()).SerializeToString()
    malformed = server.engine.counters.malformed.labels("frame")._value.get()
    await client.socket.send(ping[:1])
    await client.socket.send(ping + leave)
    await client.closed()
    assert server.engine.counters.malformed.labels("frame")._value.get() == malformed + 1


async def test_too_many_pings_are_a_flood(server: MediaServer) -> None:
    client = await server.join("alice")
    limits = server.engine.limits
    ping = rtc.SignalRequest(ping=1).SerializeToString()

    async def flood() -> None:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(int(limits.frame_burst + 50 * limits.frames_per_second)):
                await client.socket.send(ping)

    flooding = asyncio.create_task(flood())
    pongs = 0
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(20):
            while True:
                response = rtc.SignalResponse.FromString(await client.socket.recv(decode=False))
                pongs += response.WhichOneof("message") == "pong"
    await flooding
    assert pongs < limits.frame_burst + 50 * limits.frames_per_second
    assert client.socket.close_code is not None


async def test_a_fault_ends_one_socket_and_nothing_else(server: MediaServer) -> None:
    alice, bob = await server.join("alice"), await server.join("bob")
    handled = server.engine.receive
    connections: list[int] = []

    def receive(connection: int, frame: bytes | str) -> None:
        connections.append(connection)
        if connection == connections[0]:
            raise LookupError
        handled(connection, frame)

    server.engine.receive = receive  # type: ignore[method-assign]
    await alice.send(update_layers=rtc.UpdateVideoLayers())
    assert await alice.closed() == 1011
    await bob.send(ping=1)
    await bob.next("pong")
    await bob.socket.close()
