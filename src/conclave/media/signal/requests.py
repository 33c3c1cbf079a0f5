"""One frame from a client: counted, and handed to the module that knows its kind.

Must never raise for anything a client can send: what cannot be used is counted, and a client that
keeps sending it is sent away.
"""

from __future__ import annotations

from livekit.protocol import rtc

from conclave.media.signal import (
    effects,
    membership,
    negotiating,
    profile,
    publishing,
    simulate,
    subscribing,
)
from conclave.media.signal.messages import Action, Answer, Reason
from conclave.media.signal.negotiating import Malformed
from conclave.media.signal.state import Instant, Limits, Participant, Turn


def on_frame(turn: Turn, participant: Participant, request: rtc.SignalRequest | None) -> None:
    """`None` is a frame that could not be read."""
    participant.last_seen = turn.now.tick
    if not take_credit(turn.world.limits, participant, turn.now):
        turn.do(effects.Count("malformed", "flood"))
        membership.drop(turn, participant, Action.DISCONNECT, Reason.SIGNAL_CLOSE)
        return
    if request is None:
        on_malformed(turn, participant)
        return
    try:
        on_request(turn, participant, request)
    except Malformed:
        on_malformed(turn, participant)


def on_malformed(turn: Turn, participant: Participant) -> None:
    turn.do(effects.Count("malformed", "frame"))
    participant.malformed += 1
    if participant.malformed >= turn.world.limits.malformed_frames:
        membership.drop(turn, participant, Action.DISCONNECT, Reason.SIGNAL_CLOSE)


def take_credit(limits: Limits, participant: Participant, now: Instant, frames: int = 1) -> bool:
    """A token bucket: bursts are normal (a grid of fifty tiles), floods are not."""
    gained = (now.tick - participant.credit_at) * limits.frames_per_second
    participant.credit_at = now.tick
    participant.frame_credit = min(participant.frame_credit + gained, limits.frame_burst) - frames
    return participant.frame_credit >= 0


def on_request(turn: Turn, participant: Participant, request: rtc.SignalRequest) -> None:  # noqa: PLR0912 - one arm a kind
    match request.WhichOneof("message"):
        case "ping":
            turn.send(participant, rtc.SignalResponse(pong=_milliseconds(turn)))
        case "ping_req":
            pong = rtc.Pong(
                last_ping_timestamp=request.ping_req.timestamp, timestamp=_milliseconds(turn)
            )
            turn.send(participant, rtc.SignalResponse(pong_resp=pong))
        case "offer":
            negotiating.on_offer(turn, participant, request.offer)
        case "trickle":
            negotiating.on_trickle(turn, participant, request.trickle)
        case "add_track":
            publishing.on_add_track(turn, participant, request.add_track)
        case "mute":
            publishing.on_mute(turn, participant, request.mute)
        case "subscription":
            subscribing.on_subscription(turn, participant, request.subscription)
        case "track_setting":
            subscribing.on_track_setting(turn, participant, request.track_setting)
        case "subscription_permission":
            subscribing.on_subscription_permission(
                turn, participant, request.subscription_permission
            )
        case "leave":
            _on_leave(turn, participant)
        case "sync_state":
            membership.on_sync_state(turn, participant, request.sync_state)
        case "update_metadata":
            profile.on_update_metadata(turn, participant, request.update_metadata)
        case "update_audio_track":
            publishing.on_update_audio(turn, participant, request.update_audio_track)
        case "update_video_track":
            publishing.on_update_video(turn, participant, request.update_video_track)
        case "simulate":
            simulate.on_simulate(turn, participant, request.simulate)
        case "update_layers":
            # Obsolete in the protocol; clients that still send it expect no answer.
            pass
        case "answer":
            negotiating.on_answer(turn, participant, request.answer)
        case "publish_data_track_request" | "unpublish_data_track_request":
            _refuse_data_track(turn, participant, request)
        case "store_data_blob_request":
            _refuse_blob(turn, participant, request.store_data_blob_request.request_id)
        case "get_data_blob_request":
            _refuse_blob(turn, participant, request.get_data_blob_request.request_id)
        case "update_data_subscription":
            pass  # There are no data tracks that anybody could have been told of.
        case _:
            raise Malformed


def _on_leave(turn: Turn, participant: Participant) -> None:
    connection = participant.connection
    membership.remove(turn, participant, Reason.CLIENT_INITIATED)
    if connection is not None:
        turn.do(effects.CloseSocket(connection))


def _unsupported(words: str) -> rtc.RequestResponse:
    return rtc.RequestResponse(reason=Answer.UNSUPPORTED_TYPE, message=words)


def _refuse_data_track(turn: Turn, participant: Participant, request: rtc.SignalRequest) -> None:
    answer = _unsupported("data tracks are not offered here")
    if request.HasField("publish_data_track_request"):
        answer.publish_data_track.CopyFrom(request.publish_data_track_request)
    else:
        answer.unpublish_data_track.CopyFrom(request.unpublish_data_track_request)
    turn.send(participant, rtc.SignalResponse(request_response=answer))


def _refuse_blob(turn: Turn, participant: Participant, request_id: int) -> None:
    answer = _unsupported("data blobs are not offered here")
    answer.request_id = request_id
    turn.send(participant, rtc.SignalResponse(request_response=answer))


def _milliseconds(turn: Turn) -> int:
    return int(turn.now.at.timestamp() * 1000)
