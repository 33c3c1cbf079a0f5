"""A track's second codec: brought when somebody needs it, and no sooner."""

from __future__ import annotations

from typing import Any

import pytest
from livekit.protocol import models, rtc

from conclave.media.signal import effects
from conclave.media.transport import (
    Answered,
    ExpectedTrack,
    StreamStateChanged,
    Subscribed,
    SubscriptionFailed,
    TrackActive,
    TrackEnded,
)
from tests.media.stage import OFFER, Seat, Stage

pytestmark = pytest.mark.unit

CAMERA = models.TrackSource.CAMERA
Reason = rtc.RequestResponse.Reason
SIMULCAST = models.BackupCodecPolicy.SIMULCAST
REGRESSION = models.BackupCodecPolicy.REGRESSION
LAYERS = [
    models.VideoLayer(quality=models.VideoQuality.LOW, width=320, height=180),
    models.VideoLayer(quality=models.VideoQuality.HIGH, width=1280, height=720),
]


def _publish(alice: Seat, policy: models.BackupCodecPolicy = SIMULCAST, **more: Any) -> str:
    """Alice's camera in VP9, with VP8 as the second codec; she has been told what is wanted."""
    sid = alice.add_track(
        "cam",
        "video",
        source=CAMERA,
        width=1280,
        height=720,
        layers=LAYERS,
        simulcast_codecs=[
            rtc.SimulcastCodec(codec="vp9", cid="cam"),
            rtc.SimulcastCodec(codec="vp8"),
        ],
        backup_codec_policy=policy,
        **more,
    )
    alice.stage.emit(TrackActive(alice.sid, sid, "video/VP9", "1"))
    alice.stage.keep_alive(2)
    return sid


def _room(policy: models.BackupCodecPolicy = SIMULCAST) -> tuple[Stage, Seat, Seat, Seat, str]:
    """Alice publishes, bob and carol watch; nothing but what follows is in inboxes and commands."""
    stage = Stage()
    alice, bob, carol = (stage.joined(name) for name in ("alice", "bob", "carol"))
    sid = _publish(alice, policy)
    stage.commands.clear()
    for seat in (alice, bob, carol):
        _ = seat.take("subscribed_quality_update"), seat.take("subscription_response")
    return stage, alice, bob, carol, sid


def _cannot(seat: Seat, sid: str) -> None:
    seat.stage.emit(SubscriptionFailed(seat.sid, sid, "codec_unsupported"))


def _bring(alice: Seat, track: str, **more: Any) -> None:
    request: dict[str, Any] = {
        "cid": "cam-vp8",
        "sid": track,
        "type": models.TrackType.VIDEO,
        "source": CAMERA,
        "simulcast_codecs": [rtc.SimulcastCodec(codec="vp8", cid="cam-vp8")],
    } | more
    alice.send(add_track=rtc.AddTrackRequest(**request))


def _told(alice: Seat) -> list[dict[str, int]]:
    """Of each update, the largest wanted quality by codec; -1 = none."""
    updates = alice.take("subscribed_quality_update")
    return [
        {
            codec.codec: max((q.quality for q in codec.qualities if q.enabled), default=-1)
            for codec in update.subscribed_codecs
        }
        for update in updates
    ]


def _backup(sid: str) -> str:
    return f"{sid}/vp8"


def test_the_publisher_is_asked_when_somebody_needs_it() -> None:
    stage, alice, bob, _, sid = _room()
    _cannot(bob, sid)
    assert _told(alice) == [{"vp9": 2, "vp8": 2}]
    assert bob.take("subscription_response") == [], "it may still come"

    _bring(alice, sid)
    published = alice.last("track_published")
    assert (published.cid, published.track.sid) == ("cam-vp8", sid)
    assert stage.commands == [
        effects.AddTrack(
            alice.sid,
            ExpectedTrack(
                sid=_backup(sid),
                cid="cam-vp8",
                kind="video",
                stream="camera",
                codec="video/VP8",
                shown_as=sid,
            ),
        ),
        effects.Subscribe(bob.sid, _backup(sid)),
    ]

    stage.emit(TrackActive(alice.sid, _backup(sid), "video/VP8", "2"))
    info = alice.updates()[-1].tracks[0]
    assert [(codec.mime_type, codec.mid) for codec in info.codecs] == [
        ("video/VP9", "1"),
        ("video/VP8", "2"),
    ]
    assert info.mime_type == "video/VP9"


def test_a_track_without_a_second_codec_fails_as_ever() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    sid = alice.publish("cam", "video", source=CAMERA)
    _cannot(bob, sid)
    response = bob.last("subscription_response")
    assert response.err == models.SubscriptionError.SE_CODEC_UNSUPPORTED
    assert response.track_sid == sid


def test_who_can_decode_neither_is_told() -> None:
    _, alice, bob, _, sid = _room()
    _cannot(bob, sid)
    _bring(alice, sid)
    _cannot(bob, _backup(sid))
    assert bob.last("subscription_response").track_sid == sid
    alice.stage.keep_alive(6)
    assert _told(alice)[-1] == {"vp9": 2, "vp8": -1}


def test_a_publisher_that_never_brings_it() -> None:
    stage, alice, bob, _, sid = _room()
    _cannot(bob, sid)
    stage.keep_alive(9)
    assert bob.take("subscription_response") == []
    stage.keep_alive(2)
    response = bob.last("subscription_response")
    assert response.err == models.SubscriptionError.SE_CODEC_UNSUPPORTED
    stage.keep_alive(20)
    assert bob.take("subscription_response") == [], "once"
    _bring(alice, sid)
    assert effects.Subscribe(bob.sid, _backup(sid)) in stage.commands, "late is not never"


def test_wishes_reach_the_codec_that_is_received() -> None:
    stage, alice, bob, _, sid = _room()
    _cannot(bob, sid)
    wish = rtc.UpdateTrackSettings(track_sids=[sid], width=320, height=180)
    bob.send(track_setting=wish)
    assert stage.commands == [], "there is nothing to limit yet"
    _bring(alice, sid)
    assert effects.Limit(bob.sid, _backup(sid), 0, 3) in stage.commands
    bob.send(track_setting=rtc.UpdateTrackSettings(track_sids=[sid], disabled=True))
    assert effects.Pause(bob.sid, _backup(sid), True) in stage.commands
    _told(alice)
    stage.keep_alive(6)
    assert _told(alice) == [{"vp9": 2, "vp8": -1}], "nobody looks at the second"


def test_demand_is_counted_by_codec() -> None:
    stage, alice, bob, carol, sid = _room()
    _cannot(bob, sid)
    _bring(alice, sid)
    carol.send(track_setting=rtc.UpdateTrackSettings(track_sids=[sid], width=100, height=100))
    _told(alice)
    stage.keep_alive(6)
    assert _told(alice) == [{"vp9": 0, "vp8": 2}]
    bob.send(subscription=rtc.UpdateSubscription(track_sids=[sid], subscribe=False))
    assert stage.commands[-1] == effects.Unsubscribe(bob.sid, _backup(sid))
    stage.keep_alive(6)
    assert _told(alice) == [{"vp9": 0, "vp8": -1}]
    bob.send(subscription=rtc.UpdateSubscription(track_sids=[sid], subscribe=True))
    assert effects.Subscribe(bob.sid, sid) in stage.commands, "the first is tried first"


@pytest.mark.parametrize("policy", [REGRESSION, models.BackupCodecPolicy.PREFER_REGRESSION])
def test_a_publisher_that_would_rather_send_one_codec(policy: models.BackupCodecPolicy) -> None:
    stage, alice, bob, carol, sid = _room(policy)
    _cannot(bob, sid)
    _bring(alice, sid)
    assert effects.Exchange(carol.sid, sid, _backup(sid)) not in stage.commands, "not sent yet"
    stage.emit(TrackActive(alice.sid, _backup(sid), "video/VP8", "2"))
    assert effects.Exchange(carol.sid, sid, _backup(sid)) in stage.commands
    assert effects.Exchange(bob.sid, sid, _backup(sid)) not in stage.commands
    _told(alice)
    stage.keep_alive(6)
    assert _told(alice) == [{"vp9": -1, "vp8": 2}]
    dora = stage.joined("dora")
    stage.commands.clear()
    stage.emit(SubscriptionFailed(carol.sid, sid, "codec_unsupported"))
    assert carol.take("subscription_response") == [], "of what she had before"
    assert _backup(sid) == stage.machine.world.tracks[sid].carried_to(
        stage.machine.participant("room", "dora")
    )
    assert dora.take("subscription_response") == []


def test_what_the_transport_says_of_it_is_said_of_the_track() -> None:
    stage, alice, bob, _, sid = _room()
    _cannot(bob, sid)
    _bring(alice, sid)
    stage.emit(Subscribed(bob.sid, _backup(sid), "4"))
    assert bob.sid in stage.machine.world.tracks[sid].bound_to
    stage.emit(StreamStateChanged(bob.sid, _backup(sid), "paused"))
    assert bob.last("stream_state_update").stream_states[0].track_sid == sid
    alice.send(offer=rtc.SessionDescription(type="offer", sdp=OFFER, id=2))
    stage.emit(Answered(alice.sid, 2, "v=0", {"1": sid, "2": _backup(sid)}))
    assert dict(alice.last("answer").mid_to_track_id) == {"1": sid, "2": sid}


def test_muting_and_unpublishing_take_both() -> None:
    stage, alice, bob, _, sid = _room()
    _cannot(bob, sid)
    _bring(alice, sid)
    stage.commands.clear()
    alice.send(mute=rtc.MuteTrackRequest(sid=sid, muted=True))
    assert stage.commands == [
        effects.MuteTrack(alice.sid, sid, True),
        effects.MuteTrack(alice.sid, _backup(sid), True),
    ]
    stage.commands.clear()
    stage.emit(TrackEnded(alice.sid, sid))
    assert stage.commands == [
        effects.RemoveTrack(alice.sid, sid),
        effects.RemoveTrack(alice.sid, _backup(sid)),
    ]
    assert sid not in stage.machine.world.tracks


def test_a_second_codec_that_ends_leaves_nobody_behind() -> None:
    stage, alice, bob, carol, sid = _room(REGRESSION)
    _cannot(bob, sid)
    _bring(alice, sid)
    stage.emit(TrackActive(alice.sid, _backup(sid), "video/VP8", "2"))
    stage.keep_alive(6)
    assert _told(alice)[-1] == {"vp9": -1, "vp8": 2}
    stage.commands.clear()
    stage.emit(TrackEnded(alice.sid, _backup(sid)))
    assert stage.commands == [
        effects.Exchange(bob.sid, _backup(sid), sid),
        effects.Exchange(carol.sid, _backup(sid), sid),
        effects.RemoveTrack(alice.sid, _backup(sid)),
    ]
    assert _told(alice) == [{"vp9": 2, "vp8": -1}], "the first is wanted again, at once"
    stage.emit(TrackEnded(alice.sid, _backup(sid)))
    assert _told(alice) == []

    _cannot(bob, sid)
    assert _told(alice) == [{"vp9": 2, "vp8": 2}], "and who needs the second asks again"
    stage.commands.clear()
    _bring(alice, sid)
    assert stage.commands[-1] == effects.Subscribe(bob.sid, _backup(sid))


def test_who_leaves_needs_it_no_more() -> None:
    stage, alice, bob, _, sid = _room()
    _cannot(bob, sid)
    bob.send(leave=rtc.LeaveRequest())
    _told(alice)
    stage.keep_alive(15)
    assert _told(alice) == [{"vp9": 2, "vp8": -1}]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"sid": "TR_x"}, Reason.NOT_FOUND),
        ({"sid": "TR_x/vp8"}, Reason.NOT_FOUND),
        ({"cid": ""}, Reason.INVALID_REQUEST),
        ({"cid": "c" * 257}, Reason.INVALID_REQUEST),
        ({"cid": "cam"}, Reason.INVALID_REQUEST),
        ({"cid": "mic"}, Reason.INVALID_REQUEST),
        ({"simulcast_codecs": []}, Reason.UNSUPPORTED_TYPE),
        (
            {"simulcast_codecs": [rtc.SimulcastCodec(codec="h264", cid="x")]},
            Reason.UNSUPPORTED_TYPE,
        ),
        ({"simulcast_codecs": [rtc.SimulcastCodec(codec="", cid="x")]}, Reason.UNSUPPORTED_TYPE),
    ],
)
def test_what_is_no_second_codec(more: dict[str, Any], reason: rtc.RequestResponse.Reason) -> None:
    stage, alice, *_, sid = _room()
    alice.add_track("mic")
    stage.commands.clear()
    _bring(alice, sid, **more)
    assert alice.last("request_response").reason == reason
    assert stage.commands == []


def test_nobody_brings_a_codec_for_somebody_elses_track() -> None:
    stage, _, bob, _, sid = _room()
    _bring(bob, sid)
    assert bob.last("request_response").reason == Reason.NOT_FOUND
    assert stage.commands == []


def test_a_track_of_sound_has_no_second_codec() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    sid = alice.publish(
        simulcast_codecs=[rtc.SimulcastCodec(codec="opus"), rtc.SimulcastCodec(codec="red")]
    )
    _bring(alice, sid)
    assert alice.last("request_response").reason == Reason.UNSUPPORTED_TYPE


def test_brought_again_it_begins_anew() -> None:
    stage, alice, bob, _, sid = _room()
    _cannot(bob, sid)
    _bring(alice, sid)
    stage.commands.clear()
    _bring(alice, sid)
    kinds = [type(command).__name__ for command in stage.commands]
    assert kinds == ["RemoveTrack", "AddTrack", "Subscribe"]
