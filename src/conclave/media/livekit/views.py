"""LiveKit's messages as the engine port's values, and back. Must never change one on the way; what
there cannot be is `Unavailable`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from livekit.protocol import models

from conclave.kernel.errors import Unavailable
from conclave.media.engine import Participant, Permission, PublishedTrack, Room
from conclave.media.tokens import SOURCE_NAMES

_State = models.ParticipantInfo.State
_KINDS: dict[models.TrackType, Literal["audio", "video", "data"]] = {
    models.TrackType.AUDIO: "audio",
    models.TrackType.VIDEO: "video",
}


def is_there(info: models.ParticipantInfo) -> bool:
    return bool(info.identity) and info.state != _State.DISCONNECTED


def room_view(room: models.Room) -> Room:
    created = room.creation_time_ms / 1000 or room.creation_time
    return Room(room.sid, room.name, _date(created), room.num_participants)


def _date(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        msg = "the LiveKit server names a date that cannot be"
        raise Unavailable(msg) from None


def participant_view(info: models.ParticipantInfo) -> Participant:
    joined = info.joined_at_ms / 1000 or info.joined_at
    return Participant(
        sid=info.sid,
        identity=info.identity,
        name=info.name,
        joined_at=_date(joined),
        is_connected=info.state == _State.ACTIVE,
        permission=Permission(
            can_publish=info.permission.can_publish,
            can_subscribe=info.permission.can_subscribe,
            can_publish_data=info.permission.can_publish_data,
            can_update_own_metadata=info.permission.can_update_metadata,
            hidden=info.permission.hidden,
            publish_sources=tuple(
                SOURCE_NAMES[number]
                for number in info.permission.can_publish_sources
                if number in SOURCE_NAMES
            ),
        ),
        attributes=dict(info.attributes),
        metadata=info.metadata,
        tracks=[_track_view(track) for track in info.tracks],
    )


def _track_view(track: models.TrackInfo) -> PublishedTrack:
    return PublishedTrack(
        sid=track.sid,
        kind=_KINDS.get(track.type, "data"),
        source=SOURCE_NAMES.get(track.source, "unknown"),
        muted=track.muted,
    )


def permission_message(
    wanted: Permission, present: models.ParticipantPermission
) -> models.ParticipantPermission:
    """What LiveKit knows beside the port's words stays as it is."""
    message = models.ParticipantPermission()
    message.CopyFrom(present)
    message.can_publish = wanted.can_publish
    message.can_subscribe = wanted.can_subscribe
    message.can_publish_data = wanted.can_publish_data
    message.can_update_metadata = wanted.can_update_own_metadata
    message.hidden = wanted.hidden
    del message.can_publish_sources[:]
    message.can_publish_sources.extend(
        number for number, name in SOURCE_NAMES.items() if name in wanted.publish_sources
    )
    return message
