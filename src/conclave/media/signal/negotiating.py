"""Offers, answers and candidates: between a client's frames and the transport.

One peer connection per participant, and the client always offers. Must never read or write SDP;
the transport does.
"""

from __future__ import annotations

import json

from livekit.protocol import rtc

from conclave.media.signal import effects, publishing
from conclave.media.signal.state import Participant, Turn
from conclave.media.tokens import is_encodable

MAX_CANDIDATE = 4096
MAX_EARLY_CANDIDATES = 64


class Malformed(Exception):
    """A frame that no correct client sends; counted against the sender."""


def on_offer(turn: Turn, participant: Participant, offer: rtc.SessionDescription) -> None:
    if offer.type != "offer" or not offer.sdp:
        raise Malformed
    participant.has_offered = True
    participant.is_transport_closed = False
    turn.do(effects.Offer(participant.sid, offer.id, offer.sdp))
    for candidate in participant.early_candidates:
        turn.do(effects.Trickle(participant.sid, candidate))
    participant.early_candidates.clear()


def on_trickle(turn: Turn, participant: Participant, request: rtc.TrickleRequest) -> None:
    if request.target != rtc.SignalTarget.PUBLISHER:
        # There is no second peer connection that it could be for.
        return
    candidate = _candidate(request)
    if participant.has_offered:
        turn.do(effects.Trickle(participant.sid, candidate))
    elif len(participant.early_candidates) < MAX_EARLY_CANDIDATES:
        participant.early_candidates.append(candidate)


def _candidate(request: rtc.TrickleRequest) -> str:
    """The `candidate:...` line of an RTCIceCandidateInit; empty = end of candidates."""
    if request.final and not request.candidateInit:
        return ""
    if len(request.candidateInit) > MAX_CANDIDATE:
        raise Malformed
    try:
        init = json.loads(request.candidateInit)
    except (ValueError, RecursionError):
        raise Malformed from None
    candidate = init.get("candidate", "") if isinstance(init, dict) else None
    if not isinstance(candidate, str) or not is_encodable(candidate):
        raise Malformed
    if "\n" in candidate or "\r" in candidate:
        raise Malformed
    return candidate


def on_answered(
    turn: Turn, participant: Participant, offer_id: int, sdp: str, mid_to_track: dict[str, str]
) -> None:
    answer = rtc.SessionDescription(
        type="answer", sdp=sdp, id=offer_id, mid_to_track_id=mid_to_track
    )
    turn.send(participant, rtc.SignalResponse(answer=answer))
    if not participant.was_answered:
        participant.was_answered = True
        participant.connect_by = turn.now.tick + turn.world.limits.connect_timeout
    publishing.on_bound(turn, participant, mid_to_track.values())
