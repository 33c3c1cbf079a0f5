"""What every `MediaEngine` keeps, whatever stands behind it: one suite, run over each.

Clients are raw sockets, so nothing here depends on media; the live tests do that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from livekit.protocol import models, rtc
from websockets.exceptions import InvalidStatus

from conclave.kernel.errors import Forbidden, NotFound, TooLarge
from conclave.media.engine import (
    MediaEngine,
    ParticipantJoined,
    ParticipantLeft,
    Permission,
    RoomEvent,
    RoomFinished,
    RoomStarted,
)
from tests.media.server import MediaServer, RawClient, serve

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

ENGINES = [
    "fake",
    pytest.param(
        "embedded",
        marks=pytest.mark.skipif(
            find_spec("conclave._media") is None, reason="the media engine is not built"
        ),
    ),
]


@pytest.fixture(params=ENGINES)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MediaServer]:
    async with serve(tmp_path, engine=request.param) as running:
        yield running


@pytest.fixture
def engine(server: MediaServer) -> MediaEngine:
    return server.engine


async def _join(server: MediaServer, identity: str, room: str = "room") -> RawClient:
    """Without an offer: what a transport would say of it is no part of this contract."""
    url = server.v1_url(server.token(identity, room), rtc.JoinRequest())
    client = await RawClient.connect(url)
    client.sid = (await client.next("join")).participant.sid
    return client


async def _until(condition: asyncio.Event) -> None:
    async with asyncio.timeout(5):
        await condition.wait()


async def test_rooms_are_created_listed_and_deleted(engine: MediaEngine) -> None:
    room = await engine.create_room("room", empty_timeout=timedelta(minutes=1))
    assert room.sid.startswith("RM_")
    assert (room.name, room.participant_count) == ("room", 0)
    assert (await engine.create_room("room")).sid == room.sid
    assert [r.name for r in await engine.list_rooms()] == ["room"]
    await engine.delete_room("room")
    assert await engine.list_rooms() == []
    with pytest.raises(NotFound):
        await engine.delete_room("room")


async def test_participants_are_what_their_tokens_say(
    server: MediaServer, engine: MediaEngine
) -> None:
    permission = Permission(can_publish=False, can_publish_data=False)
    connection = engine.mint(
        "room",
        "alice",
        name="Alice",
        permission=permission,
        attributes={"role": "host"},
        metadata="m",
    )
    client = await RawClient.connect(server.v1_url(connection.token, rtc.JoinRequest()))
    join = await client.next("join")
    (alice,) = await engine.list_participants("room")
    assert alice.sid == join.participant.sid
    assert (alice.identity, alice.name, alice.metadata) == ("alice", "Alice", "m")
    assert alice.permission == permission
    assert dict(alice.attributes) == {"role": "host"}
    assert not alice.is_connected
    assert not join.fast_publish
    assert (await engine.list_rooms())[0].participant_count == 1
    await client.socket.close()


async def test_events_tell_a_rooms_life_in_order(server: MediaServer, engine: MediaEngine) -> None:
    events: list[RoomEvent] = []
    finished = asyncio.Event()

    async def listener(event: RoomEvent) -> None:
        events.append(event)
        if isinstance(event, RoomFinished):
            finished.set()

    async def broken(event: RoomEvent) -> None:
        raise RuntimeError(str(event))

    engine.subscribe(broken)
    engine.subscribe(listener)
    alice = await _join(server, "alice")
    bob = await _join(server, "bob")
    await alice.send(leave=rtc.LeaveRequest())
    await alice.closed()
    await engine.delete_room("room")
    await _until(finished)
    assert events == [
        RoomStarted("room"),
        ParticipantJoined("room", "alice"),
        ParticipantJoined("room", "bob"),
        ParticipantLeft("room", "alice"),
        ParticipantLeft("room", "bob"),
        RoomFinished("room"),
    ]
    assert (await bob.next("leave")).reason == models.DisconnectReason.ROOM_DELETED
    await bob.closed()


async def test_gate_decides_at_the_door(server: MediaServer, engine: MediaEngine) -> None:
    async def gate(room: str, identity: str) -> bool:
        return (room, identity) == ("room", "alice")

    engine.set_gate(gate)
    alice = await _join(server, "alice")
    with pytest.raises(InvalidStatus):
        await _join(server, "bob")
    await alice.socket.close()


async def test_removed_participants_are_told_why(server: MediaServer, engine: MediaEngine) -> None:
    alice, bob = await _join(server, "alice"), await _join(server, "bob")
    await engine.remove_participant("room", "alice")
    leave = await alice.next("leave")
    assert leave.reason == models.DisconnectReason.PARTICIPANT_REMOVED
    assert leave.action == rtc.LeaveRequest.DISCONNECT
    await alice.closed()
    while True:
        (info,) = (await bob.next("update")).participants
        if info.sid == alice.sid and info.state == models.ParticipantInfo.State.DISCONNECTED:
            break
    for room, identity in (("room", "alice"), ("nowhere", "bob")):
        with pytest.raises(NotFound):
            await engine.remove_participant(room, identity)
    await bob.socket.close()


async def test_profile_and_permission_change_for_everybody_and_in_the_token(
    server: MediaServer, engine: MediaEngine
) -> None:
    alice, bob = await _join(server, "alice"), await _join(server, "bob")
    permission = Permission(can_publish=False)
    view = await engine.update_participant(
        "room", "alice", permission=permission, name="A", metadata="m", attributes={"hand": "up"}
    )
    assert (view.name, view.permission) == ("A", permission)
    while True:
        (info,) = (await bob.next("update")).participants
        if info.sid == alice.sid and info.name == "A":
            break
    assert not info.permission.can_publish
    assert dict(info.attributes) == {"hand": "up"}
    fresh = await alice.next("refresh_token")
    assert server.engine.verify(fresh).permission == permission
    with pytest.raises(TooLarge):
        await engine.update_participant("room", "alice", metadata="x" * 100_000)
    with pytest.raises(NotFound):
        await engine.update_participant("room", "nobody", name="x")
    for client in (alice, bob):
        await client.socket.close()


async def test_tracks_are_muted_never_unmuted(server: MediaServer, engine: MediaEngine) -> None:
    alice = await _join(server, "alice")
    with pytest.raises(NotFound):
        await engine.mute_track("room", "alice", "TR_unknown", True)
    with pytest.raises((Forbidden, NotFound)):
        await engine.mute_track("room", "alice", "TR_unknown", False)
    await alice.socket.close()


async def test_data_and_keyframes_need_a_room(server: MediaServer, engine: MediaEngine) -> None:
    with pytest.raises(NotFound):
        await engine.send_data("nowhere", b"x")
    with pytest.raises(NotFound):
        await engine.request_keyframes("nowhere")
    alice = await _join(server, "alice")
    await engine.send_data("room", b"x", topic="t", identities=["alice"])
    await engine.send_data("room", b"x", reliable=False)
    await engine.request_keyframes("room")
    with pytest.raises(TooLarge):
        await engine.send_data("room", b"x" * 70_000)
    await alice.socket.close()


async def test_tokens_expire(server: MediaServer, engine: MediaEngine) -> None:
    connection = engine.mint("room", "alice", lifetime=timedelta(seconds=-60))
    with pytest.raises(InvalidStatus) as refusal:
        await RawClient.connect(server.v1_url(connection.token))
    assert refusal.value.response.status_code == 401
