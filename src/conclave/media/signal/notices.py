"""What is told to the world outside: LiveKit's webhook events, one `Notify` each, in order.

Nothing is built while nobody asked for it. Must never say more of a participant than the room's
other participants are shown.
"""

from __future__ import annotations

from typing import Literal

from livekit.protocol import models, webhook

from conclave.media.signal import effects
from conclave.media.signal.state import Participant, Room, Track, Turn

RoomNotice = Literal["room_started", "room_finished"]
ParticipantNotice = Literal[
    "participant_joined", "participant_left", "participant_connection_aborted"
]
TrackNotice = Literal["track_published", "track_unpublished"]


def of_room(turn: Turn, name: RoomNotice, room: Room) -> None:
    if turn.world.is_observed:
        _tell(turn, webhook.WebhookEvent(event=name, room=room.proto(turn.world.limits)))


def of_participant(
    turn: Turn, name: ParticipantNotice, room: Room, info: models.ParticipantInfo
) -> None:
    if turn.world.is_observed:
        event = webhook.WebhookEvent(
            event=name, room=room.proto(turn.world.limits), participant=info
        )
        _tell(turn, event)


def of_track(turn: Turn, name: TrackNotice, publisher: Participant, track: Track) -> None:
    """As livekit-server does, with no more of room and participant than what names them."""
    if turn.world.is_observed:
        event = webhook.WebhookEvent(
            event=name,
            room=models.Room(sid=publisher.room.sid, name=publisher.room.name),
            participant=models.ParticipantInfo(sid=publisher.sid, identity=publisher.identity),
            track=track.info,
        )
        _tell(turn, event)


def _tell(turn: Turn, event: webhook.WebhookEvent) -> None:
    event.id = turn.world.new_sid("EV_")
    event.created_at = int(turn.now.at.timestamp())
    turn.do(effects.Notify(event))
