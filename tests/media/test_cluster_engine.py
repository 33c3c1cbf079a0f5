"""The engine `livekit` where it differs from others: lost webhooks, a cluster that is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from livekit.protocol import models, rtc

from conclave.kernel.clock import SystemClock
from conclave.kernel.errors import Invalid, Unavailable
from conclave.kernel.telemetry import new_metrics
from conclave.media import tokens
from conclave.media.engine import ParticipantJoined, ParticipantLeft, RoomEvent, RoomStarted
from conclave.media.livekit.engine import TICKET_LIFETIME, ClusterEngine
from conclave.media.livekit.metrics import ClusterCounters
from conclave.media.livekit.twirp import Twirp
from conclave.media.tokens import TokenRefused
from tests.media.cluster import ClusterServer, serve_cluster
from tests.media.server import RawClient

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ClusterServer]:
    async with serve_cluster(tmp_path) as running:
        yield running


def _heard(engine: ClusterEngine) -> list[RoomEvent]:
    events: list[RoomEvent] = []

    async def listen(event: RoomEvent) -> None:
        events.append(event)

    engine.subscribe(listen)
    return events


async def _join(server: ClusterServer, identity: str) -> RawClient:
    """Without a transport: the cluster's webhooks never say that it has joined."""
    client = await RawClient.connect(server.v1_url(server.token(identity), rtc.JoinRequest()))
    await client.next("join")
    return client


async def test_a_restart_finds_who_is_there_and_takes_out_who_may_not_be(
    server: ClusterServer,
) -> None:
    alice, bob = await _join(server, "alice"), await _join(server, "bob")
    again = ClusterEngine(
        url=server.url,
        twirp=Twirp(server.url.replace("ws", "http")),
        keys=server.engine.keys,
        clock=SystemClock(),
        counters=ClusterCounters(new_metrics(process=False)),
    )
    events = _heard(again)
    asked: list[str] = []

    async def gate(room: str, identity: str) -> bool:
        asked.append(identity)
        return identity == "alice"

    again.set_gate(gate)
    await again.reconcile()
    assert events == [RoomStarted("room"), ParticipantJoined("room", "alice")]
    assert (await bob.next("leave")).reason == models.DisconnectReason.PARTICIPANT_REMOVED
    await bob.closed()
    await again.reconcile()
    assert len(events) == 2
    assert sorted(asked) == ["alice", "bob"], "each is asked about once"
    await alice.socket.close()
    await again.stop()


async def test_leaves_that_nobody_told_of_are_found(server: ClusterServer) -> None:
    alice = await _join(server, "alice")
    await server.engine.reconcile()
    events = _heard(server.engine)
    # From here on no webhook gets through.
    server.engine.is_running = False
    await server.engine.remove_participant("room", "alice")
    await alice.closed()
    await server.engine.reconcile()
    assert events == [ParticipantLeft("room", "alice")]


async def test_a_gate_that_cannot_answer_is_asked_again(server: ClusterServer) -> None:
    is_up = False

    async def gate(room: str, identity: str) -> bool:
        if not is_up:
            raise Unavailable
        return True

    server.engine.set_gate(gate)
    events = _heard(server.engine)
    alice = await _join(server, "alice")
    await server.engine.reconcile()
    assert ParticipantJoined("room", "alice") not in events
    assert [p.identity for p in await server.engine.list_participants("room")] == ["alice"]
    is_up = True
    await server.engine.reconcile()
    assert ParticipantJoined("room", "alice") in events
    await alice.socket.close()


async def test_a_cluster_that_is_away(server: ClusterServer) -> None:
    await server.engine.create_room("room")
    server.livekit.stop()
    engine = server.engine
    for call in (
        engine.list_rooms(),
        engine.list_participants("room"),
        engine.delete_room("room"),
        engine.remove_participant("room", "alice"),
        engine.send_data("room", b"x"),
        engine.request_keyframes("room"),
        engine.update_participant("room", "alice", name="A"),
        engine.mute_track("room", "alice", "TR_x", True),
        engine.create_room("other"),
        engine.reconcile(),
    ):
        with pytest.raises(Unavailable):
            await call
    assert engine.mint("room", "alice").token, "tickets need nobody"


async def test_what_livekit_cannot_do_is_refused_in_words(server: ClusterServer) -> None:
    alice = await _join(server, "alice")
    await server.engine.update_participant("room", "alice", name="A", metadata="m")
    with pytest.raises(Invalid, match="only change it"):
        await server.engine.update_participant("room", "alice", name="")
    with pytest.raises(Invalid, match="only change it"):
        await server.engine.update_participant("room", "alice", metadata="")
    view = await server.engine.update_participant("room", "alice", attributes={"a": "1"})
    assert (view.name, view.metadata, dict(view.attributes)) == ("A", "m", {"a": "1"})
    view = await server.engine.update_participant("room", "alice", attributes={"a": ""})
    assert dict(view.attributes) == {}
    await alice.socket.close()


async def test_tickets_are_short_and_name_the_cluster(server: ClusterServer) -> None:
    connection = server.engine.mint("room", "alice", lifetime=timedelta(days=1))
    assert connection.url == server.livekit.url
    late = SystemClock().now() + TICKET_LIFETIME + timedelta(seconds=15)
    tokens.verify(connection.token, server.engine.keys, SystemClock().now(), room="room")
    with pytest.raises(TokenRefused):
        tokens.verify(connection.token, server.engine.keys, late)


async def test_many_rooms_are_asked_for_within_bounds(server: ClusterServer) -> None:
    names = [f"room {number}" for number in range(40)]
    await asyncio.gather(*(server.engine.create_room(name) for name in names))
    await server.engine.reconcile()
    await server.engine.reconcile()
    assert {room.name for room in await server.engine.list_rooms()} == set(names)
    assert server.engine._ledger.rooms == set(names)
