"""Tracks of a participant: announced, published, muted, changed, taken away.

A track is *expected* from `add_track` on and *published* (shown to others) from the answer that
binds it to a section, at the latest with its first packet. Must never subscribe anybody itself
(`subscribing` does).
"""

from __future__ import annotations

from collections.abc import Iterable

from livekit.protocol import models, rtc

from conclave.media.signal import codecs, effects, layers, messages, notices, subscribing
from conclave.media.signal.messages import Answer
from conclave.media.signal.state import Participant, Track, Turn
from conclave.media.transport import ExpectedTrack

MAX_CID = codecs.MAX_CID
_SCREEN = (models.TrackSource.SCREEN_SHARE, models.TrackSource.SCREEN_SHARE_AUDIO)
_STEREO = models.AudioTrackFeature.TF_STEREO
_NO_DTX = models.AudioTrackFeature.TF_NO_DTX


def on_add_track(turn: Turn, participant: Participant, request: rtc.AddTrackRequest) -> None:
    if request.sid:
        codecs.on_add(turn, participant, request)
        return
    refusal = _refusal(turn, participant, request)
    if refusal is not None:
        reason, words = refusal
        answer = rtc.RequestResponse(reason=reason, message=words, add_track=request)
        turn.send(participant, rtc.SignalResponse(request_response=answer))
        return
    for earlier in [t for t in participant.tracks.values() if t.cid == request.cid]:
        # The same source once more: the client has taken the earlier publication back, whether or
        # not its offer has said so by now.
        remove(turn, earlier)
    is_audio = request.type == models.TrackType.AUDIO
    stereo = request.stereo or _STEREO in request.audio_features
    no_dtx = request.disable_dtx or _NO_DTX in request.audio_features
    sid = turn.world.new_sid("TR_")
    info = _info(turn, sid, request, stereo=stereo, no_dtx=no_dtx)
    track = Track(
        sid=sid,
        cid=request.cid,
        kind="audio" if is_audio else "video",
        info=info,
        publisher=participant,
    )
    participant.tracks[sid] = track
    turn.world.tracks[sid] = track
    turn.do(
        effects.AddTrack(
            participant.sid,
            ExpectedTrack(
                sid=sid,
                cid=request.cid,
                kind=track.kind,
                stream="screen" if request.source in _SCREEN else "camera",
                muted=request.muted,
                stereo=stereo,
                dtx=not no_dtx,
                codec=info.codecs[0].mime_type if info.codecs else "",
            ),
        )
    )
    turn.send(participant, messages.track_published(request.cid, info))


def _refusal(
    turn: Turn, participant: Participant, request: rtc.AddTrackRequest
) -> tuple[Answer, str] | None:
    limits = turn.world.limits
    if not request.cid or len(request.cid) > MAX_CID or len(request.name) > limits.name_size:
        return Answer.INVALID_REQUEST, "a track needs a cid, and a name that is not too long"
    if request.type not in (models.TrackType.AUDIO, models.TrackType.VIDEO):
        return Answer.UNSUPPORTED_TYPE, "only audio and video tracks can be published"
    if participant.is_hidden or not participant.may_publish(request.source):
        return Answer.NOT_ALLOWED, "this participant may not publish this kind of track"
    if len(participant.tracks) >= limits.tracks_per_participant:
        return Answer.LIMIT_EXCEEDED, "this participant publishes too many tracks"
    return None


def _info(
    turn: Turn, sid: str, request: rtc.AddTrackRequest, *, stereo: bool, no_dtx: bool
) -> models.TrackInfo:
    announced = [
        models.SimulcastCodecInfo(
            mime_type=_mime(request.type, codec.codec),
            cid=codec.cid,
            layers=codec.layers or request.layers,
            video_layer_mode=codec.video_layer_mode,
        )
        for codec in request.simulcast_codecs[:4]
    ]
    return models.TrackInfo(
        sid=sid,
        type=request.type,
        name=request.name,
        muted=request.muted,
        width=request.width,
        height=request.height,
        simulcast=len(request.layers) > 1,
        disable_dtx=no_dtx,
        source=request.source,
        layers=request.layers[:4],
        mime_type=announced[0].mime_type if announced else _mime(request.type, ""),
        codecs=announced,
        stereo=stereo,
        disable_red=request.disable_red,
        encryption=request.encryption,
        stream=request.stream[:MAX_CID],
        version=models.TimedVersion(unix_micro=int(turn.now.at.timestamp() * 1_000_000)),
        audio_features=request.audio_features[:16],
        backup_codec_policy=request.backup_codec_policy,
        packet_trailer_features=request.packet_trailer_features[:16],
    )


def _mime(kind: int, codec: str) -> str:
    """Best knowledge until media arrives."""
    if kind == models.TrackType.AUDIO:
        return "audio/opus"
    return codecs.mime_of(codec) or "video/VP8"


def on_bound(turn: Turn, participant: Participant, tracks: Iterable[str]) -> None:
    """An answer has taken these tracks: shown now, receivers are ready when media comes."""
    for sid in tracks:
        track = participant.tracks.get(sid)
        if track is not None:
            publish(turn, track)


def on_active(turn: Turn, track: Track, mime: str, mid: str) -> None:
    """The first packet of a track has come."""
    is_news = track.active_since is None or track.info.mime_type != mime or track.info.mid != mid
    if track.active_since is None:
        track.active_since = turn.now.tick
    track.info.mime_type = mime
    track.info.mid = mid
    if track.info.codecs:
        track.info.codecs[0].mime_type = mime
        track.info.codecs[0].mid = mid
    if not track.is_published:
        publish(turn, track)
    elif is_news:
        turn.publish_state(track.publisher)


def publish(turn: Turn, track: Track) -> None:
    if track.is_published:
        return
    track.is_published = True
    track.publisher.room.is_stale = True
    # Receivers must know the track before its media: first the update, then the subscription.
    turn.publish_state(track.publisher)
    subscribing.reconcile_track(turn, track)
    layers.update_demand(turn, track)
    notices.of_track(turn, "track_published", track.publisher, track)


def remove(turn: Turn, track: Track, *, tell_publisher: bool = False) -> None:
    """Take a track away, whoever wanted it so."""
    publisher = track.publisher
    if publisher.tracks.pop(track.sid, None) is None:
        return
    forget(turn, track)
    for sid in _carried(track):
        turn.do(effects.RemoveTrack(publisher.sid, sid))
    if publisher.connection is None:
        publisher.removed_tracks.add(track.sid)
    if tell_publisher:
        unpublished = rtc.TrackUnpublishedResponse(track_sid=track.sid)
        turn.send(publisher, rtc.SignalResponse(track_unpublished=unpublished))
    if track.is_published:
        publisher.room.is_stale = True
        turn.publish_state(publisher)
        notices.of_track(turn, "track_unpublished", publisher, track)


def _carried(track: Track) -> list[str]:
    """All that the transport has of it."""
    return [track.sid] if track.backup is None else [track.sid, track.backup.sid]


def forget(turn: Turn, track: Track) -> None:
    """Drop every trace of a track that its room's participants hold."""
    turn.world.tracks.pop(track.sid, None)
    for participant in track.publisher.room.participants.values():
        participant.subscribed.discard(track.sid)
        layers.forget(participant, track.sid)
        participant.choices.pop(track.sid, None)


def remove_forbidden(turn: Turn, participant: Participant) -> None:
    """After a change of permissions: what may not be published any more ends."""
    for track in list(participant.tracks.values()):
        if participant.is_hidden or not participant.may_publish(track.info.source):
            remove(turn, track, tell_publisher=True)


def on_mute(turn: Turn, participant: Participant, request: rtc.MuteTrackRequest) -> None:
    track = participant.tracks.get(request.sid)
    if track is not None:
        set_muted(turn, track, muted=request.muted)


def set_muted(turn: Turn, track: Track, *, muted: bool) -> None:
    if track.info.muted == muted:
        return
    track.info.muted = muted
    for sid in _carried(track):
        turn.do(effects.MuteTrack(track.publisher.sid, sid, muted))
    if track.is_published:
        turn.publish_state(track.publisher)


def on_update_audio(
    turn: Turn, participant: Participant, request: rtc.UpdateLocalAudioTrack
) -> None:
    track = participant.tracks.get(request.track_sid)
    if track is None or track.kind != "audio":
        answer = rtc.RequestResponse(
            reason=Answer.NOT_FOUND, message="no such audio track", update_audio_track=request
        )
        turn.send(participant, rtc.SignalResponse(request_response=answer))
        return
    del track.info.audio_features[:]
    track.info.audio_features.extend(list(dict.fromkeys(request.features))[:16])
    track.info.stereo = _STEREO in request.features
    track.info.disable_dtx = _NO_DTX in request.features
    if track.is_published:
        turn.publish_state(participant)


def on_update_video(
    turn: Turn, participant: Participant, request: rtc.UpdateLocalVideoTrack
) -> None:
    track = participant.tracks.get(request.track_sid)
    if track is None or track.kind != "video":
        answer = rtc.RequestResponse(
            reason=Answer.NOT_FOUND, message="no such video track", update_video_track=request
        )
        turn.send(participant, rtc.SignalResponse(request_response=answer))
        return
    track.info.width = request.width
    track.info.height = request.height
    layers.on_sizes_changed(turn, track)
    if track.is_published:
        turn.publish_state(participant)
