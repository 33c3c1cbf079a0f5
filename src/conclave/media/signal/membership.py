"""Coming and going: join, resume, lost sockets, leaving, and the life of rooms.

The order of a join is what makes it fast and right: the `join` frame, then the transport with the
subscriptions that exist already, then the offer that came with the join. Must never wait for
anything.
"""

from __future__ import annotations

from livekit.protocol import models, rtc

from conclave.media.engine import ParticipantJoined, ParticipantLeft, RoomFinished, RoomStarted
from conclave.media.room_config import RoomConfig
from conclave.media.signal import (
    codecs,
    effects,
    layers,
    messages,
    negotiating,
    notices,
    publishing,
    subscribing,
)
from conclave.media.signal.messages import Action, Reason
from conclave.media.signal.state import Participant, Room, State, Turn
from conclave.media.tokens import Claims


def open_room(
    turn: Turn,
    name: str,
    empty_timeout: float | None = None,
    config: RoomConfig | None = None,
) -> Room:
    """The room of that name; made when there is none, and set up by `config` then."""
    room = turn.world.rooms.get(name)
    limits = turn.world.limits
    if room is None:
        room = Room(
            sid=turn.world.new_sid("RM_"),
            name=name,
            created_at=turn.now.at,
            empty_timeout=limits.empty_timeout,
            departure_timeout=limits.departure_timeout,
            empty_since=turn.now.tick,
        )
        turn.world.rooms[name] = room
        if config is not None:
            configure(room, config)
        turn.do(effects.Announce(RoomStarted(name)))
        notices.of_room(turn, "room_started", room)
    if empty_timeout is not None:
        room.empty_timeout = empty_timeout
        room.departure_timeout = empty_timeout
    return room


def configure(room: Room, config: RoomConfig) -> None:
    if config.empty_timeout:
        room.empty_timeout = config.empty_timeout
    if config.departure_timeout:
        room.departure_timeout = config.departure_timeout
    if config.max_participants:
        room.max_participants = config.max_participants
    if config.metadata:
        room.metadata = config.metadata
    room.is_stale = True


def join(
    turn: Turn,
    connection: effects.Connection,
    claims: Claims,
    request: rtc.JoinRequest,
    *,
    dual: bool = False,
) -> Participant:
    """A new participant; an earlier one of the same identity is dropped."""
    room = open_room(turn, claims.room, config=claims.room_config)
    earlier = room.participants.get(claims.identity)
    if earlier is not None:
        drop(turn, earlier, Action.DISCONNECT, Reason.DUPLICATE_IDENTITY)
    participant = Participant(
        sid=turn.world.new_sid("PA_"),
        room=room,
        claims=claims,
        connection=connection,
        client=request.client_info,
        joined_at=turn.now.at,
        auto_subscribe=request.connection_settings.auto_subscribe,
        is_adaptive=request.connection_settings.adaptive_stream,
        last_seen=turn.now.tick,
        connect_by=turn.now.tick + turn.world.limits.offer_timeout,
        refresh_at=turn.now.tick + turn.world.limits.token_refresh,
        frame_credit=turn.world.limits.frame_burst,
        credit_at=turn.now.tick,
        is_dual=dual,
        is_subscriber_primary=dual and claims.permission.can_subscribe,
    )
    room.participants[claims.identity] = participant
    room.empty_since = None
    room.had_participants = True
    room.is_stale = True
    turn.world.by_sid[participant.sid] = participant
    turn.world.by_connection[connection] = participant
    participant.version = 1
    turn.send(participant, _join_response(turn, participant))
    participant.state = State.JOINED
    turn.do(effects.Open(room.name, participant.sid, participant.identity, participant.grant, dual))
    participant.is_open = True
    # Before the offer, so that the very first answer carries what is there already.
    subscribing.reconcile_subscriber(turn, participant)
    for track_request in request.add_track_requests:
        publishing.on_add_track(turn, participant, track_request)
    if request.HasField("publisher_offer"):
        negotiating.on_offer(turn, participant, request.publisher_offer)
    # Others must know the participant before any of its media can come.
    turn.publish_state(participant)
    turn.do(effects.Count("joins"))
    turn.do(effects.Announce(ParticipantJoined(room.name, participant.identity)))
    return participant


def _join_response(turn: Turn, participant: Participant) -> rtc.SignalResponse:
    room, limits = participant.room, turn.world.limits
    return rtc.SignalResponse(
        join=rtc.JoinResponse(
            room=room.proto(limits),
            participant=participant.proto(),
            other_participants=[p.proto() for p in room.visible() if p is not participant],
            server_version=messages.SERVER_VERSION,
            server_info=messages.server_info(),
            subscriber_primary=participant.is_subscriber_primary,
            client_configuration=models.ClientConfiguration(),
            ping_timeout=limits.ping_timeout,
            ping_interval=limits.ping_interval,
            enabled_publish_codecs=messages.enabled_codecs(),
            fast_publish=participant.claims.permission.can_publish,
        )
    )


def refuse(
    turn: Turn, connection: effects.Connection, action: Action, reason: Reason, label: str
) -> None:
    """The first and last frame of a socket that gets no participant."""
    turn.do(effects.Send((connection,), messages.leave(action, reason)))
    turn.do(effects.CloseSocket(connection))
    turn.do(effects.Count("refused", label))


def find_resumable(
    turn: Turn, claims: Claims, request: rtc.JoinRequest, *, dual: bool = False
) -> Participant | None:
    room = turn.world.rooms.get(claims.room)
    participant = room.participants.get(claims.identity) if room else None
    if participant is None or participant.is_backlog_lost or participant.is_dual != dual:
        return None
    if request.participant_sid and request.participant_sid != participant.sid:
        return None
    return participant


def resume(
    turn: Turn,
    participant: Participant,
    connection: effects.Connection,
    request: rtc.JoinRequest,
    last_sequence: int,
) -> None:
    """A new socket for a participant that is still here: `reconnect`, then what was missed."""
    world = turn.world
    if participant.connection is not None:
        world.by_connection.pop(participant.connection, None)
        turn.do(effects.CloseSocket(participant.connection, effects.CLOSE_GOING_AWAY, "resumed"))
    fault, participant.resume_fault = participant.resume_fault, ""
    if fault == "before_messages":
        participant.connection = None
        participant.detached_at = turn.now.tick
        turn.do(effects.CloseSocket(connection, effects.CLOSE_GOING_AWAY, "simulated"))
        return
    world.by_connection[connection] = participant
    participant.connection = connection
    participant.detached_at = None
    participant.last_seen = turn.now.tick
    participant.frame_credit = world.limits.frame_burst
    reconnect = rtc.ReconnectResponse(
        client_configuration=models.ClientConfiguration(),
        server_info=messages.server_info(),
        last_message_seq=last_sequence,
    )
    turn.send(participant, rtc.SignalResponse(reconnect=reconnect))
    missed = list(participant.departed.values())
    participant.departed.clear()
    missed += [p.proto() for p in participant.room.visible() if p is not participant]
    missed.append(participant.proto())
    turn.send(participant, rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=missed)))
    turn.send(participant, room_update(turn, participant.room))
    while participant.backlog:
        turn.send(participant, participant.backlog.popleft())
    turn.do(effects.SendToken(connection, participant.claims))
    if participant.is_dual:
        # The client restarts the connection on which it offers; the other one is the transport's.
        turn.do(effects.RestartIce(participant.sid))
    if request.HasField("sync_state"):
        on_sync_state(turn, participant, request.sync_state)
        if participant.sid not in world.by_sid:
            return
    if request.HasField("publisher_offer"):
        negotiating.on_offer(turn, participant, request.publisher_offer)
    turn.do(effects.Count("resumes", "resumed"))
    if fault == "after_messages":
        turn.do(effects.CloseSocket(connection, effects.CLOSE_GOING_AWAY, "simulated"))


def on_sync_state(turn: Turn, participant: Participant, state: rtc.SyncState) -> None:
    """What a resumed client believes; where it knows of tracks that are gone, it starts anew."""
    removed, participant.removed_tracks = participant.removed_tracks, set()
    for published in state.publish_tracks:
        sid = published.track.sid
        if sid and sid not in participant.tracks and sid not in removed:
            drop(turn, participant, Action.RECONNECT, Reason.STATE_MISMATCH)
            return
    world = turn.world
    known = rtc.UpdateSubscription(
        # Tracks that ended meanwhile are no news to anybody.
        track_sids=[sid for sid in state.subscription.track_sids if sid in world.tracks],
        subscribe=state.subscription.subscribe,
    )
    subscribing.on_subscription(turn, participant, known)
    disabled = set(state.track_sids_disabled)
    for sid in disabled | {sid for sid, wish in participant.wishes.items() if wish.disabled}:
        subscribing.set_disabled(turn, participant, sid, disabled=sid in disabled)
    last = {
        entry.publisher_sid: entry.last_seq
        for entry in state.datachannel_receive_states
        if entry.publisher_sid in world.by_sid
        and world.by_sid[entry.publisher_sid].room is participant.room
    }
    if last:
        turn.do(effects.ReplayData(participant.sid, last))


def socket_lost(turn: Turn, connection: effects.Connection) -> None:
    """The socket is gone without a `leave`: the participant stays for the grace period."""
    participant = turn.world.by_connection.pop(connection, None)
    if participant is None:
        return
    participant.connection = None
    participant.detached_at = turn.now.tick
    if participant.is_transport_closed:
        remove(turn, participant, Reason.CLIENT_INITIATED)


def drop(turn: Turn, participant: Participant, action: Action, reason: Reason) -> None:
    """Send a participant away."""
    connection = participant.connection
    if connection is not None:
        turn.do(effects.Send((connection,), messages.leave(action, reason)))
        turn.do(effects.CloseSocket(connection))
    remove(turn, participant, reason)


def remove(turn: Turn, participant: Participant, reason: Reason) -> None:
    """A participant is gone: nothing of it stays anywhere, and the others are told."""
    world, room = turn.world, participant.room
    if room.participants.get(participant.identity) is not participant:
        return
    del room.participants[participant.identity]
    world.by_sid.pop(participant.sid, None)
    if participant.connection is not None:
        world.by_connection.pop(participant.connection, None)
        participant.connection = None
    for sid in list(participant.subscribed):
        track = world.tracks.get(sid)
        if track is not None:
            codecs.forget(participant, track)
            layers.update_demand(turn, track)
    for track in participant.tracks.values():
        publishing.forget(turn, track)
        if track.is_published:
            notices.of_track(turn, "track_unpublished", participant, track)
    turn.do(effects.Close(participant.sid))
    was_in = participant.state == State.ACTIVE
    participant.state = State.DISCONNECTED
    participant.version += 1
    participant.tracks.clear()
    info = participant.proto()
    info.disconnect_reason = reason
    if not participant.is_hidden:
        turn.broadcast(room, rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=[info])))
        for other in room.participants.values():
            if other.connection is None:
                _note_departure(turn, other, info)
    room.is_stale = True
    if not room.participants:
        room.empty_since = turn.now.tick
    turn.do(effects.Count("left", models.DisconnectReason.Name(reason).lower()))
    turn.do(effects.Announce(ParticipantLeft(room.name, participant.identity)))
    notice: notices.ParticipantNotice = (
        "participant_left" if was_in else "participant_connection_aborted"
    )
    notices.of_participant(turn, notice, room, info)


def _note_departure(turn: Turn, absent: Participant, info: models.ParticipantInfo) -> None:
    if len(absent.departed) >= turn.world.limits.participants_per_room:
        absent.is_backlog_lost = True
    else:
        absent.departed[info.sid] = info


def close_room(turn: Turn, room: Room, reason: Reason, action: Action = Action.DISCONNECT) -> None:
    """End a room for everybody in it."""
    for participant in list(room.participants.values()):
        drop(turn, participant, action, reason)
    if turn.world.rooms.pop(room.name, None) is not None:
        turn.do(effects.CloseRoom(room.name))
        turn.do(effects.Announce(RoomFinished(room.name)))
        notices.of_room(turn, "room_finished", room)


def tick_room(turn: Turn, room: Room) -> None:
    if room.empty_since is not None:
        timeout = room.departure_timeout if room.had_participants else room.empty_timeout
        if turn.now.tick - room.empty_since >= timeout:
            close_room(turn, room, Reason.ROOM_CLOSED)
            return
    if room.is_stale:
        room.is_stale = False
        turn.broadcast(room, room_update(turn, room))


def room_update(turn: Turn, room: Room) -> rtc.SignalResponse:
    return rtc.SignalResponse(room_update=rtc.RoomUpdate(room=room.proto(turn.world.limits)))
