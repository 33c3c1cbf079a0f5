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
    carried = track.carried_to(subscriber)
    if wish.disabled != before.disabled and carried is not None:
        turn.do(effects.Pause(subscriber.sid, carried, wish.disabled))
    _apply_limit(turn, subscriber, track)
    update_demand(turn, track)


def begin(turn: Turn, subscriber: Participant, track: Track) -> None:
    """A subscription has been made: it starts with what was wished before."""
    subscriber.limits.pop(track.sid, None)
    carried = track.carried_to(subscriber)
    if carried is not None and _is_disabled(subscriber, track):
        turn.do(effects.Pause(subscriber.sid, carried, paused=True))
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
    carried = track.carried_to(subscriber)
    if track.kind != "video" or carried is None:
        return
    limit = (quality_of(subscriber, track), _temporal_of(subscriber, track))
    if subscriber.limits.get(track.sid, (HIGH, _ALL_TEMPORAL)) == limit:
        return
    subscriber.limits[track.sid] = limit
    turn.do(effects.Limit(subscriber.sid, carried, *limit))


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
    wanted, told = _demand(track), track.demand
    grown = (max(wanted[0], told[0]), max(wanted[1], told[1]))
    if grown != told:
        _tell(turn, track, grown)
    if grown == wanted:
        track.falls_since = None
    elif track.falls_since is None:
        track.falls_since = turn.now.tick


def on_backup_ended(turn: Turn, track: Track) -> None:
    """The publisher stopped its second codec: when it is wanted again, it is to be told again."""
    if track.demand is not None:
        track.demand = (track.demand[0], NOBODY)
    update_demand(turn, track)


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


def _demand(track: Track) -> tuple[int, int]:
    first = second = NOBODY
    for subscriber in track.publisher.room.participants.values():
        if track.sid not in subscriber.subscribed or _is_disabled(subscriber, track):
            continue
        quality = quality_of(subscriber, track)
        if subscriber.sid in track.on_backup:
            second = max(second, quality)
        else:
            first = max(first, quality)
    return first, second


def _tell(turn: Turn, track: Track, wanted: tuple[int, int]) -> None:
    track.demand = wanted
    track.falls_since = None
    mimes = [track.info.mime_type, track.backup_mime]
    codecs = [
        rtc.SubscribedCodec(codec=mime.partition("/")[2].lower(), qualities=_up_to(largest))
        for mime, largest in zip(mimes, wanted, strict=True)
        if mime
    ]
    update = rtc.SubscribedQualityUpdate(
        track_sid=track.sid,
        subscribed_qualities=_up_to(wanted[0]),
        subscribed_codecs=codecs,
    )
    turn.send(track.publisher, rtc.SignalResponse(subscribed_quality_update=update))


def _up_to(largest: int) -> list[rtc.SubscribedQuality]:
    return [
        rtc.SubscribedQuality(quality=models.VideoQuality.Name(quality), enabled=quality <= largest)
        for quality in range(LOW, HIGH + 1)
    ]
