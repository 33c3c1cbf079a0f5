"""A track's second codec, for those who cannot decode the first: LiveKit's `backup codec`.

A publisher announces two codecs and sends one. The second it brings when it hears that somebody
wants it (`add_track` with the track's `sid`). For the transport the second is a track of its own
(`Backup.sid`); outside this package there is only the one. Must never decide what a subscriber is
shown (`layers` does), nor whether it may see it (`subscribing` does).
"""

from __future__ import annotations

from livekit.protocol import models, rtc

from conclave.media.signal import effects, layers, messages
from conclave.media.signal.messages import Answer
from conclave.media.signal.state import Backup, Participant, Track, Turn
from conclave.media.transport import ExpectedTrack

MAX_CID = 256
_NAMES = {"h264": "video/H264", "vp8": "video/VP8", "vp9": "video/VP9", "av1": "video/AV1"}


def mime_of(codec: str) -> str:
    """The MIME type of a codec as requests name it ("vp8", "video/VP8"); "" = not carried here."""
    return _NAMES.get(codec.lower().removeprefix("video/"), "")


def track_of(sid: str) -> str:
    """The track (TR_) of what the transport knows by this id."""
    return sid.partition("/")[0]


def on_add(turn: Turn, participant: Participant, request: rtc.AddTrackRequest) -> None:
    """The publisher brings the second codec of a track."""
    track = participant.tracks.get(request.sid)
    refusal = _refusal(participant, track, request)
    if refusal is not None or track is None:
        reason, words = refusal or (Answer.NOT_FOUND, "no such track")
        answer = rtc.RequestResponse(reason=reason, message=words, add_track=request)
        turn.send(participant, rtc.SignalResponse(request_response=answer))
        return
    if track.backup is not None:
        # Once more: the client has given the earlier one up.
        turn.do(effects.RemoveTrack(participant.sid, track.backup.sid))
    mime = track.backup_mime
    track.backup = Backup(f"{track.sid}/{mime.partition('/')[2].lower()}")
    track.backup_missed_at = None
    info = track.info.codecs[1]
    info.cid = request.cid
    offered = request.simulcast_codecs[0]
    sizes = offered.layers or request.layers
    if sizes:
        del info.layers[:]
        info.layers.extend(sizes[:4])
    expected = ExpectedTrack(
        sid=track.backup.sid,
        cid=request.cid,
        kind=track.kind,
        stream="screen" if track.info.source == models.TrackSource.SCREEN_SHARE else "camera",
        muted=track.info.muted,
        codec=mime,
        shown_as=track.sid,
    )
    turn.do(effects.AddTrack(participant.sid, expected))
    turn.send(participant, messages.track_published(request.cid, track.info))
    for subscriber in track.publisher.room.participants.values():
        if subscriber.sid in track.on_backup:
            subscribe(turn, subscriber, track)


def _refusal(
    participant: Participant, track: Track | None, request: rtc.AddTrackRequest
) -> tuple[Answer, str] | None:
    if track is None:
        return Answer.NOT_FOUND, "no such track"
    if not participant.may_publish(track.info.source):
        return Answer.NOT_ALLOWED, "this participant may not publish this kind of track"
    if not request.cid or len(request.cid) > MAX_CID or request.cid in _taken(participant, track):
        return Answer.INVALID_REQUEST, "a second codec needs a cid of its own"
    codecs = request.simulcast_codecs
    if not codecs or not track.backup_mime or mime_of(codecs[0].codec) != track.backup_mime:
        return Answer.UNSUPPORTED_TYPE, "the track was not announced with this second codec"
    return None


def _taken(participant: Participant, track: Track) -> set[str]:
    """The cids of all but the second codec of this track."""
    cids = {other.cid for other in participant.tracks.values()}
    others = [other for other in participant.tracks.values() if other is not track]
    return cids | {codec.cid for other in others for codec in other.info.codecs}


def subscribe(turn: Turn, subscriber: Participant, track: Track) -> None:
    """Let the transport carry a track to who is to have it, in the codec that it can be had in."""
    if track.is_regressed:
        track.on_backup.add(subscriber.sid)
    carried = track.carried_to(subscriber)
    if carried is not None:
        turn.do(effects.Subscribe(subscriber.sid, carried))
        layers.begin(turn, subscriber, track)
    layers.update_demand(turn, track)


def unsubscribe(turn: Turn, subscriber: Participant, track: Track) -> None:
    carried = track.carried_to(subscriber)
    forget(subscriber, track)
    if carried is not None:
        turn.do(effects.Unsubscribe(subscriber.sid, carried))
    layers.update_demand(turn, track)


def forget(subscriber: Participant, track: Track) -> None:
    """This participant receives the track no more."""
    track.bound_to.discard(subscriber.sid)
    track.on_backup.discard(subscriber.sid)
    if not track.on_backup:
        track.backup_missed_at = None


def fall_back(turn: Turn, subscriber: Participant, track: Track) -> bool:
    """A subscriber cannot decode the first codec. False: there is no second."""
    if not track.backup_mime or subscriber.sid in track.on_backup:
        return False
    track.bound_to.discard(subscriber.sid)
    track.on_backup.add(subscriber.sid)
    if track.backup is None and track.backup_missed_at is None:
        track.backup_missed_at = turn.now.tick
    subscribe(turn, subscriber, track)
    return True


def on_active(turn: Turn, track: Track, sid: str, mid: str) -> None:
    """The second codec's first packet has come."""
    if track.backup is None or track.backup.sid != sid:
        return
    track.backup.is_active = True
    track.info.codecs[1].mid = mid
    if track.is_regressed:
        # The publisher would rather send one codec than two.
        for subscriber in track.publisher.room.participants.values():
            if track.sid in subscriber.subscribed and subscriber.sid not in track.on_backup:
                track.on_backup.add(subscriber.sid)
                turn.do(effects.Exchange(subscriber.sid, track.sid, sid))
        layers.update_demand(turn, track)
    if track.is_published:
        turn.publish_state(track.publisher)


def on_ended(turn: Turn, track: Track, sid: str) -> None:
    """The publisher took the second codec back: all go to the first again, and who cannot decode it
    falls back as at the beginning."""
    if track.backup is None or track.backup.sid != sid:
        return
    for subscriber in track.publisher.room.participants.values():
        if subscriber.sid in track.on_backup:
            turn.do(effects.Exchange(subscriber.sid, sid, track.sid))
    track.on_backup.clear()
    track.backup = None
    turn.do(effects.RemoveTrack(track.publisher.sid, sid))
    layers.on_backup_ended(turn, track)


def tick(turn: Turn, track: Track) -> None:
    """Who waits in vain is told so, and goes on waiting."""
    since = track.backup_missed_at
    if since is None or turn.now.tick - since < turn.world.limits.backup_timeout:
        return
    track.backup_missed_at = None
    error = models.SubscriptionError.SE_CODEC_UNSUPPORTED
    for subscriber in track.publisher.room.participants.values():
        if subscriber.sid in track.on_backup:
            turn.send(subscriber, messages.subscription_error(track.sid, error))
