"""What every `MediaEngine` keeps, whatever stands behind it: one suite, run over each.

Clients are raw sockets, so nothing here depends on media; the live tests do that. A LiveKit server
is a process of its own: what it tells comes a moment later, and of sockets without a transport it
tells nothing until it is asked (`_heard`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from livekit.protocol import models, rtc
from websockets.exceptions import InvalidStatus

from conclave.kernel.clock import SystemClock
from conclave.kernel.errors import Forbidden, NotFound, TooLarge
from conclave.media import tokens
from conclave.media.engine import (
    MediaEngine,
    ParticipantJoined,
    ParticipantLeft,
    Permission,
    RoomEvent,
    RoomFinished,
    RoomStarted,
)
from tests.media.cluster import ClusterServer, serve_cluster
from tests.media.server import MediaServer, RawClient, serve

Server = MediaServer | ClusterServer

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

ENGINES = [
    "fake",
    pytest.param(
        "embedded",
        marks=pytest.mark.skipif(
            find_spec("conclave._media") is None, reason="the media engine is not built"
        ),
    ),
    "livekit",
]


@pytest.fixture(params=ENGINES)
async def server(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Server]:
    serving: AbstractAsyncContextManager[Server] = (
        serve_cluster(tmp_path)
        if request.param == "livekit"
        else serve(tmp_path, engine=request.param)
    )
    async with serving as running:
        yield running


@pytest.fixture
def engine(server: Server) -> MediaEngine:
    return server.engine


class Ear:
    """Everything that a listener is told, and a way to wait for it."""

    def __init__(self, engine: MediaEngine) -> None:
        self.events: list[RoomEvent] = []
        self._news = asyncio.Condition()
        engine.subscribe(self._note)

    async def _note(self, event: RoomEvent) -> None:
        async with self._news:
            self.events.append(event)
            self._news.notify_all()

    async def until(self, event: RoomEvent) -> None:
        async with asyncio.timeout(5), self._news:
            await self._news.wait_for(lambda: event in self.events)


async def _heard(server: Server) -> None:
    """By now the engine knows of everything that clients have done."""
    if isinstance(server, ClusterServer):
        await server.engine.reconcile()


async def _join(server: Server, identity: str, room: str = "room") -> RawClient:
    """Without an offer: what a transport would say of it is no part of this contract."""
    url = server.v1_url(server.token(identity, room), rtc.JoinRequest())
    client = await RawClient.connect(url)
    client.sid = (await client.next("join")).participant.sid
    return client


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


async def test_participants_are_what_their_tokens_say(server: Server, engine: MediaEngine) -> None:
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
    if isinstance(server, MediaServer):  # a LiveKit server counts once in some seconds
        assert (await engine.list_rooms())[0].participant_count == 1
    await client.socket.close()


async def test_events_tell_a_rooms_life_in_order(server: Server, engine: MediaEngine) -> None:
    async def broken(event: RoomEvent) -> None:
        raise RuntimeError(str(event))

    engine.subscribe(broken)
    ear = Ear(engine)
    alice = await _join(server, "alice")
    await _heard(server)
    bob = await _join(server, "bob")
    await _heard(server)
    await alice.send(leave=rtc.LeaveRequest())
    await alice.closed()
    await ear.until(ParticipantLeft("room", "alice"))
    await engine.delete_room("room")
    await ear.until(RoomFinished("room"))
    assert ear.events == [
        RoomStarted("room"),
        ParticipantJoined("room", "alice"),
        ParticipantJoined("room", "bob"),
        ParticipantLeft("room", "alice"),
        ParticipantLeft("room", "bob"),
        RoomFinished("room"),
    ]
    assert (await bob.next("leave")).reason == models.DisconnectReason.ROOM_DELETED
    await bob.closed()


async def test_nobody_stays_without_the_gates_consent(server: Server, engine: MediaEngine) -> None:
    async def gate(room: str, identity: str) -> bool:
        return (room, identity) == ("room", "alice")

    engine.set_gate(gate)
    ear = Ear(engine)
    alice = await _join(server, "alice")
    # Refused at the door, or taken out as soon as the engine hears of it.
    with suppress(InvalidStatus):
        bob = await _join(server, "bob")
        await _heard(server)
        assert (await bob.next("leave")).reason == models.DisconnectReason.PARTICIPANT_REMOVED
        await bob.closed()
    await ear.until(ParticipantJoined("room", "alice"))

    assert [p.identity for p in await engine.list_participants("room")] == ["alice"]
    await engine.delete_room("room")
    await ear.until(RoomFinished("room"))
    assert not [event for event in ear.events if getattr(event, "identity", "") == "bob"]
    await alice.closed()


async def _told(
    client: RawClient, condition: Callable[[models.ParticipantInfo], bool]
) -> models.ParticipantInfo:
    """The first such line of an update."""
    while True:
        update: rtc.ParticipantUpdate = await client.next("update")
        for info in update.participants:
            if condition(info):
                return info


async def test_removed_participants_are_told_why(server: Server, engine: MediaEngine) -> None:
    alice, bob = await _join(server, "alice"), await _join(server, "bob")
    await engine.remove_participant("room", "alice")
    leave = await alice.next("leave")
    assert leave.reason == models.DisconnectReason.PARTICIPANT_REMOVED
    assert leave.action == rtc.LeaveRequest.DISCONNECT
    await alice.closed()
    gone = models.ParticipantInfo.State.DISCONNECTED
    await _told(bob, lambda info: info.sid == alice.sid and info.state == gone)
    for room, identity in (("room", "alice"), ("nowhere", "bob")):
        with pytest.raises(NotFound):
            await engine.remove_participant(room, identity)
    await bob.socket.close()


async def test_profile_and_permission_change_for_everybody_and_in_the_token(
    server: Server, engine: MediaEngine
) -> None:
    alice, bob = await _join(server, "alice"), await _join(server, "bob")
    permission = Permission(can_publish=False)
    view = await engine.update_participant(
        "room", "alice", permission=permission, name="A", metadata="m", attributes={"hand": "up"}
    )
    assert (view.name, view.permission) == ("A", permission)
    info = await _told(bob, lambda info: info.sid == alice.sid and not info.permission.can_publish)
    assert info.name == "A"
    assert dict(info.attributes) == {"hand": "up"}
    async with asyncio.timeout(5):
        while True:
            fresh = await alice.next("refresh_token")
            claims = tokens.verify(fresh, server.engine.keys, SystemClock().now(), room="room")
            if claims.permission == permission:
                break
    with pytest.raises(TooLarge):
        await engine.update_participant("room", "alice", metadata="x" * 100_000)
    with pytest.raises(NotFound):
        await engine.update_participant("room", "nobody", name="x")
    for client in (alice, bob):
        await client.socket.close()


async def test_tracks_are_muted_never_unmuted(server: Server, engine: MediaEngine) -> None:
    alice = await _join(server, "alice")
    with pytest.raises(NotFound):
        await engine.mute_track("room", "alice", "TR_unknown", True)
    with pytest.raises((Forbidden, NotFound)):
        await engine.mute_track("room", "alice", "TR_unknown", False)
    await alice.socket.close()


async def test_data_and_keyframes_need_a_room(server: Server, engine: MediaEngine) -> None:
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


async def test_tokens_expire(server: Server, engine: MediaEngine) -> None:
    # LiveKit servers give a minute of leeway.
    connection = engine.mint("room", "alice", lifetime=timedelta(minutes=-2))
    with pytest.raises(InvalidStatus) as refusal:
        await RawClient.connect(server.v1_url(connection.token))
    assert refusal.value.response.status_code == 401
