"""The running server with LiveKit's Go SDK, which has two peer connections: media, data, resume."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from livekit import rtc

from tests.media.netns import own_network
from tests.media.peer import Peer, peer, program
from tests.media.sdk import end_sdk, people
from tests.media.server import MediaServer, serve

pytestmark = [
    pytest.mark.media,
    pytest.mark.anyio,
    pytest.mark.xdist_group("livekit-sdk"),
    pytest.mark.skipif(
        find_spec("conclave._media") is None, reason="the media engine is not built"
    ),
]
TONE = 440.0
"""What a Go participant plays."""
GREYS = (50, 200)
"""What it shows, one after the other."""
SIZE = (64, 48)


@pytest.fixture(scope="module", autouse=True)
def network() -> Iterator[None]:
    # Built before: modules come over the real network.
    program()
    with own_network():
        yield
        end_sdk()


@pytest.fixture
async def server(tmp_path: Path, network: None) -> AsyncIterator[MediaServer]:
    async with serve(tmp_path, engine="embedded") as running:
        yield running


async def _hears_and_sees(somebody: Peer, other: str) -> None:
    await somebody.hears(other)
    picture = await somebody.until("picture", lambda e: e["from"] == other)
    assert (picture["width"], picture["height"]) == SIZE


async def test_two_go_clients_meet(server: MediaServer) -> None:
    async with peer(server, "ann") as ann, peer(server, "ben") as ben:
        world = server.engine.machine.world
        assert [p.is_dual for p in world.by_sid.values()] == [True, True]
        for somebody in (ann, ben):
            await somebody.tell("speak", "show")
        await _hears_and_sees(ann, "ben")
        await _hears_and_sees(ben, "ann")
        await ann.tell("say to ben", "whisper softly")
        await ben.tell("say to ann")
        for text in ("to ben", "softly"):
            await ben.reads("ann", text)
        await ann.reads("ben", "to ann")
        await ann.leave()
        await ben.until("participant_left", lambda e: e["identity"] == "ann")


@pytest.mark.parametrize("single", [True, False], ids=["single", "dual"])
async def test_go_and_python_meet(server: MediaServer, single: bool) -> None:
    async with peer(server, "gopher") as gopher, people("alice") as (alice,):
        await gopher.tell("speak", "show")
        await alice.connect(server, single_peer_connection=single)
        await alice.speak(1000.0)
        await alice.show(*SIZE)
        track, *_ = await alice.until(
            "track_subscribed", lambda t, *_: t.kind == rtc.TrackKind.KIND_AUDIO
        )
        assert await alice.hear(track) == pytest.approx(TONE, abs=5)
        track, *_ = await alice.until(
            "track_subscribed", lambda t, *_: t.kind == rtc.TrackKind.KIND_VIDEO
        )
        width, height, brightness = await alice.watch(track)
        assert (width, height) == SIZE
        for grey in GREYS:
            assert any(b == pytest.approx(grey, abs=8) for b in brightness)
        await gopher.until("track", lambda e: e["mime"] == "audio/opus")
        await _hears_and_sees(gopher, "alice")
        await gopher.until("frames", lambda e: e["frames"] >= 25)
        await alice.room.local_participant.publish_data(b"to go")
        await gopher.reads("alice", "to go")
        await gopher.tell("say to python")
        (packet,) = await alice.until("data_received", lambda p: p.data == b"to python")
        assert packet.participant.identity == "gopher"


async def test_tracks_come_and_go(server: MediaServer) -> None:
    async with peer(server, "gopher") as gopher, people("alice") as (alice,):
        await alice.connect(server)
        for hertz in (300.0, 400.0, 500.0):
            publication = await alice.speak(hertz)
            track = await gopher.until("track")
            assert track["sid"] == publication.sid
            await gopher.hears("alice")
            await alice.room.local_participant.unpublish_track(publication.sid)
            ended = await gopher.until("track_ended")
            assert ended["sid"] == publication.sid
            gopher.forget()
        await alice.show()
        await gopher.until("picture", lambda e: e["from"] == "alice")


async def test_lost_socket_is_resumed_on_both_connections(server: MediaServer) -> None:
    async with peer(server, "gopher") as gopher, people("alice") as (alice,):
        await gopher.tell("speak")
        await alice.connect(server)
        await alice.speak(1000.0)
        await gopher.until("sound")
        sid = server.engine.machine.participant("room", "gopher").sid
        await gopher.tell("resume")
        await gopher.until("reconnected")
        gopher.forget()
        await gopher.until("sound")
        track, *_ = await alice.until("track_subscribed")
        assert await alice.hear(track) == pytest.approx(TONE, abs=5)
        # What is published afterwards is offered and comes.
        await alice.show(*SIZE)
        await gopher.until("picture", lambda e: e["from"] == "alice")
        assert server.engine.machine.participant("room", "gopher").sid == sid
        assert alice.count("participant_disconnected") == 0


async def test_server_that_ends_the_room_is_understood(server: MediaServer) -> None:
    async with peer(server, "gopher") as gopher:
        async with asyncio.timeout(5):
            await server.engine.delete_room("room")
        await gopher.until("disconnected")
