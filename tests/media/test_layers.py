"""Adaptive stream and dynacast: settings become layers, layers become what publishers send."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models, rtc

from conclave.media.signal import effects
from conclave.media.signal.layers import quality_for
from tests.media.stage import Seat, Stage

pytestmark = pytest.mark.unit

CAMERA = models.TrackSource.CAMERA
LOW, MEDIUM, HIGH = (
    models.VideoQuality.LOW,
    models.VideoQuality.MEDIUM,
    models.VideoQuality.HIGH,
)
SIMULCAST = [
    models.VideoLayer(quality=LOW, width=320, height=180),
    models.VideoLayer(quality=MEDIUM, width=640, height=360),
    models.VideoLayer(quality=HIGH, width=1280, height=720),
]
PORTRAIT = [
    models.VideoLayer(quality=layer.quality, width=layer.height, height=layer.width)
    for layer in SIMULCAST
]


def _pair(**more: Any) -> tuple[Stage, Seat, Seat, str]:
    """Alice publishes a camera in three layers, bob watches; bob's commands so far are gone."""
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob", **more)
    sid = alice.publish("cam", "video", source=CAMERA, width=1280, height=720, layers=SIMULCAST)
    stage.commands.clear()
    return stage, alice, bob, sid


def _settled(**more: Any) -> tuple[Stage, Seat, Seat, str]:
    """The same, after the publisher was told for the first time what is wanted."""
    stage, alice, bob, sid = _pair(**more)
    assert _told(alice) == [], "alice's client does not know her track as published yet"
    stage.keep_alive(2)
    assert _told(alice) == [HIGH]
    return stage, alice, bob, sid


def _wish(seat: Seat, sid: str, **settings: Any) -> None:
    settings.setdefault("quality", HIGH)
    seat.send(track_setting=rtc.UpdateTrackSettings(track_sids=[sid], **settings))


def _limits(stage: Stage) -> list[object]:
    kinds = (effects.Subscribe, effects.Unsubscribe, effects.Pause, effects.Limit)
    return [command for command in stage.commands if isinstance(command, kinds)]


def _told(seat: Seat) -> list[int]:
    """The largest quality of each update to the publisher; -1 = none."""
    told = []
    for update in seat.take("subscribed_quality_update"):
        assert update.subscribed_codecs[0].qualities == update.subscribed_qualities
        enabled = [q.quality for q in update.subscribed_qualities if q.enabled]
        assert enabled == list(range(len(enabled)))
        told.append(len(enabled) - 1)
    return told


@pytest.mark.parametrize(
    ("width", "height", "quality"),
    [
        (1, 1, LOW),
        (320, 180, LOW),
        (321, 181, MEDIUM),
        (640, 360, MEDIUM),
        (700, 400, HIGH),
        (4000, 3000, HIGH),
    ],
)
def test_the_smallest_layer_that_fills_the_picture(width: int, height: int, quality: int) -> None:
    landscape = models.TrackInfo(width=1280, height=720, layers=SIMULCAST)
    assert quality_for(landscape, width, height) == quality
    assert quality_for(models.TrackInfo(width=1280, height=720), width, height) == quality
    # A track that is higher than wide is measured by its width.
    portrait = models.TrackInfo(width=720, height=1280, layers=PORTRAIT)
    assert quality_for(portrait, height, width) == quality


def test_a_track_of_unknown_size_is_asked_for_as_it_is() -> None:
    assert quality_for(models.TrackInfo(), 10, 10) == HIGH


sizes = st.integers(0, 2**32 - 1)


@given(
    st.builds(
        models.TrackInfo,
        width=sizes,
        height=sizes,
        layers=st.lists(
            st.builds(
                models.VideoLayer, quality=st.sampled_from([0, 1, 2, 3]), width=sizes, height=sizes
            ),
            max_size=5,
        ),
    ),
    sizes,
    sizes,
)
def test_any_size_has_a_layer(info: models.TrackInfo, width: int, height: int) -> None:
    assert quality_for(info, width, height) in (LOW, MEDIUM, HIGH)


def test_settings_become_limits() -> None:
    stage, _, bob, sid = _pair()
    for settings, limit in (
        ({"width": 300, "height": 170}, (0, 3)),
        ({"width": 640, "height": 360, "fps": 15}, (1, 1)),
        ({"width": 640, "height": 360, "fps": 5}, (1, 0)),
        ({"quality": LOW}, (0, 3)),
        ({"quality": HIGH, "fps": 30}, (2, 3)),
    ):
        stage.commands.clear()
        _wish(bob, sid, **settings)
        assert _limits(stage) == [effects.Limit(bob.sid, sid, *limit)]
        _wish(bob, sid, **settings)
        assert len(_limits(stage)) == 1, "said once"


def test_hidden_tiles_are_paused() -> None:
    stage, _, bob, sid = _pair()
    for disabled in (True, True, False):
        settings = rtc.UpdateTrackSettings(
            track_sids=[sid, "TR_x"], disabled=disabled, quality=HIGH
        )
        bob.send(track_setting=settings)
    _wish(bob, sid, quality=models.VideoQuality.OFF)
    assert _limits(stage) == [
        effects.Pause(bob.sid, sid, True),
        effects.Pause(bob.sid, sid, False),
        effects.Pause(bob.sid, sid, True),
    ]


def test_settings_are_remembered_over_a_new_subscription() -> None:
    stage, _, bob, sid = _pair()
    _wish(bob, sid, disabled=True, width=300, height=170)
    stage.commands.clear()
    for subscribe in (False, True):
        bob.send(subscription=rtc.UpdateSubscription(track_sids=[sid], subscribe=subscribe))
    assert _limits(stage) == [
        effects.Unsubscribe(bob.sid, sid),
        effects.Subscribe(bob.sid, sid),
        effects.Pause(bob.sid, sid, True),
        effects.Limit(bob.sid, sid, 0, 3),
    ]


def test_clients_with_adaptive_stream_begin_with_the_smallest_layer() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob", adaptive_stream=True)
    sid = alice.publish("cam", "video", source=CAMERA, width=1280, height=720, layers=SIMULCAST)
    assert effects.Limit(bob.sid, sid, 0, 3) in stage.commands
    stage.keep_alive(2)
    assert _told(alice) == [LOW]
    _wish(bob, sid, width=1280, height=720)
    assert _told(alice) == [HIGH]
    assert stage.commands[-1] == effects.Limit(bob.sid, sid, 2, 3)


def test_sound_has_no_layers() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob", adaptive_stream=True)
    sid = alice.publish()
    _wish(bob, sid, quality=LOW)
    bob.send(leave=rtc.LeaveRequest())
    stage.keep_alive(10)
    assert not [c for c in stage.commands if isinstance(c, effects.Limit)]
    assert _told(alice) == []


def test_a_publisher_that_changes_its_sizes_changes_the_layers() -> None:
    stage, alice, bob, sid = _pair()
    _wish(bob, sid, width=640, height=360)
    stage.commands.clear()
    update = rtc.UpdateLocalVideoTrack(track_sid=sid, width=720, height=1280)
    alice.send(update_video_track=update)
    # Bob's 640 counts now, against the short sides of the layers.
    assert _limits(stage) == [effects.Limit(bob.sid, sid, 2, 3)]


def test_demand_rises_at_once_and_falls_after_a_delay() -> None:
    stage, alice, bob, sid = _settled()
    _wish(bob, sid, disabled=True)
    stage.keep_alive(4)
    assert _told(alice) == []
    stage.keep_alive(2)
    assert _told(alice) == [-1]
    _wish(bob, sid, width=640, height=360)
    assert _told(alice) == [MEDIUM]
    _wish(bob, sid)
    assert _told(alice) == [HIGH]
    bob.send(leave=rtc.LeaveRequest())
    stage.keep_alive(6)
    assert _told(alice) == [-1]


def test_the_largest_of_all_wishes_counts() -> None:
    stage, alice, bob, sid = _settled()
    carol = stage.joined("carol")
    _wish(bob, sid, width=300, height=170)
    stage.keep_alive(10)
    assert _told(alice) == [], "carol has said nothing, and gets the largest"
    _wish(carol, sid, width=640, height=360)
    stage.keep_alive(10)
    assert _told(alice) == [MEDIUM]
    carol.send(leave=rtc.LeaveRequest())
    stage.keep_alive(10)
    assert _told(alice) == [LOW]


def test_short_changes_are_no_news_to_the_publisher() -> None:
    stage, alice, bob, sid = _settled()
    for settings in ({"disabled": True}, {}, {"width": 10, "height": 10}, {}):
        _wish(bob, sid, **settings)
        stage.keep_alive(2)
    stage.keep_alive(10)
    assert _told(alice) == []


def test_what_fell_twice_is_told_as_it_is_in_the_end() -> None:
    stage, alice, bob, sid = _settled()
    _wish(bob, sid, width=640, height=360)
    stage.keep_alive(3)
    _wish(bob, sid, width=320, height=180)
    stage.keep_alive(3)
    assert _told(alice) == [LOW]


def test_a_publisher_that_has_sent_nothing_yet_is_not_stopped() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    sid = alice.add_track("cam", "video", source=CAMERA)
    stage.keep_alive(10)
    assert _told(alice) == []
    assert sid in stage.machine.world.tracks
