"""What the transport reports, turned into frames and state.

Events may name participants and tracks that have just gone: those are dropped in silence. Must
never assume that an event belongs to the present negotiation.
"""

from __future__ import annotations

from livekit.protocol import models, rtc

from conclave.media.signal import (
    codecs,
    effects,
    membership,
    negotiating,
    notices,
    publishing,
    subscribing,
)
from conclave.media.signal.messages import Action, Reason
from conclave.media.signal.state import Participant, Room, State, Turn
from conclave.media.transport import (
    Answered,
    EventsLost,
    Offered,
    OfferRejected,
    ParticipantFailed,
    QualityMeasured,
    SectionsNeeded,
    SpeakersChanged,
    StreamStateChanged,
    Subscribed,
    SubscriptionFailed,
    TrackActive,
    TrackEnded,
    TransportChanged,
    TransportEvent,
)

_QUALITY = {
    "excellent": models.ConnectionQuality.EXCELLENT,
    "good": models.ConnectionQuality.GOOD,
    "poor": models.ConnectionQuality.POOR,
}
_ERRORS = {
    "codec_unsupported": models.SubscriptionError.SE_CODEC_UNSUPPORTED,
    "track_unknown": models.SubscriptionError.SE_TRACK_NOTFOUND,
}


def on_event(turn: Turn, event: TransportEvent) -> None:
    match event:
        case EventsLost():
            # Clients whose answer was among them negotiate anew after their own timeout.
            pass
        case SpeakersChanged():
            room = turn.world.rooms.get(event.room)
            if room is not None:
                _on_speakers(turn, room, event)
        case QualityMeasured():
            room = turn.world.rooms.get(event.room)
            if room is not None:
                _on_quality(turn, room, event)
        case _:
            participant = turn.world.by_sid.get(event.participant)
            if participant is not None:
                _on_participant(turn, participant, event)


def _on_participant(  # noqa: PLR0912 - one arm an event
    turn: Turn, participant: Participant, event: TransportEvent
) -> None:
    match event:
        case Answered():
            negotiating.on_answered(
                turn, participant, event.offer_id, event.sdp, dict(event.mid_to_track)
            )
        case Offered():
            negotiating.on_offered(
                turn, participant, event.offer_id, event.sdp, dict(event.mid_to_track)
            )
        case OfferRejected():
            # The first one cannot get better by being made again; a later one can.
            action = Action.RECONNECT if participant.was_answered else Action.DISCONNECT
            reason = Reason.MEDIA_FAILURE if participant.was_answered else Reason.JOIN_FAILURE
            turn.do(effects.Count("refused", "offer"))
            membership.drop(turn, participant, action, reason)
        case TransportChanged():
            _on_transport(turn, participant, event)
        case SectionsNeeded():
            if participant.is_dual:
                return
            need = rtc.MediaSectionsRequirement(num_audios=event.audio, num_videos=event.video)
            turn.send(participant, rtc.SignalResponse(media_sections_requirement=need))
        case Subscribed():
            track = turn.world.tracks.get(codecs.track_of(event.track))
            if track is not None:
                subscribing.on_bound(turn, participant, track)
        case SubscriptionFailed():
            subscribing.on_failed(turn, participant, event.track, _ERRORS[event.reason])
        case TrackActive():
            _on_active(turn, participant, event)
        case TrackEnded():
            _on_ended(turn, participant, event)
        case StreamStateChanged():
            _on_stream_state(turn, participant, event)
        case ParticipantFailed():
            turn.do(effects.Count("refused", "engine_fault"))
            membership.drop(turn, participant, Action.RECONNECT, Reason.MEDIA_FAILURE)
        case _:
            pass


def _on_transport(turn: Turn, participant: Participant, event: TransportChanged) -> None:
    limits = turn.world.limits
    if event.state == "connected":
        participant.is_connected = True
        participant.is_transport_closed = False
        participant.connect_by = None
        if participant.state != State.ACTIVE:
            participant.state = State.ACTIVE
            turn.publish_state(participant)
            room = participant.room
            notices.of_participant(turn, "participant_joined", room, participant.proto())
    elif event.state == "failed":
        participant.is_connected = False
        if participant.connection is not None:
            membership.drop(turn, participant, Action.RECONNECT, Reason.CONNECTION_TIMEOUT)
        # Without a socket, a resume with an ICE restart may still save it within the grace.
    elif event.state == "closed":
        participant.is_connected = False
        participant.is_transport_closed = True
        participant.connect_by = turn.now.tick + limits.connect_timeout
        if participant.connection is None:
            membership.remove(turn, participant, Reason.CLIENT_INITIATED)
    # "disconnected" may pass by itself: the client restarts ICE, or "failed" follows.


def _on_active(turn: Turn, participant: Participant, event: TrackActive) -> None:
    track = participant.tracks.get(codecs.track_of(event.track))
    if track is None:
        return
    if event.track == track.sid:
        publishing.on_active(turn, track, event.mime, event.mid)
    else:
        codecs.on_active(turn, track, event.track, event.mid)


def _on_ended(turn: Turn, participant: Participant, event: TrackEnded) -> None:
    track = participant.tracks.get(codecs.track_of(event.track))
    if track is None:
        return
    if event.track == track.sid:
        publishing.remove(turn, track)
    else:
        codecs.on_ended(turn, track, event.track)


def _on_stream_state(turn: Turn, participant: Participant, event: StreamStateChanged) -> None:
    track = turn.world.tracks.get(codecs.track_of(event.track))
    if track is None:
        return
    state = rtc.StreamStateInfo(
        participant_sid=track.publisher.sid,
        track_sid=track.sid,
        state=rtc.StreamState.PAUSED if event.state == "paused" else rtc.StreamState.ACTIVE,
    )
    update = rtc.StreamStateUpdate(stream_states=[state])
    turn.send(participant, rtc.SignalResponse(stream_state_update=update))


def _on_speakers(turn: Turn, room: Room, event: SpeakersChanged) -> None:
    speakers = [
        models.SpeakerInfo(
            sid=speaker.participant,
            level=speaker.level if speaker.active else 0.0,
            active=speaker.active,
        )
        for speaker in event.speakers
        if (known := turn.world.by_sid.get(speaker.participant)) is not None
        and known.room is room
        and not known.is_hidden
    ]
    if speakers:
        changed = rtc.SpeakersChanged(speakers=speakers)
        turn.broadcast(room, rtc.SignalResponse(speakers_changed=changed))


def _on_quality(turn: Turn, room: Room, event: QualityMeasured) -> None:
    """Each learns its own quality and that of whom it receives; LOST is never sent."""
    infos: dict[str, rtc.ConnectionQualityInfo] = {}
    for measured in event.qualities:
        known = turn.world.by_sid.get(measured.participant)
        if known is None or known.room is not room:
            continue
        infos[known.sid] = rtc.ConnectionQualityInfo(
            participant_sid=known.sid, quality=_QUALITY[measured.quality], score=measured.score
        )
    for participant in room.participants.values():
        seen = {participant.sid}
        for sid in participant.subscribed:
            track = turn.world.tracks.get(sid)
            if track is not None:
                seen.add(track.publisher.sid)
        updates = [infos[sid] for sid in seen if sid in infos]
        if updates:
            update = rtc.ConnectionQualityUpdate(updates=updates)
            turn.send(participant, rtc.SignalResponse(connection_quality=update))
