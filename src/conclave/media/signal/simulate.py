"""`simulate`: the faults a client may ask for to test itself. They touch its own session only.

Must never let one participant disturb another (a speaker update is bounded and names the caller).
"""

from __future__ import annotations

from livekit.protocol import models, rtc

from conclave.media.signal import effects, membership
from conclave.media.signal.messages import Action, Answer, Reason
from conclave.media.signal.state import Participant, Turn

MAX_SPEAKING = 10


def on_simulate(turn: Turn, participant: Participant, request: rtc.SimulateScenario) -> None:
    match request.WhichOneof("scenario"):
        case "server_leave":
            membership.drop(turn, participant, Action.DISCONNECT, Reason.SERVER_SHUTDOWN)
        case "leave_request_full_reconnect":
            membership.drop(turn, participant, Action.RECONNECT, Reason.UNKNOWN_REASON)
        case "node_failure":
            _vanish(turn, participant)
        case "disconnect_signal_on_resume":
            participant.resume_fault = "after_messages"
        case "disconnect_signal_on_resume_no_messages":
            participant.resume_fault = "before_messages"
        case "subscriber_bandwidth":
            bits = request.subscriber_bandwidth
            turn.do(effects.SetBandwidth(participant.sid, bits if bits > 0 else None))
        case "speaker_update":
            seconds = min(max(request.speaker_update, 1), MAX_SPEAKING)
            participant.speaking_until = turn.now.tick + seconds
            tell_speaking(turn, participant, active=True)
        case _:
            answer = rtc.RequestResponse(
                reason=Answer.UNSUPPORTED_TYPE, message="this scenario is not offered here"
            )
            turn.send(participant, rtc.SignalResponse(request_response=answer))


def tell_speaking(turn: Turn, participant: Participant, *, active: bool) -> None:
    speaker = models.SpeakerInfo(sid=participant.sid, level=1.0 if active else 0.0, active=active)
    changed = rtc.SpeakersChanged(speakers=[speaker])
    turn.broadcast(participant.room, rtc.SignalResponse(speakers_changed=changed))


def _vanish(turn: Turn, participant: Participant) -> None:
    """As if the server had died: no word to the client, nothing kept."""
    connection = participant.connection
    membership.remove(turn, participant, Reason.STATE_MISMATCH)
    if connection is not None:
        turn.do(effects.CloseSocket(connection, effects.CLOSE_GOING_AWAY, "simulated"))
