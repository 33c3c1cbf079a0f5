"""Offers, answers and candidates: between a client's frames and the transport.

A client of one connection always offers. One of two (LiveKit's v0 signalling) offers on the one on
which it publishes, and answers the transport's offers on the one on which it receives. Must never
read or write SDP; the transport does.
"""

from __future__ import annotations

import json

from livekit.protocol import rtc

from conclave.media.signal import codecs, effects, publishing
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


def on_answer(turn: Turn, participant: Participant, answer: rtc.SessionDescription) -> None:
    if participant.offered is None or answer.type != "answer" or not answer.sdp:
        raise Malformed
    # Another id is that of an offer which a resume has made void; old clients send none.
    if answer.id in (0, participant.offered):
        turn.do(effects.Answer(participant.sid, answer.id, answer.sdp))


def on_trickle(turn: Turn, participant: Participant, request: rtc.TrickleRequest) -> None:
    is_publisher = request.target == rtc.SignalTarget.PUBLISHER
    if not is_publisher and not participant.is_dual:
        # There is no second peer connection that it could be for.
        return
    candidate = _candidate(request)
    if participant.has_offered if is_publisher else participant.offered is not None:
        turn.do(effects.Trickle(participant.sid, candidate))
    elif is_publisher and len(participant.early_candidates) < MAX_EARLY_CANDIDATES:
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
    shown = {mid: codecs.track_of(sid) for mid, sid in mid_to_track.items()}
    answer = rtc.SessionDescription(type="answer", sdp=sdp, id=offer_id, mid_to_track_id=shown)
    turn.send(participant, rtc.SignalResponse(answer=answer))
    participant.was_answered = True
    if not participant.is_subscriber_primary:
        _expect_connection(turn, participant)
    publishing.on_bound(turn, participant, mid_to_track.values())


def on_offered(
    turn: Turn, participant: Participant, offer_id: int, sdp: str, mid_to_track: dict[str, str]
) -> None:
    """The transport's own offer to a client of two connections."""
    participant.offered = offer_id
    offer = rtc.SessionDescription(type="offer", sdp=sdp, id=offer_id, mid_to_track_id=mid_to_track)
    turn.send(participant, rtc.SignalResponse(offer=offer))
    if participant.is_subscriber_primary:
        _expect_connection(turn, participant)


def _expect_connection(turn: Turn, participant: Participant) -> None:
    if not participant.was_expected:
        participant.was_expected = True
        participant.connect_by = turn.now.tick + turn.world.limits.connect_timeout
