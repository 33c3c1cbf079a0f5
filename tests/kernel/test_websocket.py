"""The short way to a WebSocket: answers before the library has looked, at the right places only."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from conclave.kernel.clock import ManualClock
from conclave.kernel.listen import bind, new_server
from conclave.kernel.websocket import DIRECT, FrameEdge, SocketProtocol

pytestmark = pytest.mark.unit


def frame(data: bytes, opcode: Opcode = Opcode.BINARY, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


@dataclass
class Served:
    """One socket: what comes to the listener, and the connection itself at the server."""

    client: ClientConnection
    protocol: SocketProtocol
    heard: list[bytes] = field(default_factory=list)

    def comes(self, *chunks: bytes) -> None:
        """As if each had come from the network by itself."""
        for chunk in chunks:
            self.protocol.data_received(chunk)

    async def answers(self, count: int) -> list[str | bytes]:
        async with asyncio.timeout(10):
            return [await self.client.recv() for _ in range(count)]


def ask(what: bytes) -> bytes:
    """A whole frame that the replier below answers; its mask changes nothing."""
    return bytes((0x82, 0x80 | len(what), 0, 0, 0, 0)) + what


def _reply(data: bytes) -> tuple[bytes, int]:
    at, answers = 0, b""
    while data[at : at + 1] == b"\x82" and data[at + 2 : at + 7] == b"\0\0\0\0?":
        size = 6 + (data[at + 1] & 0x7F)
        answers += bytes((0x82, size - 6)) + b"!" + data[at + 7 : at + size]
        at += size
    return answers, at


@pytest.fixture
async def socket() -> AsyncIterator[Served]:
    protocols: asyncio.Queue[SocketProtocol] = asyncio.Queue()
    over = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await protocols.put(scope["extensions"][DIRECT]["socket"])
        await over.wait()

    sockets = bind("127.0.0.1", 0)
    server = new_server(app, clock=ManualClock(), certificate=None, trusted_proxies=[])
    serving = asyncio.create_task(server.serve(sockets=sockets))
    await server.listening.wait()
    async with connect(f"ws://127.0.0.1:{sockets[0].getsockname()[1]}", proxy=None) as client:
        served = Served(client, await protocols.get())
        served.protocol.listen(served.heard.append, _reply)
        yield served
        over.set()
    server.leave()
    await serving


async def test_messages_that_come_together_are_answered_up_to_the_first_other(
    socket: Served,
) -> None:
    socket.comes(ask(b"?1") + ask(b"?2") + frame(b"other") + ask(b"?3"))
    assert await socket.answers(2) == [b"!1", b"!2"]
    assert socket.heard == [b"other", b"?3"]
    socket.comes(ask(b"?4"))
    assert await socket.answers(1) == [b"!4"]
    assert socket.heard == [b"other", b"?3"]


async def test_only_what_begins_a_frame_is_taken_for_one(socket: Served) -> None:
    # Its payload looks like a message that would be answered.
    inner = ask(b"?no")
    disguised = bytes((0x82, 0xFE, 1, 44, 0, 0, 0, 0)) + b"x" * (300 - len(inner)) + inner
    cut = len(disguised) - len(inner)
    socket.comes(disguised[:cut], disguised[cut:])
    assert len(socket.heard) == 1
    socket.comes(ask(b"?yes"))
    assert await socket.answers(1) == [b"!yes"]


async def test_after_a_head_in_pieces_the_library_has_every_message(socket: Served) -> None:
    whole = ask(b"?1")
    socket.comes(whole[:1], whole[1:], ask(b"?2"))
    assert socket.heard == [b"?1", b"?2"]


async def test_within_a_message_in_fragments_nothing_is_answered(socket: Served) -> None:
    socket.comes(frame(b"a", fin=False))
    socket.comes(frame(b"b", Opcode.CONT, fin=False), frame(b"c", Opcode.CONT), ask(b"?1"))
    assert socket.heard == [b"abc"]
    assert await socket.answers(1) == [b"!1"]


async def test_an_answer_does_not_wait_for_what_the_application_has_not_read(
    socket: Served,
) -> None:
    socket.comes(frame(b"text", Opcode.TEXT), ask(b"?1"))
    assert await socket.answers(1) == [b"!1"]
    assert (await socket.protocol.receive()).get("text") == "text"
    assert socket.heard == []


async def test_to_a_client_that_does_not_read_nothing_is_added(socket: Served) -> None:
    socket.protocol.pause_writing()
    socket.comes(ask(b"?1"))
    assert socket.heard == [b"?1"]
    socket.protocol.resume_writing()
    socket.comes(ask(b"?2"))
    assert await socket.answers(1) == [b"!2"]


async def test_a_message_without_a_mask_ends_the_connection(socket: Served) -> None:
    socket.comes(Frame(Opcode.BINARY, b"?1").serialize(mask=False))
    with pytest.raises(ConnectionClosed) as closed:
        await socket.answers(1)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1002
    assert socket.heard == []


async def test_nothing_is_answered_after_the_close(socket: Served) -> None:
    socket.comes(frame(b"\x03\xe8", Opcode.CLOSE), ask(b"?1"))
    with pytest.raises(ConnectionClosed):
        await socket.answers(1)
    assert socket.heard == []


@given(
    payloads=st.lists(st.integers(0, 130) | st.sampled_from([125, 126, 65_535, 65_536, 70_000])),
    masked=st.booleans(),
    data=st.data(),
)
def test_the_ends_of_frames_are_known_wherever_they_are_cut(
    payloads: list[int], masked: bool, data: st.DataObject
) -> None:
    frames = [Frame(Opcode.BINARY, bytes(size)).serialize(mask=masked) for size in payloads]
    heads = [len(each) - size for each, size in zip(frames, payloads, strict=True)]
    stream = b"".join(frames)
    starts = [sum(map(len, frames[:at])) for at in range(len(frames) + 1)]
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))
    near = [start + data.draw(st.integers(-2, 12)) for start in starts[:4]]
    places = sorted({0, len(stream), *cuts, *(at for at in near if 0 <= at <= len(stream))})
    edge = FrameEdge()
    is_lost = False
    for begin, end in pairwise(places):
        edge.follow(stream[begin:end])
        inside = [start < end < start + head for start, head in zip(starts, heads, strict=False)]
        is_lost |= any(inside)
        assert edge.is_between == (end in starts and not is_lost)
