"""LiveKit's own server SDK (`livekit-api`) against a room with LiveKit's own clients in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from livekit import api, rtc
from livekit.api.room_service import RoomService
from livekit.protocol import models

from conclave.kernel.errors import NotFound
from tests.media.netns import own_network
from tests.media.sdk import Person, end_sdk, people
from tests.media.server import MediaServer, serve

pytestmark = [
    pytest.mark.media,
    pytest.mark.anyio,
    pytest.mark.xdist_group("livekit-sdk"),
    pytest.mark.skipif(
        find_spec("conclave._media") is None, reason="the media engine is not built"
    ),
]
ROOM = "room"


@pytest.fixture(scope="module", autouse=True)
def network() -> Iterator[None]:
    with own_network():
        yield
        end_sdk()


@pytest.fixture
async def server(tmp_path: Path, network: None) -> AsyncIterator[MediaServer]:
    async with serve(tmp_path, engine="embedded") as running:
        yield running


@pytest.fixture
async def rooms(server: MediaServer) -> AsyncIterator[RoomService]:
    keys = server.engine.keys
    url = f"http://127.0.0.1:{server.port}"
    client = api.LiveKitAPI(url, keys.primary, keys.secret(keys.primary))
    try:
        yield client.room
    finally:
        await client.aclose()


@pytest.fixture
async def pair(server: MediaServer) -> AsyncIterator[tuple[Person, Person]]:
    async with people("alice", "bob") as (alice, bob):
        await alice.connect(server)
        await bob.connect(server)
        yield alice, bob


def _alice() -> api.RoomParticipantIdentity:
    return api.RoomParticipantIdentity(room=ROOM, identity="alice")


async def test_rooms(rooms: RoomService) -> None:
    made = await rooms.create_room(
        api.CreateRoomRequest(name="other", empty_timeout=60, max_participants=3)
    )
    assert (made.name, made.max_participants) == ("other", 3)
    listed = await rooms.list_rooms(api.ListRoomsRequest(names=["other"]))
    assert [room.sid for room in listed.rooms] == [made.sid]
    await rooms.delete_room(api.DeleteRoomRequest(room="other"))
    with pytest.raises(api.TwirpError) as error:
        await rooms.delete_room(api.DeleteRoomRequest(room="other"))
    assert (error.value.code, error.value.status) == ("not_found", 404)


async def test_a_token_of_the_sdk_opens_a_room_as_it_says(
    server: MediaServer, rooms: RoomService
) -> None:
    keys = server.engine.keys
    config = api.RoomConfiguration(max_participants=1, metadata="set up")
    token = (
        api.AccessToken(keys.primary, keys.secret(keys.primary))
        .with_identity("alice")
        .with_grants(api.VideoGrants(room_join=True, room=ROOM))
        .with_room_config(config)
        .with_ttl(timedelta(minutes=1))
        .to_jwt()
    )
    async with people("alice") as (alice,):
        await alice.room.connect(server.url, token)
        assert alice.room.metadata == "set up"
        (room,) = (await rooms.list_rooms(api.ListRoomsRequest())).rooms
        assert (room.max_participants, room.num_participants) == (1, 1)


async def test_people_are_shown_changed_and_removed(
    rooms: RoomService, pair: tuple[Person, Person]
) -> None:
    alice, bob = pair
    listed = await rooms.list_participants(api.ListParticipantsRequest(room=ROOM))
    assert {p.identity for p in listed.participants} == {"alice", "bob"}
    await rooms.update_participant(
        api.UpdateParticipantRequest(room=ROOM, identity="alice", attributes={"hand": "up"})
    )
    await bob.until("participant_attributes_changed")
    shown = await rooms.get_participant(_alice())
    assert dict(shown.attributes) == {"hand": "up"}
    await rooms.remove_participant(_alice())
    (reason,) = await alice.until("disconnected")
    assert reason == rtc.DisconnectReason.PARTICIPANT_REMOVED
    await bob.until("participant_disconnected")
    with pytest.raises(api.TwirpError) as error:
        await rooms.get_participant(_alice())
    assert error.value.code == "not_found"


async def test_tracks_are_muted_unsubscribed_and_taken_away(
    rooms: RoomService, pair: tuple[Person, Person]
) -> None:
    alice, bob = pair
    sid = (await alice.speak(440.0)).sid
    track, *_ = await bob.until("track_subscribed")
    change = api.UpdateSubscriptionsRequest(room=ROOM, identity="bob", track_sids=[sid])
    await rooms.update_subscriptions(change)
    with pytest.raises(TimeoutError):
        await bob.hear(track, patience=2)
    change.subscribe = True
    await rooms.update_subscriptions(change)
    assert await bob.hear(track) == pytest.approx(440.0, abs=20)
    muted = await rooms.mute_published_track(
        api.MuteRoomTrackRequest(room=ROOM, identity="alice", track_sid=sid, muted=True)
    )
    assert muted.track.muted
    await bob.until("track_muted")
    with pytest.raises(api.TwirpError) as error:
        await rooms.mute_published_track(
            api.MuteRoomTrackRequest(room=ROOM, identity="alice", track_sid=sid, muted=False)
        )
    assert error.value.code == "failed_precondition"
    permission = models.ParticipantPermission(can_subscribe=True, can_publish_data=True)
    await rooms.update_participant(
        api.UpdateParticipantRequest(room=ROOM, identity="alice", permission=permission)
    )
    await bob.until("track_unpublished")
    assert not (await rooms.get_participant(_alice())).tracks


async def test_data_and_metadata_reach_clients(
    rooms: RoomService, pair: tuple[Person, Person]
) -> None:
    alice, bob = pair
    await rooms.send_data(
        api.SendDataRequest(
            room=ROOM,
            data=b"hello",
            kind=models.DataPacket.RELIABLE,
            destination_identities=["alice"],
            topic="t",
        )
    )
    (packet,) = await alice.until("data_received")
    assert (packet.data, packet.topic, packet.participant) == (b"hello", "t", None)
    await rooms.send_data(
        api.SendDataRequest(room=ROOM, data=b"all", kind=models.DataPacket.RELIABLE)
    )
    (packet,) = await bob.until("data_received")
    assert packet.data == b"all", "the first was for alice alone"
    await rooms.update_room_metadata(api.UpdateRoomMetadataRequest(room=ROOM, metadata="news"))
    await bob.until("room_metadata_changed", lambda *words: "news" in words)


async def test_what_is_not_offered_says_so(rooms: RoomService) -> None:
    with pytest.raises(api.TwirpError) as error:
        await rooms.move_participant(
            api.MoveParticipantRequest(room=ROOM, identity="alice", destination_room="other")
        )
    assert error.value.code == "unimplemented"


async def test_the_room_ends_for_everybody(
    server: MediaServer, rooms: RoomService, pair: tuple[Person, Person]
) -> None:
    await rooms.delete_room(api.DeleteRoomRequest(room=ROOM))
    for person in pair:
        (reason,) = await person.until("disconnected")
        assert reason == rtc.DisconnectReason.ROOM_DELETED
    with pytest.raises(NotFound):
        server.engine.machine.room(ROOM)
