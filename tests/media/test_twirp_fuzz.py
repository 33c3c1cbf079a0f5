"""RoomService against bodies that nobody has thought of: a Twirp answer, whatever comes."""

from __future__ import annotations

import asyncio
import json

import pytest
from google.protobuf.message import Message
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from livekit.protocol import rtc
from prometheus_client import CollectorRegistry

from conclave.kernel.clock import ManualClock
from conclave.media.engine import Permission
from conclave.media.fake import FakeTransport
from conclave.media.keys import ApiKeys
from conclave.media.metrics import SignalCounters
from conclave.media.service import twirp
from conclave.media.service.calls import CALLS, perform
from conclave.media.service.twirp import JSON, PROTOBUF, TwirpError
from conclave.media.signal_engine import SignalEngine
from conclave.media.sockets import SocketQueue
from conclave.media.tokens import Claims

pytestmark = pytest.mark.unit

ADMIN = Claims(identity="", room="room", is_admin=True, room_create=True, room_list=True)
KEYS = ApiKeys({"key": "a secret of some length"})

texts = st.text(max_size=20) | st.sampled_from(["room", "alice", "bob", "TR_000001", "-1", "1e9"])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
)
methods = st.sampled_from(sorted(CALLS))


def _fields(method: str) -> list[str]:
    fields = CALLS[method].request.DESCRIPTOR.fields
    return [name for field in fields for name in (field.name, field.json_name)]


@given(methods, st.binary(max_size=200), st.sampled_from([JSON, PROTOBUF]))
@example("CreateRoom", b"[" * 100_000, JSON)
@example("SendData", b'{"kind": "\\ud800"}', JSON)
@example("CreateRoom", b"\x32\x80\x80\x80\x80\x10", PROTOBUF)
def test_any_bytes(method: str, body: bytes, encoding: str) -> None:
    _parsed(method, encoding, body)


@given(methods, values)
def test_any_json(method: str, value: object) -> None:
    _parsed(method, JSON, json.dumps(value).encode())


@given(st.data(), methods)
def test_json_with_known_fields(data: st.DataObject, method: str) -> None:
    fields = st.dictionaries(st.sampled_from(_fields(method)), values, max_size=5)
    _parsed(method, JSON, json.dumps(data.draw(fields)).encode())


def _parsed(method: str, encoding: str, body: bytes) -> None:
    """A message that can be written again, or `malformed`; nothing else is raised."""
    try:
        message = twirp.parse(CALLS[method].request, encoding, body)
    except TwirpError as error:
        fault = error
    else:
        twirp.render(message, PROTOBUF)
        return
    assert fault.code == "malformed"
    assert json.loads(fault.body())["msg"]


sids = st.lists(texts, max_size=3)
requests = {
    "name": texts, "room": texts, "identity": texts, "track_sid": texts, "metadata": texts,
    "muted": st.booleans(), "subscribe": st.booleans(), "names": sids, "track_sids": sids,
    "destination_sids": sids, "destination_identities": sids, "topic": texts,
    "revoke_token_ts": st.integers(-(2**63), 2**63 - 1), "kind": st.integers(-1, 5),
    "nonce": st.binary(max_size=16), "data": st.binary(max_size=50),
    "attributes": st.dictionaries(texts, texts, max_size=3),
    "empty_timeout": st.integers(0, 2**32 - 1), "departure_timeout": st.integers(0, 2**32 - 1),
    "max_participants": st.integers(0, 2**32 - 1),
}  # fmt: skip


@st.composite
def calls(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """A method and some of its fields; often it means the room that is there."""
    method = draw(methods)
    names = {field.name for field in CALLS[method].request.DESCRIPTOR.fields}
    fields: dict[str, object] = {
        name: draw(strategy)
        for name, strategy in requests.items()
        if name in names and draw(st.booleans())
    }
    if "room" in names and draw(st.booleans()):
        fields["room"] = "room"
    return method, fields


@given(st.lists(calls(), max_size=15))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_calls_in_any_order(order: list[tuple[str, dict[str, object]]]) -> None:
    """Whatever is asked of two people in a room: an answer or an error with words."""
    # Each example has a loop of its own: what ends one must not end the loop of other tests.
    asyncio.run(_perform_all(order))


async def _perform_all(order: list[tuple[str, dict[str, object]]]) -> None:
    engine = SignalEngine(
        transport=FakeTransport,
        keys=lambda: KEYS,
        clock=ManualClock(),
        counters=SignalCounters(CollectorRegistry()),
    )
    await engine.start(ticking=False)
    connections = [engine.connect(SocketQueue()) for _ in range(2)]
    for connection, identity in zip(connections, ("alice", "bob"), strict=True):
        claims = Claims(identity=identity, room="room", permission=Permission())
        engine.join(connection, claims, rtc.JoinRequest())
    faults: list[TwirpError] = []
    try:
        for method, fields in order:
            request = CALLS[method].request()
            for name, value in fields.items():
                _set(request, name, value)
            try:
                answer = perform(CALLS[method], engine, ADMIN, request)
            except TwirpError as error:
                faults.append(error)
            else:
                for encoding in (JSON, PROTOBUF):
                    twirp.render(answer, encoding)
            engine.tick()
        assert all(str(fault) and fault.code != "internal" for fault in faults)
    finally:
        for connection in connections:
            engine.disconnect(connection)
        await engine.stop()


def _set(request: Message, name: str, value: object) -> None:
    if isinstance(value, list):
        getattr(request, name).extend(value)
    elif isinstance(value, dict):
        getattr(request, name).update(value)
    else:
        setattr(request, name, value)
