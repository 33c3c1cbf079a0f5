"""RoomService over real HTTP, every method in both encodings, and what it turns down."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from livekit.protocol import models, room, rtc
from websockets.exceptions import InvalidStatus

from conclave.kernel.clock import ManualClock
from conclave.media.service.calls import CALLS
from conclave.media.service.routes import BODY_LIMIT
from conclave.media.transport import TrackActive, TransportChanged
from conclave.settings import LimitsSettings
from tests.media.server import MediaServer, RawClient, serve
from tests.media.twirp import ALL, Refusal, Twirp, api_token, refusal

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

Reason = models.DisconnectReason
Source = models.TrackSource


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[MediaServer]:
    async with serve(tmp_path) as running:
        yield running


@pytest.fixture(params=["application/protobuf", "application/json"])
async def api(request: pytest.FixtureRequest, server: MediaServer) -> AsyncIterator[Twirp]:
    async with Twirp(server, request.param) as client:
        yield client


@pytest.fixture
async def plain(server: MediaServer) -> AsyncIterator[Twirp]:
    async with Twirp(server) as client:
        yield client


async def _publish(server: MediaServer, client: RawClient, kind: str = "audio") -> str:
    is_audio = kind == "audio"
    await client.send(
        add_track=rtc.AddTrackRequest(
            cid=kind,
            type=models.TrackType.AUDIO if is_audio else models.TrackType.VIDEO,
            source=Source.MICROPHONE if is_audio else Source.CAMERA,
        )
    )
    sid: str = (await client.next("track_published")).track.sid
    server.fake.emit(TrackActive(client.sid, sid, "audio/opus" if is_audio else "video/VP8", "1"))
    return sid


def _who(identity: str = "alice", **more: Any) -> room.RoomParticipantIdentity:
    return room.RoomParticipantIdentity(room="room", identity=identity, **more)


async def test_a_room_is_created_changed_listed_and_deleted(api: Twirp) -> None:
    request = room.CreateRoomRequest(
        name="room", empty_timeout=77, departure_timeout=7, max_participants=2, metadata="m"
    )
    made = await api.call("CreateRoom", request, models.Room)
    assert made.sid.startswith("RM_")
    assert (made.name, made.metadata) == ("room", "m")
    assert (made.empty_timeout, made.departure_timeout, made.max_participants) == (77, 7, 2)
    again = room.CreateRoomRequest(name="room", empty_timeout=78)
    changed = await api.call("CreateRoom", again, models.Room)
    assert (changed.sid, changed.empty_timeout, changed.metadata) == (made.sid, 78, "m")
    await api.call("CreateRoom", room.CreateRoomRequest(name="other"), models.Room)
    listed = await api.call("ListRooms", room.ListRoomsRequest(), room.ListRoomsResponse)
    assert [r.name for r in listed.rooms] == ["room", "other"]
    chosen = room.ListRoomsRequest(names=["other", "none", "other"])
    listed = await api.call("ListRooms", chosen, room.ListRoomsResponse)
    assert [r.name for r in listed.rooms] == ["other"]
    gone = room.DeleteRoomRequest(room="room")
    await api.call("DeleteRoom", gone, room.DeleteRoomResponse)
    with pytest.raises(Refusal) as error:
        await api.call("DeleteRoom", gone, room.DeleteRoomResponse)
    assert (error.value.status, error.value.code) == (404, "not_found")


async def test_deleting_a_room_sends_everybody_away(api: Twirp, server: MediaServer) -> None:
    alice = await server.join("alice")
    await api.call("DeleteRoom", room.DeleteRoomRequest(room="room"), room.DeleteRoomResponse)
    assert (await alice.next("leave")).reason == Reason.ROOM_DELETED
    assert await alice.closed() == 1000


async def test_participants_are_listed_and_shown(api: Twirp, server: MediaServer) -> None:
    alice = await server.join("alice", name="Alice", attributes={"a": "1"}, metadata="m")
    sid = await _publish(server, alice)
    request = room.ListParticipantsRequest(room="room")
    listed = await api.call("ListParticipants", request, room.ListParticipantsResponse)
    (shown,) = listed.participants
    assert (shown.sid, shown.identity, shown.name) == (alice.sid, "alice", "Alice")
    assert dict(shown.attributes) == {"a": "1"}
    assert [track.sid for track in shown.tracks] == [sid]
    assert await api.call("GetParticipant", _who(), models.ParticipantInfo) == shown
    with pytest.raises(Refusal) as error:
        await api.call("GetParticipant", _who("bob"), models.ParticipantInfo)
    assert (error.value.status, error.value.code) == (404, "not_found")
    api.token = api_token(server, {"roomAdmin": True, "room": "none"})
    empty = room.ListParticipantsRequest(room="none")
    listed = await api.call("ListParticipants", empty, room.ListParticipantsResponse)
    assert list(listed.participants) == []


async def test_a_participant_is_removed(api: Twirp, server: MediaServer) -> None:
    alice = await server.join("alice")
    await api.call("RemoveParticipant", _who(), room.RemoveParticipantResponse)
    assert (await alice.next("leave")).reason == Reason.PARTICIPANT_REMOVED
    with pytest.raises(Refusal) as error:
        await api.call("RemoveParticipant", _who(), room.RemoveParticipantResponse)
    assert error.value.code == "not_found"
    # Its token is good still: whether it may come again is for the gate, or for a revocation.
    await server.join("alice")


async def test_a_removal_can_revoke_tokens(api: Twirp, server: MediaServer) -> None:
    await server.join("alice")
    token = server.token("alice")
    later = int(server.engine.now().at.timestamp()) + 60
    request = _who(revoke_token_ts=later)
    await api.call("RemoveParticipant", request, room.RemoveParticipantResponse)
    with pytest.raises(InvalidStatus) as refused:
        await RawClient.connect(server.v1_url(token))
    assert refused.value.response.status_code == 403
    await server.join("bob")
    fresh = api_token(
        server, {"roomJoin": True, "room": "room"}, sub="alice", nbf=later, exp=later + 60
    )
    with pytest.raises(InvalidStatus) as refused:
        await RawClient.connect(server.v1_url(fresh))
    assert refused.value.response.status_code == 401, "valid in a minute only"


async def test_a_track_is_muted_and_never_opened(api: Twirp, server: MediaServer) -> None:
    alice = await server.join("alice")
    sid = await _publish(server, alice)

    def wish(track: str, *, muted: bool) -> room.MuteRoomTrackRequest:
        return room.MuteRoomTrackRequest(
            room="room", identity="alice", track_sid=track, muted=muted
        )

    muted = wish(sid, muted=True)
    answer = await api.call("MutePublishedTrack", muted, room.MuteRoomTrackResponse)
    assert (answer.track.sid, answer.track.muted) == (sid, True)
    assert (await alice.next("mute")).muted
    with pytest.raises(Refusal) as error:
        await api.call("MutePublishedTrack", wish(sid, muted=False), room.MuteRoomTrackResponse)
    assert (error.value.status, error.value.code) == (412, "failed_precondition")
    assert "only be opened by the person" in error.value.words
    with pytest.raises(Refusal) as error:
        await api.call("MutePublishedTrack", wish("TR_x", muted=True), room.MuteRoomTrackResponse)
    assert error.value.code == "not_found"


async def test_a_participant_is_changed(api: Twirp, server: MediaServer) -> None:
    alice = await server.join("alice", attributes={"a": "1", "b": "2"})
    request = room.UpdateParticipantRequest(
        room="room",
        identity="alice",
        name="Alice",
        metadata="m",
        attributes={"a": "", "c": "3"},
        permission=models.ParticipantPermission(
            can_publish=True,
            can_subscribe=False,
            can_publish_sources=[Source.CAMERA],
            can_update_metadata=True,
        ),
    )
    changed = await api.call("UpdateParticipant", request, models.ParticipantInfo)
    assert (changed.name, changed.metadata) == ("Alice", "m")
    assert dict(changed.attributes) == {"b": "2", "c": "3"}
    assert changed.permission == request.permission
    # Each change makes a token that says the same; the first of them is this one.
    assert await alice.next("refresh_token")
    # What is left out stays as it is, permissions too.
    request = room.UpdateParticipantRequest(room="room", identity="alice", name="Bob")
    changed = await api.call("UpdateParticipant", request, models.ParticipantInfo)
    assert (changed.name, changed.metadata) == ("Bob", "m")
    assert list(changed.permission.can_publish_sources) == [Source.CAMERA]


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x" * 257},
        {"metadata": "x" * 64_001},
        {"attributes": {"a": "x" * 64_001}},
        {"permission": models.ParticipantPermission(can_publish_sources=[Source.UNKNOWN])},
    ],
    ids=["name", "metadata", "attributes", "sources"],
)
async def test_what_is_too_much_for_a_participant(
    plain: Twirp, server: MediaServer, fields: dict[str, Any]
) -> None:
    await server.join("alice", name="Alice")
    request = room.UpdateParticipantRequest(room="room", identity="alice", **fields)
    with pytest.raises(Refusal) as error:
        await plain.call("UpdateParticipant", request, models.ParticipantInfo)
    assert (error.value.status, error.value.code) == (400, "invalid_argument")
    (alice,) = await server.engine.list_participants("room")
    assert (alice.name, alice.metadata, dict(alice.attributes)) == ("Alice", "", {})


async def test_subscriptions_are_changed(api: Twirp, server: MediaServer) -> None:
    alice, bob = await server.join("alice"), await server.join("bob")
    audio, video = await _publish(server, alice), await _publish(server, alice, "video")
    subscribed = server.engine.machine.participant("room", "bob").subscribed
    assert subscribed == {audio, video}

    async def update(**fields: Any) -> None:
        request = room.UpdateSubscriptionsRequest(room="room", identity="bob", **fields)
        await api.call("UpdateSubscriptions", request, room.UpdateSubscriptionsResponse)

    await update(track_sids=[audio, "TR_none"])
    assert subscribed == {video}
    tracks = models.ParticipantTracks(participant_sid=alice.sid, track_sids=[video])
    await update(participant_tracks=[tracks])
    assert subscribed == set()
    await update(track_sids=[audio], participant_tracks=[tracks], subscribe=True)
    assert subscribed == {audio, video}
    await update(track_sids=["TR_none"], subscribe=True)
    assert (await bob.next("subscription_response")).track_sid == "TR_none"


async def test_data_is_sent(api: Twirp, server: MediaServer) -> None:
    alice, bob = await server.join("alice"), await server.join("bob")
    await server.join("carol")

    async def send(**fields: Any) -> list[tuple[models.DataPacket, bool, tuple[str, ...]]]:
        server.fake.calls.clear()
        request = room.SendDataRequest(room="room", data=b"hello", **fields)
        await api.call("SendData", request, room.SendDataResponse)
        return [
            (models.DataPacket.FromString(call[2]), call[3], call[4])  # type: ignore[misc, arg-type]
            for call in server.fake.calls
            if call[0] == "send_data"
        ]

    ((packet, is_reliable, to),) = await send(topic="t", nonce=b"n" * 16)
    assert (is_reliable, to) == (True, ())
    user = packet.user
    assert (user.payload, user.topic, user.nonce) == (b"hello", "t", b"n" * 16)
    assert packet.participant_identity == ""
    ((packet, is_reliable, to),) = await send(
        kind=models.DataPacket.LOSSY, destination_identities=["alice", "none"]
    )
    assert (is_reliable, to) == (False, (alice.sid,))
    assert not packet.user.HasField("topic")
    ((packet, _, to),) = await send(destination_sids=[bob.sid], destination_identities=["alice"])
    assert set(to) == {alice.sid, bob.sid}
    assert await send(destination_sids=["PA_none"]) == []


@pytest.mark.parametrize(
    "fields",
    [{"nonce": b"short"}, {"data": b"x" * 64_001}, {"kind": 9}],
    ids=["nonce", "size", "kind"],
)
async def test_data_that_is_not_sent(
    plain: Twirp, server: MediaServer, fields: dict[str, Any]
) -> None:
    await server.join("alice")
    with pytest.raises(Refusal) as error:
        await plain.call(
            "SendData", room.SendDataRequest(room="room", **fields), room.SendDataResponse
        )
    assert (error.value.status, error.value.code) == (400, "invalid_argument")
    assert not [call for call in server.fake.calls if call[0] == "send_data"]


async def test_room_metadata_is_told_to_everybody(api: Twirp, server: MediaServer) -> None:
    alice = await server.join("alice")
    request = room.UpdateRoomMetadataRequest(room="room", metadata="new")
    changed = await api.call("UpdateRoomMetadata", request, models.Room)
    assert changed.metadata == "new"
    while (await alice.next("room_update")).room.metadata != "new":
        pass
    request = room.UpdateRoomMetadataRequest(room="room", metadata="x" * 64_001)
    with pytest.raises(Refusal) as error:
        await api.call("UpdateRoomMetadata", request, models.Room)
    assert error.value.code == "invalid_argument"


@pytest.mark.parametrize(
    ("method", "request_type"),
    [
        ("ForwardParticipant", room.ForwardParticipantRequest),
        ("MoveParticipant", room.MoveParticipantRequest),
        ("PerformRpc", room.PerformRpcRequest),
    ],
)
async def test_what_is_not_offered(api: Twirp, method: str, request_type: Any) -> None:
    with pytest.raises(Refusal) as error:
        await api.call(method, request_type(room="room"), models.Room)
    assert (error.value.status, error.value.code) == (501, "unimplemented")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": ""}, "invalid_argument"),
        ({"name": "x" * 257}, "invalid_argument"),
        ({"metadata": "x" * 64_001}, "invalid_argument"),
        ({"room_preset": "big"}, "unimplemented"),
        ({"egress": room.RoomEgress()}, "unimplemented"),
        ({"agents": [{"agent_name": "a"}]}, "unimplemented"),
    ],
    ids=["no name", "long name", "metadata", "preset", "egress", "agents"],
)
async def test_rooms_that_are_not_created(
    plain: Twirp, server: MediaServer, fields: dict[str, Any], code: str
) -> None:
    request = room.CreateRoomRequest(**{"name": "room", **fields})
    with pytest.raises(Refusal) as error:
        await plain.call("CreateRoom", request, models.Room)
    assert error.value.code == code
    assert await server.engine.list_rooms() == []


WITHOUT = {
    "CreateRoom": "roomCreate", "DeleteRoom": "roomCreate", "ListRooms": "roomList",
}  # fmt: skip
LACKING = [
    *((method, {**ALL, WITHOUT.get(method, "roomAdmin"): False}) for method in CALLS),
    *((method, {**ALL, "room": "other"}) for method in CALLS if method not in WITHOUT),
    ("GetParticipant", {**ALL, "room": ""}),
    ("GetParticipant", {"roomJoin": True, "room": "room"}),
]


@pytest.mark.parametrize(("method", "video"), LACKING)
async def test_each_method_needs_its_grant(
    plain: Twirp, server: MediaServer, method: str, video: dict[str, Any]
) -> None:
    plain.token = api_token(server, video)
    fields = "name" if method == "CreateRoom" else "room"
    request = {} if method == "ListRooms" else {fields: "room"}
    response = await plain.post(
        method, json.dumps(request).encode(), content_type="application/json"
    )
    error = refusal(response)
    assert (error.status, error.code) == (403, "permission_denied")
    assert await server.engine.list_rooms() == []


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Basic abc", "Bearer abc", "Bearer a.b.c"],
    ids=["none", "bare", "basic", "no token", "three parts"],
)
async def test_no_good_token(plain: Twirp, header: str) -> None:
    error = refusal(await plain.post("ListRooms", b"", authorization=header))
    assert (error.status, error.code) == (401, "unauthenticated")


async def test_tokens_that_are_over_or_of_somebody_else(plain: Twirp, server: MediaServer) -> None:
    now = int(server.engine.now().at.timestamp())
    for claims in ({"exp": now - 60}, {"nbf": now + 60}, {"iss": "APInobody"}):
        plain.token = api_token(server, **claims)
        assert refusal(await plain.post("ListRooms", b"")).code == "unauthenticated"
    plain.token = server.token("alice")
    assert refusal(await plain.post("ListRooms", b"")).code == "permission_denied"
    # Not in the address, where it would end in logs.
    response = await plain.client.post(
        f"/twirp/livekit.RoomService/ListRooms?access_token={api_token(server)}",
        headers={"content-type": "application/protobuf"},
    )
    assert refusal(response).code == "unauthenticated"


async def test_refused_tokens_are_bounded_per_source(tmp_path: Path) -> None:
    limits = LimitsSettings(lookups_per_source=2)
    async with serve(tmp_path, limits=limits, clock=ManualClock()) as server, Twirp(server) as api:
        answers = [await api.post("ListRooms", b"", authorization="Bearer x") for _ in range(3)]
        assert [refusal(answer).code for answer in answers] == [
            "unauthenticated", "unauthenticated", "resource_exhausted",
        ]  # fmt: skip
        assert (await api.post("ListRooms", b"")).status_code == 200, "good ones are not bounded"


async def test_an_api_token_lets_nobody_join(server: MediaServer) -> None:
    token = api_token(server, ALL, sub="alice")
    with pytest.raises(InvalidStatus) as refused:
        await RawClient.connect(server.v1_url(token))
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/twirp/livekit.RoomService/Nothing",
        "/twirp/livekit.RoomService/",
        "/twirp/livekit.RoomService/ListRooms/x",
        "/twirp/livekit.Egress/ListEgress",
        "/twirp/ListRooms",
        "/twirp/",
        "/twirp/%2e%2e/livekit.RoomService/ListRooms",
    ],
)
async def test_other_routes(plain: Twirp, path: str) -> None:
    response = await plain.client.post(path, headers={"authorization": f"Bearer {plain.token}"})
    error = refusal(response)
    assert (error.status, error.code) == (404, "bad_route")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_only_post(plain: Twirp, method: str) -> None:
    response = await plain.client.request(method, "/twirp/livekit.RoomService/ListRooms")
    error = refusal(response)
    assert (error.status, error.code) == (404, "bad_route")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/xml", "json"])
async def test_other_content_types(plain: Twirp, content_type: str) -> None:
    error = refusal(await plain.post("ListRooms", b"", content_type=content_type))
    assert (error.status, error.code) == (404, "bad_route")


async def test_content_type_with_parameters(plain: Twirp) -> None:
    response = await plain.post("ListRooms", b"{}", content_type="Application/JSON; charset=utf-8")
    assert response.status_code == 200
    assert response.json() == {"rooms": []}


MALFORMED = {
    "empty": b"",
    "text": b"hello",
    "null": b"null",
    "list": b"[]",
    "number": b"1",
    "string": b'"x"',
    "half": b'{"room": ',
    "twice": b"{}{}",
    "not utf-8": b'{"name": "\xff"}',
    "surrogate": b'{"name": "\\ud800"}',
    "wrong kind": b'{"name": 5}',
    "negative": b'{"name": "x", "empty_timeout": -1}',
    "too large a number": b'{"name": "x", "empty_timeout": 4294967296}',
    "many digits": b'{"name": "x", "empty_timeout": ' + b"9" * 5000 + b"}",
    "deep": b'{"egress": ' * 5_000 + b"{}" + b"}" * 5_000,
    "deep lists": b"[" * 200_000,
    "nan": b'{"name": NaN}',
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_json_that_is_none(plain: Twirp, server: MediaServer, name: str) -> None:
    response = await plain.post("CreateRoom", MALFORMED[name], content_type="application/json")
    error = refusal(response)
    assert (error.status, error.code) == (400, "malformed")
    assert await server.engine.list_rooms() == []


async def test_protobuf_that_is_none(plain: Twirp) -> None:
    for body in (b"\x0a\xff", b"\xff" * 100, b"\x0a\x02\xff\xfe", b"\x32" * 1000):
        error = refusal(await plain.post("CreateRoom", body))
        assert (error.status, error.code) == (400, "malformed")


async def test_bodies_are_bounded(plain: Twirp) -> None:
    body = b"x" * (BODY_LIMIT + 1)
    error = refusal(await plain.post("CreateRoom", body))
    assert (error.status, error.code) == (400, "invalid_argument")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    response = await plain.client.post(
        "/twirp/livekit.RoomService/CreateRoom",
        content=pieces(),
        headers={"authorization": f"Bearer {plain.token}", "content-type": plain.encoding},
    )
    assert refusal(response).code == "invalid_argument"


async def test_both_names_of_a_field_are_taken(plain: Twirp) -> None:
    for body in (
        b'{"name": "r", "empty_timeout": 9, "unknown": {}}',
        b'{"name": "r", "emptyTimeout": 9}',
    ):
        response = await plain.post("CreateRoom", body, content_type="application/json")
        answer = response.json()
        # As livekit-server answers: proto names, and every field.
        assert (answer["empty_timeout"], answer["active_recording"]) == (9, False)
        assert isinstance(answer["creation_time"], str)


async def test_any_origin_may_call_with_a_token(plain: Twirp) -> None:
    origin = "https://example.org"
    preflight = await plain.client.options(
        "/twirp/livekit.RoomService/ListRooms",
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization, content-type",
        },
    )
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == origin
    assert preflight.headers["access-control-allow-headers"] == "authorization, content-type"
    assert preflight.headers["access-control-allow-methods"] == "POST, OPTIONS"
    assert "access-control-allow-credentials" not in preflight.headers
    for response in (
        await plain.post("ListRooms", b"", origin=origin),
        await plain.post("ListRooms", b"", origin=origin, authorization=""),
    ):
        assert response.headers["access-control-allow-origin"] == origin
        assert response.headers["cache-control"] == "no-store"


async def test_a_server_that_stops_says_so(tmp_path: Path) -> None:
    async with serve(tmp_path) as server, Twirp(server) as api:
        await server.engine.drain()
        error = refusal(await api.post("ListRooms", b""))
        assert (error.status, error.code) == (503, "unavailable")


async def test_a_fault_inside_is_told_as_one(
    plain: Twirp, server: MediaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr(server.engine, "perform", fail)
    response: httpx2.Response = await plain.post(
        "CreateRoom", room.CreateRoomRequest(name="r").SerializeToString()
    )
    error = refusal(response)
    assert (error.status, error.code) == (500, "internal")
    assert "secret" not in error.words


async def test_a_configured_room_is_full(api: Twirp, server: MediaServer) -> None:
    request = room.CreateRoomRequest(name="room", max_participants=1)
    await api.call("CreateRoom", request, models.Room)
    await server.join("alice")
    with pytest.raises(InvalidStatus) as refused:
        await server.join("bob")
    assert refused.value.response.status_code == 403
    assert refused.value.response.body == b"the room is full"
    await server.join("alice")  # its own place


async def test_a_token_sets_up_the_room_that_it_opens(server: MediaServer) -> None:
    config = {"maxParticipants": 1, "empty_timeout": 99, "metadata": "m", "agents": [{}], "x": 1}
    token = api_token(server, {"roomJoin": True, "room": "room"}, sub="alice", roomConfig=config)
    alice = await RawClient.connect(server.v1_url(token))
    opened = (await alice.next("join")).room
    assert (opened.max_participants, opened.empty_timeout, opened.metadata) == (1, 99, "m")
    with pytest.raises(InvalidStatus):
        await server.join("bob")
    # A later one changes nothing: the room is there.
    token = api_token(
        server,
        {"roomJoin": True, "room": "room"},
        sub="alice",
        roomConfig={"maxParticipants": 5},
    )
    again = await RawClient.connect(server.v1_url(token))
    assert (await again.next("join")).room.max_participants == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"roomPreset": "big"},
        {"roomConfig": "x"},
        {"roomConfig": {"maxParticipants": "x"}},
    ],
    ids=["preset", "no object", "no number"],
)
async def test_room_claims_that_cannot_be_used(server: MediaServer, claims: dict[str, Any]) -> None:
    token = api_token(server, {"roomJoin": True, "room": "room"}, sub="alice", **claims)
    with pytest.raises(InvalidStatus) as refused:
        await RawClient.connect(server.v1_url(token))
    assert refused.value.response.status_code == 401
    assert await server.engine.list_rooms() == []


async def test_kept_alive_by_nobody_a_connected_state_shows(
    api: Twirp, server: MediaServer
) -> None:
    alice = await server.join("alice")
    server.fake.emit(TransportChanged(alice.sid, "connected"))
    shown = await api.call("GetParticipant", _who(), models.ParticipantInfo)
    assert shown.state == models.ParticipantInfo.State.ACTIVE
