"""The running server with LiveKit's own client: media, data, and connections that break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from livekit import rtc
from livekit.rtc._proto.track_publication_pb2 import VideoQuality

from conclave.media.engine import Permission
from tests.media.netns import own_network
from tests.media.sdk import Person, end_sdk, people
from tests.media.server import MediaServer, free_udp_port, serve

pytestmark = [
    pytest.mark.media,
    pytest.mark.anyio,
    pytest.mark.xdist_group("livekit-sdk"),
    pytest.mark.skipif(
        find_spec("conclave._media") is None, reason="the media engine is not built"
    ),
]
TONE = 440.0
OTHER_TONE = 1000.0
Reason = rtc.DisconnectReason


@pytest.fixture(scope="module", autouse=True)
def network() -> Iterator[None]:
    with own_network():
        yield
        end_sdk()


@pytest.fixture
async def server(tmp_path: Path, network: None) -> AsyncIterator[MediaServer]:
    async with serve(tmp_path, engine="embedded") as running:
        yield running


@pytest.fixture(params=["single", "dual"])
async def pair(
    request: pytest.FixtureRequest, server: MediaServer
) -> AsyncIterator[tuple[Person, Person]]:
    """Two clients with one peer connection each, or with two."""
    is_single = request.param == "single"
    async with people("alice", "bob") as (alice, bob):
        for person in (alice, bob):
            await person.connect(server, single_peer_connection=is_single)
        for known in server.engine.machine.world.by_sid.values():
            assert known.is_dual != is_single
        yield alice, bob


async def test_they_see_each_other(pair: tuple[Person, Person]) -> None:
    alice, bob = pair
    (seen,) = await alice.until("participant_connected")
    assert (seen.identity, seen.name, seen.sid) == ("bob", "Bob", bob.sid)
    assert [p.identity for p in bob.room.remote_participants.values()] == ["alice"]


async def test_sound_both_ways(pair: tuple[Person, Person]) -> None:
    alice, bob = pair
    await alice.speak(TONE)
    await bob.speak(OTHER_TONE)
    track, publication, publisher = await bob.until("track_subscribed")
    assert (publisher.identity, publication.source) == ("alice", rtc.TrackSource.SOURCE_MICROPHONE)
    assert await bob.hear(track) == pytest.approx(TONE, abs=5)
    track, *_ = await alice.until("track_subscribed")
    assert await alice.hear(track) == pytest.approx(OTHER_TONE, abs=5)
    await alice.until("local_track_subscribed")
    await bob.until(
        "active_speakers_changed", lambda speakers: "alice" in {s.identity for s in speakers}
    )


@pytest.mark.parametrize("codec", [rtc.VideoCodec.VP8, rtc.VideoCodec.H264], ids=["vp8", "h264"])
async def test_video_is_decoded(
    pair: tuple[Person, Person], codec: rtc.VideoCodec.ValueType
) -> None:
    alice, bob = pair
    await alice.show(320, 240, codec)
    track, *_ = await bob.until("track_subscribed")
    width, height, brightness = await bob.watch(track)
    assert (width, height) == (320, 240)
    received = [report.codec.codec.mime_type for report in await track.get_stats()]
    assert f"video/{rtc.VideoCodec.Name(codec)}" in received
    # The ramp is seen moving: frames are decoded one after another, not repeated.
    assert len({round(b) for b in brightness}) > 5


# At this bitrate the scalable encoder leaves out its uppermost layer.
@pytest.mark.parametrize(
    ("codec", "largest"),
    [(rtc.VideoCodec.VP8, 1280), (rtc.VideoCodec.VP9, 640)],
    ids=["vp8", "vp9"],
)
async def test_the_layer_that_is_asked_for_comes(
    pair: tuple[Person, Person], codec: rtc.VideoCodec.ValueType, largest: int
) -> None:
    alice, bob = pair
    await alice.show(1280, 720, codec, simulcast=True)
    track, publication, _ = await bob.until("track_subscribed")
    await bob.watch_until(track, largest)
    for quality, width in (
        (VideoQuality.VIDEO_QUALITY_LOW, 320),
        (VideoQuality.VIDEO_QUALITY_HIGH, largest),
    ):
        publication.set_video_quality(quality)
        await bob.watch_until(track, width)


async def test_who_comes_late_receives_what_is_there_with_the_first_answer(
    server: MediaServer,
) -> None:
    async with people("alice", "bob") as (alice, bob):
        await alice.connect(server)
        await alice.speak(TONE)
        await alice.show()
        await asyncio.sleep(0.3)
        await bob.connect(server)
        for kind in (rtc.TrackKind.KIND_AUDIO, rtc.TrackKind.KIND_VIDEO):
            track, *_ = await bob.until("track_subscribed", lambda t, *_, k=kind: t.kind == k)
            if kind == rtc.TrackKind.KIND_AUDIO:
                assert await bob.hear(track) == pytest.approx(TONE, abs=5)
            else:
                await bob.watch(track, frames=3)


async def test_data_both_ways_and_to_chosen_people(server: MediaServer) -> None:
    async with people("alice", "bob", "carol") as (alice, bob, carol):
        for person in (alice, bob, carol):
            await person.connect(server)
        await alice.until("participant_connected", lambda p: p.identity == "carol")
        await alice.room.local_participant.publish_data(
            b"all", topic="chat", destination_identities=[]
        )
        for person in (bob, carol):
            (packet,) = await person.until("data_received")
            assert (packet.data, packet.topic, packet.participant.identity) == (
                b"all",
                "chat",
                "alice",
            )
        await bob.room.local_participant.publish_data(b"you", destination_identities=["alice"])
        await bob.room.local_participant.publish_data(b"lossy", reliable=False)
        (packet,) = await alice.until("data_received", lambda p: p.data == b"you")
        assert packet.participant.identity == "bob"
        await carol.until("data_received", lambda p: p.data == b"lossy")
        assert not [a for n, a in carol.events if n == "data_received" and a[0].data == b"you"]
        await server.engine.send_data("room", b"server", topic="t", identities=["carol"])
        (packet,) = await carol.until("data_received", lambda p: p.data == b"server")
        assert packet.participant is None
        # Much in a row arrives complete and in order.
        bodies = [str(n).encode() * 1000 for n in range(50)]
        for body in bodies:
            await alice.room.local_participant.publish_data(body, topic="bulk")
        await bob.until("data_received", lambda p: p.data == bodies[-1])
        bulk = [a[0].data for n, a in bob.events if n == "data_received" and a[0].topic == "bulk"]
        assert bulk == bodies


async def test_calls_from_client_to_client(pair: tuple[Person, Person]) -> None:
    alice, bob = pair

    async def shout(call: rtc.RpcInvocationData) -> str:
        return call.payload.upper()

    bob.room.local_participant.register_rpc_method("shout", shout)
    await alice.until("participant_connected")
    answer = await alice.room.local_participant.perform_rpc(
        destination_identity="bob", method="shout", payload="hello"
    )
    assert answer == "HELLO"


async def test_mute_by_oneself_and_by_the_server(
    server: MediaServer, pair: tuple[Person, Person]
) -> None:
    alice, bob = pair
    publication = await alice.speak(TONE)
    track, *_ = await bob.until("track_subscribed")
    await bob.hear(track)
    microphone = publication.track
    assert isinstance(microphone, rtc.LocalAudioTrack)
    microphone.mute()
    who, which = await bob.until("track_muted")
    assert (who.identity, which.sid) == ("alice", publication.sid)
    microphone.unmute()
    await bob.until("track_unmuted")
    assert await bob.hear(track) == pytest.approx(TONE, abs=5)
    bob.forget()
    await server.engine.mute_track("room", "alice", publication.sid, True)
    await bob.until("track_muted")
    await alice.until("track_muted", lambda p, _: p.identity == "alice")
    assert (await server.engine.list_participants("room"))[0].tracks[0].muted


async def test_unpublish_and_publish_again(pair: tuple[Person, Person]) -> None:
    alice, bob = pair
    first = await alice.speak(TONE)
    await bob.until("track_subscribed")
    await alice.room.local_participant.unpublish_track(first.sid)
    await bob.until("track_unpublished", lambda p, _: p.sid == first.sid)
    second = await alice.speak(OTHER_TONE)
    track, *_ = await bob.until("track_subscribed", lambda t, *_: t.sid == second.sid)
    assert await bob.hear(track) == pytest.approx(OTHER_TONE, abs=5)


async def test_subscription_by_choice(server: MediaServer) -> None:
    async with people("alice", "bob") as (alice, bob):
        await alice.connect(server)
        await bob.connect(server, auto_subscribe=False)
        sound = await alice.speak(TONE)
        publication, _ = await bob.until("track_published", lambda p, _: p.sid == sound.sid)
        assert bob.count("track_subscribed") == 0
        publication.set_subscribed(True)
        track, *_ = await bob.until("track_subscribed")
        assert await bob.hear(track) == pytest.approx(TONE, abs=5)
        publication.set_subscribed(False)
        await bob.until("track_unsubscribed")


async def test_many_tracks_make_the_client_add_sections(server: MediaServer) -> None:
    async with people("alice", "bob") as (alice, bob):
        await alice.connect(server)
        await bob.connect(server)
        sids = {(await alice.speak(300.0 + 100 * n)).sid for n in range(6)}
        for sid in sids:
            await bob.until("track_subscribed", lambda t, *_, s=sid: t.sid == s)
        tracks = {a[0].sid: a[0] for n, a in bob.events if n == "track_subscribed"}
        heard = await asyncio.gather(*(bob.hear(track) for track in tracks.values()))
        assert sorted(round(h, -2) for h in heard) == [300, 400, 500, 600, 700, 800]


async def test_leaving_is_seen(pair: tuple[Person, Person]) -> None:
    alice, bob = pair
    await bob.leave()
    (gone,) = await alice.until("participant_disconnected")
    assert gone.identity == "bob"


async def test_kicked(server: MediaServer, pair: tuple[Person, Person]) -> None:
    alice, bob = pair
    await server.engine.remove_participant("room", "bob")
    (reason,) = await bob.until("disconnected")
    assert reason == Reason.PARTICIPANT_REMOVED
    await alice.until("participant_disconnected")


async def test_same_identity_again(server: MediaServer, pair: tuple[Person, Person]) -> None:
    alice, bob = pair
    async with people("bob") as (second,):
        await second.connect(server)
        (reason,) = await bob.until("disconnected")
        assert reason == Reason.DUPLICATE_IDENTITY
        await alice.until("participant_disconnected")
        await alice.until("participant_connected", lambda p: p.sid == second.sid)


async def test_room_that_ends(server: MediaServer, pair: tuple[Person, Person]) -> None:
    await server.engine.delete_room("room")
    for person in pair:
        (reason,) = await person.until("disconnected")
        assert reason == Reason.ROOM_DELETED


async def test_permission_taken_away(server: MediaServer, pair: tuple[Person, Person]) -> None:
    alice, bob = pair
    publication = await alice.speak(TONE)
    await bob.until("track_subscribed")
    await server.engine.update_participant(
        "room", "alice", permission=Permission(can_publish=False), attributes={"hand": "up"}
    )
    await bob.until("track_unpublished", lambda p, _: p.sid == publication.sid)
    changed, who = await bob.until("participant_attributes_changed")
    assert (dict(changed), who.identity) == ({"hand": "up"}, "alice")


async def _is_unharmed(alice: Person, bob: Person) -> None:
    track, *_ = await bob.until("track_subscribed")
    assert await bob.hear(track) == pytest.approx(TONE, abs=5)
    assert bob.count("participant_disconnected") == 0
    assert alice.count("disconnected") == 0


async def test_lost_socket_is_resumed_without_a_gap(
    server: MediaServer, pair: tuple[Person, Person]
) -> None:
    alice, bob = pair
    await alice.speak(TONE)
    await bob.until("track_subscribed")
    sid = alice.sid
    await alice.room.simulate_scenario(rtc.SimulateScenarioKind.SIMULATE_SIGNAL_RECONNECT)
    await alice.until("reconnected")
    assert alice.sid == sid
    await _is_unharmed(alice, bob)
    # What is said afterwards arrives too.
    await alice.room.local_participant.publish_data(b"still here")
    await bob.until("data_received", lambda p: p.data == b"still here")
    late = await bob.speak(OTHER_TONE)
    track, *_ = await alice.until("track_subscribed", lambda t, *_: t.sid == late.sid)
    assert await alice.hear(track) == pytest.approx(OTHER_TONE, abs=5)


async def test_socket_that_breaks_again_while_resuming(pair: tuple[Person, Person]) -> None:
    alice, bob = pair
    await alice.speak(TONE)
    await bob.until("track_subscribed")
    kind = rtc.SimulateScenarioKind.SIMULATE_DISCONNECT_SIGNAL_ON_RESUME
    await alice.room.simulate_scenario(kind)
    # A client may resume once more or start anew: either way its voice is there in the end.
    await alice.until("reconnected")
    async with asyncio.timeout(30):
        while True:
            track = [a[0] for n, a in bob.events if n == "track_subscribed"][-1]
            with suppress(TimeoutError):
                assert await bob.hear(track, patience=3) == pytest.approx(TONE, abs=5)
                break


@pytest.mark.parametrize("scenario", ["SIMULATE_NODE_FAILURE", "SIMULATE_FULL_RECONNECT"])
async def test_full_reconnect_publishes_again(pair: tuple[Person, Person], scenario: str) -> None:
    alice, bob = pair
    await alice.speak(TONE)
    track, *_ = await bob.until("track_subscribed")
    first = track.sid
    await alice.room.simulate_scenario(getattr(rtc.SimulateScenarioKind, scenario))
    await alice.until("reconnected")
    track, *_ = await bob.until("track_subscribed", lambda t, *_: t.sid != first)
    assert await bob.hear(track) == pytest.approx(TONE, abs=5)


async def test_server_restart_brings_everybody_back(tmp_path: Path, network: None) -> None:
    udp = free_udp_port()
    async with people("alice", "bob") as (alice, bob):
        async with serve(tmp_path, engine="embedded", udp_port=udp) as server:
            await alice.connect(server)
            await bob.connect(server)
            await alice.speak(TONE)
            await bob.until("track_subscribed")
            bob.forget()
            port = server.port
        async with serve(tmp_path, engine="embedded", port=port, udp_port=udp) as server:
            await alice.until("reconnected")
            await bob.until("reconnected")
            track, *_ = await bob.until("track_subscribed")
            assert await bob.hear(track) == pytest.approx(TONE, abs=5)


async def test_one_and_two_peer_connections_meet(server: MediaServer) -> None:
    async with people("alice", "bob") as (alice, bob):
        await alice.connect(server)
        await alice.speak(TONE)
        await alice.show()
        await bob.connect(server, single_peer_connection=False)
        await bob.speak(OTHER_TONE)
        await bob.show()
        for person, hertz in ((alice, OTHER_TONE), (bob, TONE)):
            for kind in (rtc.TrackKind.KIND_AUDIO, rtc.TrackKind.KIND_VIDEO):
                track, *_ = await person.until(
                    "track_subscribed", lambda t, *_, k=kind: t.kind == k
                )
                if kind == rtc.TrackKind.KIND_AUDIO:
                    assert await person.hear(track) == pytest.approx(hertz, abs=5)
                else:
                    await person.watch(track, frames=3)
        await alice.room.local_participant.publish_data(b"to bob")
        await bob.until("data_received", lambda p: p.data == b"to bob")
        await bob.room.local_participant.publish_data(b"to alice", reliable=False)
        await alice.until("data_received", lambda p: p.data == b"to alice")


async def test_many_tracks_on_a_connection_of_their_own(server: MediaServer) -> None:
    async with people("alice", "bob") as (alice, bob):
        await alice.connect(server)
        await bob.connect(server, single_peer_connection=False)
        sids = [(await alice.speak(300.0 + 100 * n)).sid for n in range(4)]
        for sid in sids:
            await bob.until("track_subscribed", lambda t, *_, s=sid: t.sid == s)
        for sid in sids[:2]:
            await alice.room.local_participant.unpublish_track(sid)
            await bob.until("track_unpublished", lambda p, _, s=sid: p.sid == s)
        more = [(await alice.speak(1000.0 + 100 * n)).sid for n in range(2)]
        for sid in more:
            await bob.until("track_subscribed", lambda t, *_, s=sid: t.sid == s)
        tracks = {a[0].sid: a[0] for n, a in bob.events if n == "track_subscribed"}
        heard = await asyncio.gather(*(bob.hear(tracks[sid]) for sid in (*sids[2:], *more)))
        assert sorted(round(h, -2) for h in heard) == [500, 600, 1000, 1100]


async def test_refused_join_says_why(server: MediaServer) -> None:
    async def gate(room: str, identity: str) -> bool:
        return False

    server.engine.set_gate(gate)
    async with people("alice") as (alice,):
        with pytest.raises(rtc.ConnectError, match="closed to you"):
            await alice.connect(server)


async def test_encrypted_media_passes_untouched(server: MediaServer) -> None:
    def sealed(key: bytes) -> rtc.E2EEOptions:
        return rtc.E2EEOptions(key_provider_options=rtc.KeyProviderOptions(shared_key=key))

    async with people("alice", "bob") as (alice, bob):
        await alice.connect(server, encryption=sealed(b"the key of this room"))
        await bob.connect(server, encryption=sealed(b"the key of this room"))
        await alice.speak(TONE)
        await alice.show()
        sound, *_ = await bob.until(
            "track_subscribed", lambda t, *_: t.kind == rtc.TrackKind.KIND_AUDIO
        )
        assert await bob.hear(sound) == pytest.approx(TONE, abs=5)
        picture, *_ = await bob.until(
            "track_subscribed", lambda t, *_: t.kind == rtc.TrackKind.KIND_VIDEO
        )
        await bob.watch(picture, frames=5)
