"""Adaptive stream and dynacast: what a subscriber wants of a track, and what its publisher is told.

A subscriber's settings become the largest layer it wants; the largest of all subscribers is what
the publisher is asked to send, at once when it grows, after a delay when it shrinks. Must never
decide who may receive a track (`subscribing` does).
"""

from __future__ import annotations

from livekit.protocol import models, rtc

from conclave.media.signal import effects
from conclave.media.signal.state import Participant, Track, Turn, Wish

LOW = int(models.VideoQuality.LOW)
HIGH = int(models.VideoQuality.HIGH)
OFF = int(models.VideoQuality.OFF)
NOBODY = -1
_ALL_TEMPORAL = 3
_SHORT_SIDES = (180, 360)
"""Of q and h, where a publisher does not say."""


def set_wish(turn: Turn, subscriber: Participant, track: Track, wish: Wish) -> None:
    """`wish` counts from now on, also when the participant subscribes later."""
    before = subscriber.wishes.get(track.sid, Wish())
    subscriber.wishes[track.sid] = wish
    if track.sid not in subscriber.subscribed:
        return
    if wish.disabled != before.disabled:
        turn.do(effects.Pause(subscriber.sid, track.sid, wish.disabled))
    _apply_limit(turn, subscriber, track)
    update_demand(turn, track)


def begin(turn: Turn, subscriber: Participant, track: Track) -> None:
    """A subscription has been made: it starts with what was wished before."""
    subscriber.limits.pop(track.sid, None)
    if _is_disabled(subscriber, track):
        turn.do(effects.Pause(subscriber.sid, track.sid, paused=True))
    _apply_limit(turn, subscriber, track)


def on_sizes_changed(turn: Turn, track: Track) -> None:
    """The publisher's layers have other sizes than before."""
    for subscriber in track.publisher.room.participants.values():
        if track.sid in subscriber.subscribed:
            _apply_limit(turn, subscriber, track)
    update_demand(turn, track)


def forget(subscriber: Participant, sid: str) -> None:
    subscriber.wishes.pop(sid, None)
    subscriber.limits.pop(sid, None)


def _is_disabled(subscriber: Participant, track: Track) -> bool:
    wish = subscriber.wishes.get(track.sid)
    return wish is not None and wish.disabled


def _apply_limit(turn: Turn, subscriber: Participant, track: Track) -> None:
    if track.kind != "video":
        return
    limit = (quality_of(subscriber, track), _temporal_of(subscriber, track))
    if subscriber.limits.get(track.sid, (HIGH, _ALL_TEMPORAL)) == limit:
        return
    subscriber.limits[track.sid] = limit
    turn.do(effects.Limit(subscriber.sid, track.sid, *limit))


def quality_of(subscriber: Participant, track: Track) -> int:
    """The largest layer that this subscriber wants: LOW to HIGH."""
    wish = subscriber.wishes.get(track.sid)
    if wish is None or (wish.quality is None and not wish.width):
        # Clients with adaptive stream say how large a picture is as soon as they show one.
        return LOW if subscriber.is_adaptive else HIGH
    if wish.width:
        return quality_for(track.info, wish.width, wish.height)
    return min(max(wish.quality or LOW, LOW), HIGH)


def quality_for(info: models.TrackInfo, width: int, height: int) -> int:
    """The smallest layer that is not smaller than the picture; measured on the track's short side.

    A track without dimensions has its largest layer asked for.
    """
    if not info.height:
        return HIGH
    wanted = width if info.width < info.height else height
    layers = info.layers or (info.codecs[0].layers if info.codecs else ())
    sizes = sorted(
        (int(layer.quality), min(layer.width, layer.height))
        for layer in layers
        if layer.width and layer.height and LOW <= layer.quality <= HIGH
    )
    if not sizes:
        sizes = list(enumerate((*_SHORT_SIDES, min(info.width or info.height, info.height))))
    return next((quality for quality, size in sizes if size >= wanted), HIGH)


def _temporal_of(subscriber: Participant, track: Track) -> int:
    """Temporal layers halve the rate; publishers send about thirty pictures a second."""
    wish = subscriber.wishes.get(track.sid)
    fps = wish.fps if wish else 0
    if not fps:
        return _ALL_TEMPORAL
    return next((layer for layer, most in ((0, 8), (1, 16)) if fps <= most), _ALL_TEMPORAL)


def update_demand(turn: Turn, track: Track) -> None:
    """Tell a video publisher at once that more is wanted; that less is, after a delay."""
    if track.demand is None or not track.is_published:
        return
    wanted = _demand(track)
    if wanted >= track.demand:
        track.falls_since = None
        if wanted > track.demand:
            _tell(turn, track, wanted)
    elif track.falls_since is None:
        track.falls_since = turn.now.tick


def tick(turn: Turn, track: Track) -> None:
    now, limits = turn.now.tick, turn.world.limits
    if track.kind != "video" or track.active_since is None:
        return
    if track.demand is None:
        # Publishers begin with all they have, and pass over what is said of a track before they
        # know it as published themselves.
        if track.is_published and now - track.active_since >= limits.first_demand_delay:
            _tell(turn, track, _demand(track))
    elif track.falls_since is not None and now - track.falls_since >= limits.demand_delay:
        track.falls_since = None
        wanted = _demand(track)
        if wanted != track.demand:
            _tell(turn, track, wanted)


def _demand(track: Track) -> int:
    watching = (
        quality_of(subscriber, track)
        for subscriber in track.publisher.room.participants.values()
        if track.sid in subscriber.subscribed and not _is_disabled(subscriber, track)
    )
    return max(watching, default=NOBODY)


def _tell(turn: Turn, track: Track, wanted: int) -> None:
    track.demand = wanted
    track.falls_since = None
    qualities = [
        rtc.SubscribedQuality(quality=models.VideoQuality.Name(quality), enabled=quality <= wanted)
        for quality in range(LOW, HIGH + 1)
    ]
    codec = track.info.mime_type.partition("/")[2].lower()
    update = rtc.SubscribedQualityUpdate(
        track_sid=track.sid,
        subscribed_qualities=qualities,
        subscribed_codecs=[rtc.SubscribedCodec(codec=codec, qualities=qualities)],
    )
    turn.send(track.publisher, rtc.SignalResponse(subscribed_quality_update=update))
