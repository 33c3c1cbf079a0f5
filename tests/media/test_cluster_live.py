"""A LiveKit server carries the media: LiveKit's own client in rooms, and sealed meetings in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from livekit import rtc

from conclave.kernel.listen import bind
from conclave.media.engine import (
    MediaEngine,
    ParticipantJoined,
    ParticipantLeft,
    Permission,
    RoomEvent,
    RoomFinished,
    RoomStarted,
)
from conclave.media.livekit.engine import ClusterEngine
from conclave.meetings import Follower
from tests.media.cluster import ClusterServer, livekit_server, serve_cluster
from tests.media.netns import own_network
from tests.media.sdk import end_sdk, people
from tests.sealing.senses import media_of, see_and_hear
from tests.sealing.server import SealedServer
from tests.sealing.server import serve as serve_sealed

pytestmark = [
    pytest.mark.media,
    pytest.mark.anyio,
    pytest.mark.xdist_group("livekit-sdk"),
]
TONE = 440.0
Reason = rtc.DisconnectReason


@pytest.fixture(scope="module", autouse=True)
def network() -> Iterator[None]:
    with own_network():
        yield
        end_sdk()


@pytest.fixture
async def server(tmp_path: Path, network: None) -> AsyncIterator[ClusterServer]:
    async with serve_cluster(tmp_path) as running:
        yield running


class Ear:
    def __init__(self, engine: MediaEngine) -> None:
        self.events: list[RoomEvent] = []
        self._news = asyncio.Condition()
        engine.subscribe(self._note)

    async def _note(self, event: RoomEvent) -> None:
        async with self._news:
            self.events.append(event)
            self._news.notify_all()

    async def until(self, event: RoomEvent) -> None:
        async with asyncio.timeout(10), self._news:
            await self._news.wait_for(lambda: event in self.events)


async def test_a_room_of_two_is_steered_and_heard_of_by_webhooks(server: ClusterServer) -> None:
    ear = Ear(server.engine)
    async with people("alice", "bob") as (alice, bob):
        await alice.connect(server)
        await bob.connect(server)
        await ear.until(ParticipantJoined("room", "bob"))
        publication = await alice.speak(TONE)
        track, *_ = await bob.until("track_subscribed")
        assert await bob.hear(track) == pytest.approx(TONE, abs=5)
        await server.engine.request_keyframes("room")

        (there,) = [
            p for p in await server.engine.list_participants("room") if p.identity == "alice"
        ]
        assert there.is_connected
        assert [(t.sid, t.kind, t.source) for t in there.tracks] == [
            (publication.sid, "audio", "microphone")
        ]
        await server.engine.mute_track("room", "alice", publication.sid, True)
        await bob.until("track_muted")

        await server.engine.send_data("room", b"for bob", topic="t", identities=["bob"])
        (packet,) = await bob.until("data_received")
        assert (packet.data, packet.topic, packet.participant) == (b"for bob", "t", None)

        await server.engine.update_participant(
            "room", "alice", permission=Permission(can_publish=False), attributes={"hand": "up"}
        )
        await bob.until("track_unpublished", lambda p, _: p.sid == publication.sid)

        await server.engine.remove_participant("room", "bob")
        (reason,) = await bob.until("disconnected")
        assert reason == Reason.PARTICIPANT_REMOVED
        await ear.until(ParticipantLeft("room", "bob"))
        await server.engine.delete_room("room")
        (reason,) = await alice.until("disconnected")
        assert reason == Reason.ROOM_DELETED
        await ear.until(RoomFinished("room"))
    assert ear.events == [
        RoomStarted("room"),
        ParticipantJoined("room", "alice"),
        ParticipantJoined("room", "bob"),
        ParticipantLeft("room", "bob"),
        ParticipantLeft("room", "alice"),
        RoomFinished("room"),
    ]
    # All of it came by webhook: asking brings nothing new.
    await server.engine.reconcile()
    assert len(ear.events) == 6


async def test_who_has_no_consent_is_taken_out_when_the_webhook_comes(
    server: ClusterServer,
) -> None:
    async def gate(room: str, identity: str) -> bool:
        return identity != "mallory"

    server.engine.set_gate(gate)
    ear = Ear(server.engine)
    async with people("alice", "mallory") as (alice, mallory):
        await alice.connect(server)
        await mallory.connect(server)
        (reason,) = await mallory.until("disconnected")
        assert reason == Reason.PARTICIPANT_REMOVED
        await ear.until(ParticipantJoined("room", "alice"))
        assert [p.identity for p in await server.engine.list_participants("room")] == ["alice"]
        assert alice.count("disconnected") == 0
    assert not [event for event in ear.events if getattr(event, "identity", "") == "mallory"]


@asynccontextmanager
async def _sealed(folder: Path) -> AsyncIterator[SealedServer]:
    sockets = bind("127.0.0.1", 0)
    webhook = f"http://127.0.0.1:{sockets[0].getsockname()[1]}/livekit/webhook"
    with livekit_server(folder, webhook) as livekit:
        async with serve_sealed(folder, media=livekit.settings(), sockets=sockets) as running:
            try:
                yield running
            finally:
                await livekit.silence()


async def test_a_sealed_meeting(tmp_path: Path) -> None:
    async with (
        _sealed(tmp_path) as server,
        httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={
                "Cookie": server.cookie,
                "X-Conclave": "1",
                "Origin": f"http://127.0.0.1:{server.port}",
            },
            trust_env=False,
        ) as operator,
    ):
        engine, meeting = server.app.use(ClusterEngine), server.link.meeting
        ear = Ear(engine)

        async def counted() -> int:
            await server.app.use(Follower).settled()
            (running,) = (await operator.get("/api/v1/meetings")).json()["meetings"]
            found: int = running["participants"]
            return found

        async with server.host(media=True) as host, server.guest("a", media=True) as a:
            for bot in (host, a):
                await bot.until(lambda each: each.is_inside)
                await media_of(bot).show()
                await media_of(bot).speak(440)
            await see_and_hear(host, a)
            await see_and_hear(a, host)
            for bot in (host, a):
                await ear.until(ParticipantJoined(meeting, bot.member.identity))
            assert await counted() == 2

            # Our ticket is good at the cluster's door, and yet no member is no guest.
            async with people("outsider") as (outsider,):
                ticket = engine.mint(meeting, "outsider")
                async with asyncio.timeout(15):
                    await outsider.room.connect(ticket.url, ticket.token)
                await outsider.until("disconnected")

            # Taken out of the group, and so out of the media.
            out = a.member.identity
            host.do(lambda member, now: member.remove(out, now))
            await ear.until(ParticipantLeft(meeting, out))
            assert [p.identity for p in await engine.list_participants(meeting)] == [
                host.member.identity
            ]
            assert await counted() == 1

            assert (await operator.post(f"/api/v1/meetings/{meeting}/end")).status_code == 204
            await ear.until(RoomFinished(meeting))
            assert await engine.list_rooms() == []
            assert (await operator.get("/api/v1/meetings")).json()["meetings"] == []
