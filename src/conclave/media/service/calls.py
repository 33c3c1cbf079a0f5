"""The methods of `livekit.RoomService`: what each needs to be granted, and what it does.

Each is one turn of the signalling machine, so nobody sees half of a change. Must never answer yes
to what is not done: what LiveKit Cloud has and this server has not is `unimplemented`, in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from google.protobuf.message import Message
from livekit.protocol import models, room, rtc

from conclave.kernel.errors import ConclaveError, Forbidden, NotFound, TooLarge, Unavailable
from conclave.media.engine import Permission, Source
from conclave.media.room_config import RoomConfig
from conclave.media.service.twirp import TwirpError
from conclave.media.signal import profile
from conclave.media.signal_engine import SignalEngine
from conclave.media.tokens import MAX_ROOM_NAME, SOURCE_NAMES, Claims

SERVICE = "livekit.RoomService"


@dataclass(frozen=True, slots=True)
class Call:
    request: type[Message]
    is_granted: Callable[[Claims, Any], bool]
    needs: str
    perform: Callable[[SignalEngine, Any], Message]


def perform(call: Call, engine: SignalEngine, claims: Claims, request: Message) -> Message:
    """Raises `TwirpError`."""
    if not call.is_granted(claims, request):
        raise TwirpError("permission_denied", f"the access token does not grant {call.needs}")
    try:
        return call.perform(engine, request)
    except NotFound as error:
        raise TwirpError("not_found", error.detail) from None
    except TooLarge as error:
        raise TwirpError("invalid_argument", error.detail) from None
    except Forbidden as error:
        raise TwirpError("failed_precondition", error.detail) from None
    except Unavailable as error:
        raise TwirpError("unavailable", error.detail) from None
    except ConclaveError as error:
        raise TwirpError("invalid_argument", error.detail) from None


def _create_room(engine: SignalEngine, request: room.CreateRoomRequest) -> models.Room:
    if not request.name:
        raise TwirpError("invalid_argument", "the room needs a name", argument="name")
    if len(request.name.encode()) > MAX_ROOM_NAME:
        words = f"the room's name may have {MAX_ROOM_NAME} bytes"
        raise TwirpError("invalid_argument", words, argument="name")
    if request.room_preset:
        raise TwirpError("unimplemented", "this server has no room presets")
    if request.HasField("egress"):
        raise TwirpError("unimplemented", "this server records nothing: egress is not offered")
    if request.agents:
        raise TwirpError("unimplemented", "agents are not dispatched by this server")
    config = RoomConfig.of(request)
    engine.perform(lambda machine, now: machine.configure_room(request.name, config, now))
    return _room(engine, request.name)


def _list_rooms(engine: SignalEngine, request: room.ListRoomsRequest) -> room.ListRoomsResponse:
    rooms = engine.machine.world.rooms
    found = [rooms[name] for name in dict.fromkeys(request.names) if name in rooms]
    chosen = found if request.names else rooms.values()
    return room.ListRoomsResponse(rooms=[known.proto(engine.limits) for known in chosen])


def _delete_room(engine: SignalEngine, request: room.DeleteRoomRequest) -> room.DeleteRoomResponse:
    engine.perform(lambda machine, now: machine.delete_room(request.room, now))
    return room.DeleteRoomResponse()


def _list_participants(
    engine: SignalEngine, request: room.ListParticipantsRequest
) -> room.ListParticipantsResponse:
    """Of a room that is not there: nobody, as livekit-server says."""
    known = engine.machine.world.rooms.get(request.room)
    present = known.participants.values() if known is not None else ()
    return room.ListParticipantsResponse(participants=[p.proto() for p in present])


def _get_participant(
    engine: SignalEngine, request: room.RoomParticipantIdentity
) -> models.ParticipantInfo:
    return engine.machine.participant(request.room, request.identity).proto()


def _remove_participant(
    engine: SignalEngine, request: room.RoomParticipantIdentity
) -> room.RemoveParticipantResponse:
    engine.perform(
        lambda machine, now: machine.remove_participant(
            request.room, request.identity, now, revoked_before=float(request.revoke_token_ts)
        )
    )
    return room.RemoveParticipantResponse()


def _mute_published_track(
    engine: SignalEngine, request: room.MuteRoomTrackRequest
) -> room.MuteRoomTrackResponse:
    engine.perform(
        lambda machine, now: machine.mute_track(
            request.room, request.identity, request.track_sid, muted=request.muted, now=now
        )
    )
    participant = engine.machine.participant(request.room, request.identity)
    return room.MuteRoomTrackResponse(track=participant.tracks[request.track_sid].info)


def _update_participant(
    engine: SignalEngine, request: room.UpdateParticipantRequest
) -> models.ParticipantInfo:
    def change(claims: Claims) -> Claims:
        # Empty means "as it is", as in livekit-server; of attributes, an empty one is removed.
        claims = profile.merged(
            claims,
            name=request.name or None,
            metadata=request.metadata or None,
            attributes=request.attributes,
        )
        return _permitted(claims, request.permission) if request.HasField("permission") else claims

    engine.perform(
        lambda machine, now: machine.revise_participant(request.room, request.identity, change, now)
    )
    return engine.machine.participant(request.room, request.identity).proto()


def _permitted(claims: Claims, wanted: models.ParticipantPermission) -> Claims:
    """The permission replaces the present one as a whole."""
    return replace(
        claims,
        permission=Permission(
            can_publish=wanted.can_publish,
            can_subscribe=wanted.can_subscribe,
            can_publish_data=wanted.can_publish_data,
            can_update_own_metadata=wanted.can_update_metadata,
            hidden=wanted.hidden,
            publish_sources=tuple(_source(number) for number in wanted.can_publish_sources),
        ),
        is_recorder=wanted.recorder,
        is_agent=wanted.agent,
    )


def _source(number: int) -> Source:
    for known, name in SOURCE_NAMES.items():
        if known == number:
            return name
    words = "can_publish_sources may hold camera, microphone and screen share only"
    raise TwirpError("invalid_argument", words, argument="can_publish_sources")


def _update_subscriptions(
    engine: SignalEngine, request: room.UpdateSubscriptionsRequest
) -> room.UpdateSubscriptionsResponse:
    wish = rtc.UpdateSubscription(
        track_sids=request.track_sids,
        subscribe=request.subscribe,
        participant_tracks=request.participant_tracks,
    )
    engine.perform(
        lambda machine, now: machine.update_subscriptions(request.room, request.identity, wish, now)
    )
    return room.UpdateSubscriptionsResponse()


def _send_data(engine: SignalEngine, request: room.SendDataRequest) -> room.SendDataResponse:
    if len(request.nonce) not in (0, 16):
        words = "the nonce has 16 bytes, or is left out"
        raise TwirpError("invalid_argument", words, argument="nonce")
    if request.kind not in (models.DataPacket.RELIABLE, models.DataPacket.LOSSY):
        raise TwirpError("invalid_argument", "kind is RELIABLE or LOSSY", argument="kind")
    engine.perform(
        lambda machine, now: machine.send_data(
            request.room,
            request.data,
            topic=request.topic if request.HasField("topic") else None,
            reliable=request.kind == models.DataPacket.RELIABLE,
            identities=request.destination_identities,
            sids=request.destination_sids,
            nonce=request.nonce,
            now=now,
        )
    )
    return room.SendDataResponse()


def _update_room_metadata(
    engine: SignalEngine, request: room.UpdateRoomMetadataRequest
) -> models.Room:
    engine.perform(lambda machine, now: machine.update_room(request.room, request.metadata, now))
    return _room(engine, request.room)


def _room(engine: SignalEngine, name: str) -> models.Room:
    return engine.machine.room(name).proto(engine.limits)


def _unimplemented(words: str) -> Callable[[SignalEngine, Message], Message]:
    def refuse(engine: SignalEngine, request: Message) -> Message:
        raise TwirpError("unimplemented", words)

    return refuse


def _may_create(claims: Claims, _request: Message) -> bool:
    return claims.room_create


def _may_list(claims: Claims, _request: Message) -> bool:
    return claims.room_list


def _is_admin(claims: Claims, request: Any) -> bool:
    return claims.is_admin and claims.room != "" and request.room == claims.room


def _admin(request: type[Message], perform: Callable[[SignalEngine, Any], Message]) -> Call:
    return Call(request, _is_admin, "roomAdmin for this room", perform)


CALLS: Mapping[str, Call] = {
    "CreateRoom": Call(room.CreateRoomRequest, _may_create, "roomCreate", _create_room),
    "ListRooms": Call(room.ListRoomsRequest, _may_list, "roomList", _list_rooms),
    "DeleteRoom": Call(room.DeleteRoomRequest, _may_create, "roomCreate", _delete_room),
    "ListParticipants": _admin(room.ListParticipantsRequest, _list_participants),
    "GetParticipant": _admin(room.RoomParticipantIdentity, _get_participant),
    "RemoveParticipant": _admin(room.RoomParticipantIdentity, _remove_participant),
    "MutePublishedTrack": _admin(room.MuteRoomTrackRequest, _mute_published_track),
    "UpdateParticipant": _admin(room.UpdateParticipantRequest, _update_participant),
    "UpdateSubscriptions": _admin(room.UpdateSubscriptionsRequest, _update_subscriptions),
    "SendData": _admin(room.SendDataRequest, _send_data),
    "UpdateRoomMetadata": _admin(room.UpdateRoomMetadataRequest, _update_room_metadata),
    "ForwardParticipant": _admin(
        room.ForwardParticipantRequest,
        _unimplemented("participants are not forwarded to other rooms by this server"),
    ),
    "MoveParticipant": _admin(
        room.MoveParticipantRequest,
        _unimplemented("participants are not moved to other rooms by this server"),
    ),
    "PerformRpc": _admin(
        room.PerformRpcRequest,
        _unimplemented("this server makes no RPC calls; participants call each other directly"),
    ),
}
