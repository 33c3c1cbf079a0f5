"""`Signalling`: the whole of LiveKit's signalling for one process, as one value without I/O.

Each call is one turn: it changes the state and returns the effects to carry out, in order. The
caller must carry out all of them before the next call. RoomService-like operations raise
`NotFound` (kernel.errors); whatever comes from clients or the transport never raises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Literal

from livekit.protocol import models, rtc

from conclave.kernel.errors import Forbidden, NotFound, TooLarge
from conclave.media.engine import Permission
from conclave.media.room_config import RoomConfig
from conclave.media.signal import (
    administering,
    codecs,
    effects,
    layers,
    membership,
    outcomes,
    profile,
    publishing,
    requests,
    simulate,
    subscribing,
)
from conclave.media.signal.messages import Action, Reason
from conclave.media.signal.negotiating import Malformed
from conclave.media.signal.state import Instant, Limits, Participant, Room, Turn, World
from conclave.media.tokens import Claims
from conclave.media.transport import TransportEvent

Effects = list[effects.Effect]


class Signalling:
    def __init__(self, limits: Limits, new_sid: Callable[[str], str]) -> None:
        """`new_sid(prefix)` returns a sid (`PA_…`) that was never returned before."""
        self.world = World(limits=limits, new_sid=new_sid)

    # --- sockets
    def has_place(self, claims: Claims) -> bool:
        """May one more come into this room? (A returning identity takes its own place.)"""
        room = self.world.rooms.get(claims.room)
        if room is None or claims.identity in room.participants:
            return True
        present = room.participants.values()
        if len(present) >= self.world.limits.participants_per_room:
            return False
        if not room.max_participants or claims.is_dependent:
            return True
        return sum(not p.claims.is_dependent for p in present) < room.max_participants

    def is_revoked(self, claims: Claims) -> bool:
        """Was this token made before its bearer was removed for good (`revoked_before`)?"""
        revoked = self.world.revoked.get((claims.room, claims.identity))
        return revoked is not None and claims.not_before < revoked

    def join(
        self,
        connection: effects.Connection,
        claims: Claims,
        request: rtc.JoinRequest,
        now: Instant,
        *,
        dual: bool = False,
    ) -> Effects:
        """`dual`: the client has two connections (LiveKit's v0 signalling)."""
        turn = Turn(self.world, now)
        if not self.has_place(claims):
            membership.refuse(turn, connection, Action.DISCONNECT, Reason.JOIN_FAILURE, "room_full")
            return turn.effects
        # An offer that cannot be one has been refused with the request itself.
        with suppress(Malformed):
            membership.join(turn, connection, claims, request, dual=dual)
        return turn.effects

    def resumable(
        self, claims: Claims, request: rtc.JoinRequest, now: Instant, *, dual: bool = False
    ) -> str:
        """Sid of the participant that a reconnect request continues; empty when there is none."""
        turn = Turn(self.world, now)
        participant = membership.find_resumable(turn, claims, request, dual=dual)
        return participant.sid if participant else ""

    def resume(
        self,
        connection: effects.Connection,
        claims: Claims,
        request: rtc.JoinRequest,
        last_sequence: int,
        now: Instant,
        *,
        dual: bool = False,
    ) -> Effects:
        """`last_sequence`: of the last reliable data packet the transport has from it."""
        turn = Turn(self.world, now)
        participant = membership.find_resumable(turn, claims, request, dual=dual)
        if participant is None:
            turn.do(effects.Count("resumes", "unknown"))
            membership.refuse(
                turn, connection, Action.RECONNECT, Reason.STATE_MISMATCH, "state_mismatch"
            )
        else:
            with suppress(Malformed):
                membership.resume(turn, participant, connection, request, last_sequence)
        return turn.effects

    def handle(
        self, connection: effects.Connection, request: rtc.SignalRequest | None, now: Instant
    ) -> Effects:
        """One frame; `None` = it could not be read."""
        turn = Turn(self.world, now)
        participant = self.world.by_connection.get(connection)
        if participant is not None:
            requests.on_frame(turn, participant, request)
        return turn.effects

    def pinged(self, connection: effects.Connection, count: int, now: Instant) -> bool:
        """So many pings came and are answered elsewhere. False: they are too many, or nobody's."""
        participant = self.world.by_connection.get(connection)
        if participant is None:
            return False
        participant.last_seen = now.tick
        return requests.take_credit(self.world.limits, participant, now, count)

    def socket_lost(self, connection: effects.Connection, now: Instant) -> Effects:
        turn = Turn(self.world, now)
        membership.socket_lost(turn, connection)
        return turn.effects

    # --- transport and time
    def transport_events(self, events: Iterable[TransportEvent], now: Instant) -> Effects:
        turn = Turn(self.world, now)
        for event in events:
            outcomes.on_event(turn, event)
        return turn.effects

    def tick(self, now: Instant) -> Effects:
        """Everything that is due; to be called about twice a second."""
        turn = Turn(self.world, now)
        for participant in list(self.world.by_sid.values()):
            _tick_participant(turn, participant)
        for room in list(self.world.rooms.values()):
            membership.tick_room(turn, room)
        return turn.effects

    def shutdown(self, now: Instant) -> Effects:
        """Send everybody away with the word to come back."""
        turn = Turn(self.world, now)
        for room in list(self.world.rooms.values()):
            membership.close_room(turn, room, Reason.SERVER_SHUTDOWN, Action.RECONNECT)
        return turn.effects

    # --- the server's own wishes
    def create_room(self, name: str, empty_timeout: float | None, now: Instant) -> Effects:
        turn = Turn(self.world, now)
        membership.open_room(turn, name, empty_timeout)
        return turn.effects

    def configure_room(self, name: str, config: RoomConfig, now: Instant) -> Effects:
        """Make the room, or change what `config` says of one that is there."""
        turn = Turn(self.world, now)
        administering.configure_room(turn, name, config)
        return turn.effects

    def update_room(self, name: str, metadata: str, now: Instant) -> Effects:
        turn = Turn(self.world, now)
        administering.update_room(turn, self.room(name), metadata)
        return turn.effects

    def delete_room(self, name: str, now: Instant) -> Effects:
        turn = Turn(self.world, now)
        membership.close_room(turn, self.room(name), Reason.ROOM_DELETED)
        return turn.effects

    def remove_participant(
        self, room: str, identity: str, now: Instant, *, revoked_before: float = 0.0
    ) -> Effects:
        """`revoked_before`: Unix time; tokens that were valid before it no longer let it in."""
        turn = Turn(self.world, now)
        participant = self.participant(room, identity)
        if revoked_before:
            administering.revoke(turn, room, identity, revoked_before)
        membership.drop(turn, participant, Action.DISCONNECT, Reason.PARTICIPANT_REMOVED)
        return turn.effects

    def mute_track(
        self, room: str, identity: str, track: str, *, muted: bool, now: Instant
    ) -> Effects:
        """Raises `Forbidden` to unmute: only the person at the microphone may open it."""
        turn = Turn(self.world, now)
        participant = self.participant(room, identity)
        published = participant.tracks.get(track)
        if published is None or not published.is_published:
            msg = "this participant does not publish that track"
            raise NotFound(msg)
        if not muted:
            msg = "a microphone or camera can only be opened by the person using it"
            raise Forbidden(msg)
        request = rtc.MuteTrackRequest(sid=track, muted=True)
        turn.send(participant, rtc.SignalResponse(mute=request))
        publishing.set_muted(turn, published, muted=True)
        return turn.effects

    def update_participant(
        self,
        room: str,
        identity: str,
        *,
        permission: Permission | None,
        name: str | None,
        metadata: str | None,
        attributes: Mapping[str, str] | None,
        now: Instant,
    ) -> Effects:
        def change(claims: Claims) -> Claims:
            claims = profile.merged(claims, name=name, metadata=metadata, attributes=attributes)
            return claims if permission is None else replace(claims, permission=permission)

        return self.revise_participant(room, identity, change, now)

    def revise_participant(
        self, room: str, identity: str, change: Callable[[Claims], Claims], now: Instant
    ) -> Effects:
        """Give it the claims that `change` makes of its present ones; `TooLarge` when they are."""
        turn = Turn(self.world, now)
        participant = self.participant(room, identity)
        claims = change(participant.claims)
        words = profile.excess(claims, self.world.limits)
        if words:
            raise TooLarge(words)
        profile.set_claims(turn, participant, claims)
        return turn.effects

    def update_subscriptions(
        self, room: str, identity: str, request: rtc.UpdateSubscription, now: Instant
    ) -> Effects:
        """As if the participant had asked for it; unknown tracks are told to it alone."""
        turn = Turn(self.world, now)
        subscribing.on_subscription(turn, self.participant(room, identity), request)
        return turn.effects

    def send_data(
        self,
        room: str,
        payload: bytes,
        *,
        topic: str | None,
        reliable: bool,
        identities: Iterable[str],
        now: Instant,
        sids: Iterable[str] = (),
        nonce: bytes = b"",
    ) -> Effects:
        """A user packet from the server. Identities that are not there are passed over."""
        turn = Turn(self.world, now)
        packet = models.UserPacket(
            payload=payload,
            topic=topic,
            destination_identities=identities,
            destination_sids=sids,
            nonce=nonce,
        )
        administering.send_data(turn, self.room(room), packet, reliable=reliable)
        return turn.effects

    # --- looking
    def room(self, name: str) -> Room:
        room = self.world.rooms.get(name)
        if room is None:
            msg = "there is no such room"
            raise NotFound(msg)
        return room

    def participant(self, room: str, identity: str) -> Participant:
        participant = self.room(room).participants.get(identity)
        if participant is None:
            msg = "there is no such participant"
            raise NotFound(msg)
        return participant

    def counts(self) -> Mapping[Literal["rooms", "participants", "tracks"], int]:
        return {
            "rooms": len(self.world.rooms),
            "participants": len(self.world.by_sid),
            "tracks": len(self.world.tracks),
        }


def _tick_participant(turn: Turn, participant: Participant) -> None:
    now, limits = turn.now.tick, turn.world.limits
    connection = participant.connection
    if connection is not None and now - participant.last_seen >= limits.ping_timeout:
        turn.do(effects.CloseSocket(connection, effects.CLOSE_GOING_AWAY, "ping timeout"))
        membership.socket_lost(turn, connection)
    if participant.detached_at is not None and now - participant.detached_at >= limits.resume_grace:
        membership.remove(turn, participant, Reason.CONNECTION_TIMEOUT)
        return
    if participant.connect_by is not None and now >= participant.connect_by:
        turn.do(effects.Count("refused", "transport_timeout"))
        was_in = participant.is_transport_closed
        membership.drop(
            turn,
            participant,
            Action.RECONNECT if was_in else Action.DISCONNECT,
            Reason.CONNECTION_TIMEOUT if was_in else Reason.JOIN_FAILURE,
        )
        return
    if participant.connection is not None and now >= participant.refresh_at:
        participant.refresh_at = now + limits.token_refresh
        turn.do(effects.SendToken(participant.connection, participant.claims))
    if participant.speaking_until is not None and now >= participant.speaking_until:
        participant.speaking_until = None
        simulate.tell_speaking(turn, participant, active=False)
    for track in participant.tracks.values():
        layers.tick(turn, track)
        codecs.tick(turn, track)
