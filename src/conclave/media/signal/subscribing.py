"""Who receives what: choices, permissions, visibility.

`reconcile` is the only place that subscribes or unsubscribes: it compares what should be with what
the transport has been told. Must never decide what may be published.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from livekit.protocol import models, rtc

from conclave.media.signal import codecs, layers, messages
from conclave.media.signal.state import Participant, Track, Turn, Wish


def is_allowed(track: Track, subscriber: Participant) -> bool:
    """Does the publisher's allow list let this participant receive the track?"""
    allow = track.publisher.allow
    if allow is None or allow.all_participants:
        return True
    for entry in allow.track_permissions:
        is_meant = (
            entry.participant_identity == subscriber.identity
            if entry.participant_identity
            else entry.participant_sid == subscriber.sid
        )
        if is_meant and (entry.all_tracks or track.sid in entry.track_sids):
            return True
    return False


def reconcile(turn: Turn, subscriber: Participant, track: Track) -> None:
    """Bring the transport in line with what this participant should receive of `track`."""
    is_wanted = (
        track.is_published
        and track.publisher is not subscriber
        and not track.publisher.is_hidden
        and subscriber.is_open
        and subscriber.claims.permission.can_subscribe
        and subscriber.choices.get(track.sid, subscriber.auto_subscribe)
        and is_allowed(track, subscriber)
    )
    if is_wanted and track.sid not in subscriber.subscribed:
        subscriber.subscribed.add(track.sid)
        codecs.subscribe(turn, subscriber, track)
    elif not is_wanted and track.sid in subscriber.subscribed:
        subscriber.subscribed.discard(track.sid)
        codecs.unsubscribe(turn, subscriber, track)


def reconcile_subscriber(turn: Turn, subscriber: Participant) -> None:
    """After a join, or a change of what the participant may receive."""
    for publisher in subscriber.room.participants.values():
        for track in publisher.tracks.values():
            reconcile(turn, subscriber, track)


def reconcile_track(turn: Turn, track: Track) -> None:
    """After a track has appeared, or its publisher's allow list has changed."""
    for subscriber in track.publisher.room.participants.values():
        reconcile(turn, subscriber, track)


def on_subscription(turn: Turn, participant: Participant, request: rtc.UpdateSubscription) -> None:
    for sid in _sids(request):
        track = _track_in_room(turn, participant, sid)
        if track is None:
            if request.subscribe:
                error = models.SubscriptionError.SE_TRACK_NOTFOUND
                turn.send(participant, messages.subscription_error(sid, error))
            continue
        participant.choices[sid] = request.subscribe
        reconcile(turn, participant, track)


def on_track_setting(
    turn: Turn, participant: Participant, request: rtc.UpdateTrackSettings
) -> None:
    """Adaptive stream: what is not shown is not sent, and small pictures are sent small."""
    wish = Wish(
        disabled=request.disabled or request.quality == layers.OFF,
        quality=int(request.quality),
        width=request.width,
        height=request.height,
        fps=request.fps,
    )
    for sid in dict.fromkeys(request.track_sids):
        track = _track_in_room(turn, participant, sid)
        if track is not None:
            layers.set_wish(turn, participant, track, wish)


def set_disabled(turn: Turn, participant: Participant, sid: str, *, disabled: bool) -> None:
    track = _track_in_room(turn, participant, sid)
    if track is not None:
        wish = participant.wishes.get(sid, Wish())
        layers.set_wish(turn, participant, track, replace(wish, disabled=disabled))


def on_subscription_permission(
    turn: Turn, publisher: Participant, request: rtc.SubscriptionPermission
) -> None:
    others = [p for p in publisher.room.participants.values() if p is not publisher]
    tracks = [track for track in publisher.tracks.values() if track.is_published]
    before = {(p.sid, t.sid): is_allowed(t, p) for p in others for t in tracks}
    publisher.allow = rtc.SubscriptionPermission()
    publisher.allow.CopyFrom(request)
    for subscriber in others:
        for track in tracks:
            allowed = is_allowed(track, subscriber)
            if allowed == before[subscriber.sid, track.sid]:
                continue
            reconcile(turn, subscriber, track)
            update = rtc.SubscriptionPermissionUpdate(
                participant_sid=publisher.sid, track_sid=track.sid, allowed=allowed
            )
            turn.send(subscriber, rtc.SignalResponse(subscription_permission_update=update))


def on_bound(turn: Turn, subscriber: Participant, track: Track) -> None:
    """The transport carries `track` to `subscriber` now."""
    if track.sid not in subscriber.subscribed:
        return
    track.bound_to.add(subscriber.sid)
    if not track.was_subscribed:
        track.was_subscribed = True
        subscribed = rtc.TrackSubscribed(track_sid=track.sid)
        turn.send(track.publisher, rtc.SignalResponse(track_subscribed=subscribed))


def on_failed(
    turn: Turn, subscriber: Participant, carried: str, error: models.SubscriptionError
) -> None:
    """The transport cannot carry it; nobody asks again until the participant does, unless there is
    a second codec."""
    sid = codecs.track_of(carried)
    track = turn.world.tracks.get(sid)
    if track is not None and sid in subscriber.subscribed:
        if track.carried_to(subscriber) != carried:
            # Of what it received before.
            return
        is_undecodable = error == models.SubscriptionError.SE_CODEC_UNSUPPORTED
        if is_undecodable and codecs.fall_back(turn, subscriber, track):
            return
        subscriber.subscribed.discard(sid)
        subscriber.choices[sid] = False
        codecs.forget(subscriber, track)
        layers.update_demand(turn, track)
    turn.send(subscriber, messages.subscription_error(sid, error))


def _sids(request: rtc.UpdateSubscription) -> Iterable[str]:
    sids = dict.fromkeys(request.track_sids)
    for entry in request.participant_tracks:
        sids |= dict.fromkeys(entry.track_sids)
    return sids


def _track_in_room(turn: Turn, participant: Participant, sid: str) -> Track | None:
    track = turn.world.tracks.get(sid)
    if (
        track is None
        or not track.is_published
        or track.publisher.room is not participant.room
        or track.publisher is participant
    ):
        return None
    return track
