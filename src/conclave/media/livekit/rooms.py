"""LiveKit's RoomService as the engine uses it: one method for each call, with a token of its own.

A call's token allows what that call needs, for that room, for a minute. Must never decide anything:
which call follows from what is in `engine.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from livekit.protocol import models
from livekit.protocol import room as wire

from conclave.kernel.clock import Clock
from conclave.kernel.errors import NotFound
from conclave.media import tokens
from conclave.media.keys import ApiKeys
from conclave.media.livekit.twirp import Twirp

LIFETIME = timedelta(minutes=1)
_LIST = {"roomList": True}
_CREATE = {"roomCreate": True}


class RoomService:
    def __init__(self, twirp: Twirp, keys: ApiKeys, clock: Clock) -> None:
        self._twirp = twirp
        self._keys = keys
        self._clock = clock

    async def list_rooms(self, names: Sequence[str] = ()) -> Sequence[models.Room]:
        """All rooms, or those of these names that there are."""
        answer = await self._twirp.call(
            "ListRooms",
            wire.ListRoomsRequest(names=names),
            wire.ListRoomsResponse,
            token=self._token(_LIST),
            is_repeatable=True,
        )
        return list(answer.rooms)

    async def require_room(self, room: str) -> models.Room:
        for found in await self.list_rooms([room]):
            if found.name == room:
                return found
        msg = "there is no such room"
        raise NotFound(msg)

    async def create_room(self, room: str, empty_for: int | None) -> models.Room:
        request = wire.CreateRoomRequest(name=room)
        if empty_for is not None:
            request.empty_timeout = empty_for
            request.departure_timeout = empty_for
        return await self._twirp.call(
            "CreateRoom", request, models.Room, token=self._token(_CREATE), is_repeatable=True
        )

    async def delete_room(self, room: str) -> None:
        await self._twirp.call(
            "DeleteRoom",
            wire.DeleteRoomRequest(room=room),
            wire.DeleteRoomResponse,
            token=self._token(_CREATE),
        )

    async def list_participants(self, room: str) -> Sequence[models.ParticipantInfo]:
        """Empty also for a room that does not exist."""
        answer = await self._twirp.call(
            "ListParticipants",
            wire.ListParticipantsRequest(room=room),
            wire.ListParticipantsResponse,
            token=self._admin(room),
            is_repeatable=True,
        )
        return list(answer.participants)

    async def get_participant(self, room: str, identity: str) -> models.ParticipantInfo:
        return await self._twirp.call(
            "GetParticipant",
            wire.RoomParticipantIdentity(room=room, identity=identity),
            models.ParticipantInfo,
            token=self._admin(room),
            is_repeatable=True,
        )

    async def remove_participant(self, room: str, identity: str) -> None:
        await self._twirp.call(
            "RemoveParticipant",
            wire.RoomParticipantIdentity(room=room, identity=identity),
            wire.RemoveParticipantResponse,
            token=self._admin(room),
        )

    async def mute_track(self, room: str, identity: str, track: str) -> None:
        await self._twirp.call(
            "MutePublishedTrack",
            wire.MuteRoomTrackRequest(room=room, identity=identity, track_sid=track, muted=True),
            wire.MuteRoomTrackResponse,
            token=self._admin(room),
            is_repeatable=True,
        )

    async def update_participant(
        self,
        room: str,
        identity: str,
        *,
        name: str,
        metadata: str,
        attributes: Mapping[str, str],
        permission: models.ParticipantPermission | None,
    ) -> models.ParticipantInfo:
        """An empty `name` or `metadata` leaves what there is: LiveKit has no other word for it."""
        request = wire.UpdateParticipantRequest(
            room=room, identity=identity, name=name, metadata=metadata, attributes=attributes
        )
        if permission is not None:
            request.permission.CopyFrom(permission)
        return await self._twirp.call(
            "UpdateParticipant",
            request,
            models.ParticipantInfo,
            token=self._admin(room),
            is_repeatable=True,
        )

    async def send_data(self, request: wire.SendDataRequest) -> None:
        # Sent twice it would arrive twice.
        await self._twirp.call(
            "SendData", request, wire.SendDataResponse, token=self._admin(request.room)
        )

    def _admin(self, room: str) -> str:
        return self._token({"roomAdmin": True, "room": room})

    def _token(self, video: Mapping[str, Any]) -> str:
        return tokens.sign({"video": dict(video)}, self._keys, self._clock.now(), LIFETIME)
