"""Name, metadata, attributes and permissions of a participant: by itself, or by the server.

Whoever changes them, everybody is told in the same turn and the bearer gets a token that says so.
Must never grant what the caller has not decided: `permission` is taken as it comes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from livekit.protocol import rtc

from conclave.media.engine import Permission
from conclave.media.signal import effects, publishing, subscribing
from conclave.media.signal.messages import Answer
from conclave.media.signal.state import Limits, Participant, State, Turn
from conclave.media.tokens import Claims


def merged(
    claims: Claims,
    *,
    name: str | None = None,
    metadata: str | None = None,
    attributes: Mapping[str, str] | None = None,
) -> Claims:
    """Claims with what is given; an attribute with an empty value is removed."""
    if name is not None:
        claims = replace(claims, name=name)
    if metadata is not None:
        claims = replace(claims, metadata=metadata)
    if attributes:
        joined = {**claims.attributes, **attributes}
        claims = replace(claims, attributes={k: v for k, v in joined.items() if v})
    return claims


def excess(claims: Claims, limits: Limits) -> str:
    """What is too large, in plain words; empty when all fits."""
    if len(claims.name.encode()) > limits.name_size:
        return "the name is too long"
    if len(claims.metadata.encode()) > limits.metadata_size:
        return "the metadata is too large"
    size = sum(len(k.encode()) + len(v.encode()) for k, v in claims.attributes.items())
    if size > limits.metadata_size:
        return "the attributes are too large"
    return ""


def on_update_metadata(
    turn: Turn, participant: Participant, request: rtc.UpdateParticipantMetadata
) -> None:
    """The participant's own wish; answered by `request_response` with the same id."""
    reason, words = Answer.OK, ""
    if not participant.claims.permission.can_update_own_metadata:
        reason, words = Answer.NOT_ALLOWED, "this participant may not change its own metadata"
    else:
        claims = merged(
            participant.claims,
            name=request.name or None,
            metadata=request.metadata or None,
            attributes=request.attributes,
        )
        words = excess(claims, turn.world.limits)
        if words:
            reason = Answer.LIMIT_EXCEEDED
        else:
            set_claims(turn, participant, claims)
    answer = rtc.RequestResponse(request_id=request.request_id, reason=reason, message=words)
    if reason != Answer.OK:
        answer.update_metadata.CopyFrom(request)
    turn.send(participant, rtc.SignalResponse(request_response=answer))


def set_claims(turn: Turn, participant: Participant, claims: Claims) -> None:
    """Apply changed claims, tell everybody, and hand out a token that says the same."""
    if claims == participant.claims:
        return
    before = participant.claims
    participant.claims = claims
    if claims.permission != before.permission:
        _apply_permission(turn, participant, before.permission)
    turn.publish_state(participant)
    if participant.connection is not None:
        turn.do(effects.SendToken(participant.connection, claims))


def _apply_permission(turn: Turn, participant: Participant, before: Permission) -> None:
    permission = participant.claims.permission
    turn.do(effects.SetGrant(participant.sid, participant.grant))
    if permission.hidden and not before.hidden:
        _disappear(turn, participant)
    publishing.remove_forbidden(turn, participant)
    if permission.can_subscribe != before.can_subscribe:
        subscribing.reconcile_subscriber(turn, participant)
    participant.room.is_stale = True


def _disappear(turn: Turn, participant: Participant) -> None:
    """To the others a participant that hides has left."""
    for track in list(participant.tracks.values()):
        subscribing.reconcile_track(turn, track)
    participant.version += 1
    info = participant.proto()
    info.state = State.DISCONNECTED
    del info.tracks[:]
    update = rtc.ParticipantUpdate(participants=[info])
    turn.broadcast(participant.room, rtc.SignalResponse(update=update), but=participant)
    for other in participant.room.participants.values():
        if other.connection is None:
            other.departed[info.sid] = info
