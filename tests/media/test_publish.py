"""Publishing: announced, shown when media comes, muted, changed, taken away."""

from __future__ import annotations

from dataclasses import replace

import pytest
from livekit.protocol import models, rtc

from conclave.kernel.errors import Forbidden, NotFound
from conclave.media.engine import Permission, Source
from conclave.media.signal import effects
from conclave.media.transport import Answered, ExpectedTrack, TrackActive, TrackEnded
from tests.media.stage import Stage

pytestmark = pytest.mark.unit

CAMERA = models.TrackSource.CAMERA
SCREEN = models.TrackSource.SCREEN_SHARE
MICROPHONE = models.TrackSource.MICROPHONE
Reason = rtc.RequestResponse.Reason


def test_add_track_is_answered_at_once_and_expected_by_the_transport() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    alice.send(
        add_track=rtc.AddTrackRequest(
            cid="cam",
            name="camera",
            type=models.TrackType.VIDEO,
            source=CAMERA,
            width=1280,
            height=720,
            encryption=models.Encryption.GCM,
            simulcast_codecs=[rtc.SimulcastCodec(codec="vp8", cid="cam")],
        )
    )
    published = alice.last("track_published")
    info = published.track
    assert published.cid == "cam"
    assert info.sid.startswith("TR_")
    assert (info.name, info.width, info.height, info.source) == ("camera", 1280, 720, CAMERA)
    assert info.encryption == models.Encryption.GCM
    assert info.mime_type == "video/VP8"
    expected = ExpectedTrack(
        sid=info.sid, cid="cam", kind="video", stream="camera", codec="video/VP8"
    )
    assert effects.AddTrack(alice.sid, expected) in stage.commands


@pytest.mark.parametrize(
    ("source", "stream"), [(SCREEN, "screen"), (models.TrackSource.SCREEN_SHARE_AUDIO, "screen")]
)
def test_screen_and_its_sound_share_a_stream(source: models.TrackSource, stream: str) -> None:
    stage = Stage()
    alice = stage.joined("alice")
    alice.add_track(kind="video", source=source)
    (add,) = [c for c in stage.commands if isinstance(c, effects.AddTrack)]
    assert add.track.stream == stream


def test_stereo_music_is_expected_without_dtx() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    alice.add_track(audio_features=[models.TF_STEREO, models.TF_NO_DTX])
    (add,) = [c for c in stage.commands if isinstance(c, effects.AddTrack)]
    assert add.track.stereo
    assert not add.track.dtx


def test_others_see_a_track_when_its_media_comes_and_then_receive_it() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    sid = alice.add_track()
    assert not bob.updates()
    stage.commands.clear()
    stage.emit(TrackActive(alice.sid, sid, "audio/opus", "4"))
    (info,) = bob.updates()
    assert [t.sid for t in info.tracks] == [sid]
    assert (info.tracks[0].mime_type, info.tracks[0].mid) == ("audio/opus", "4")
    assert info.is_publisher
    assert stage.commands == [effects.Subscribe(bob.sid, sid)]


def test_track_is_shown_as_soon_as_an_answer_has_bound_it() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    sid = alice.add_track("mic", muted=True)
    stage.commands.clear()
    stage.emit(Answered(alice.sid, 2, "v=0", {"4": sid, "5": "TR_elsewhere"}))
    (info,) = bob.updates()
    assert info.tracks[0].sid == sid
    assert info.tracks[0].muted
    assert info.tracks[0].mime_type == "audio/opus"
    # What receivers need is negotiated while the publisher still connects.
    assert stage.commands == [effects.Subscribe(bob.sid, sid)]
    stage.emit(TrackActive(alice.sid, sid, "audio/red", "4"))
    assert bob.updates()[0].tracks[0].mime_type == "audio/red"
    stage.emit(TrackActive(alice.sid, sid, "audio/red", "4"))
    assert not bob.updates()


def test_answer_without_the_track_shows_nothing() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    alice.add_track("mic")
    stage.emit(Answered(alice.sid, 2, "v=0", {}))
    assert not bob.updates()


def test_ended_section_takes_the_track_away() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    sid = alice.publish()
    bob.inbox.clear()
    stage.emit(TrackEnded(alice.sid, sid))
    (info,) = bob.updates()
    assert not info.tracks
    assert not info.is_publisher
    # The publisher did it itself; it is not told.
    assert not alice.take("track_unpublished")
    stage.emit(TrackEnded(alice.sid, sid), TrackActive(alice.sid, sid, "audio/opus", "1"))
    assert not bob.updates()


def test_same_source_published_again_replaces_the_earlier_track() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    first = alice.publish("mic")
    second = alice.add_track("mic")
    assert first != second
    assert effects.RemoveTrack(alice.sid, first) in stage.commands
    stage.emit(TrackActive(alice.sid, second, "audio/opus", "1"))
    assert [t.sid for t in bob.updates()[-1].tracks] == [second]


@pytest.mark.parametrize(
    ("permission", "sources", "request_", "reason"),
    [
        (Permission(can_publish=False), (), {}, Reason.NOT_ALLOWED),
        (Permission(), ("camera",), {}, Reason.NOT_ALLOWED),
        (Permission(hidden=True), (), {}, Reason.NOT_ALLOWED),
        (Permission(), (), {"cid": ""}, Reason.INVALID_REQUEST),
        (Permission(), (), {"cid": "x" * 300}, Reason.INVALID_REQUEST),
        (Permission(), (), {"type": models.TrackType.DATA}, Reason.UNSUPPORTED_TYPE),
        (Permission(), (), {"sid": "TR_x"}, Reason.NOT_FOUND),
    ],
)
def test_what_may_not_be_published(
    permission: Permission,
    sources: tuple[Source, ...],
    request_: dict[str, object],
    reason: rtc.RequestResponse.Reason,
) -> None:
    stage = Stage()
    permission = replace(permission, publish_sources=sources)
    alice = stage.joined("alice", permission=permission)
    fields = {"cid": "mic", "type": models.TrackType.AUDIO, "source": MICROPHONE} | request_
    alice.send(add_track=rtc.AddTrackRequest(**fields))  # type: ignore[arg-type]
    answer = alice.last("request_response")
    assert answer.reason == reason
    assert answer.WhichOneof("request") == "add_track"
    assert not [c for c in stage.commands if isinstance(c, effects.AddTrack)]


def test_tracks_of_a_participant_are_bounded() -> None:
    stage = Stage(tracks_per_participant=2)
    alice = stage.joined("alice")
    alice.add_track("1")
    alice.add_track("2")
    alice.send(add_track=rtc.AddTrackRequest(cid="3", source=MICROPHONE))
    assert alice.last("request_response").reason == Reason.LIMIT_EXCEEDED


def test_mute_and_unmute_by_the_publisher() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    sid = alice.publish()
    bob.inbox.clear()
    stage.commands.clear()
    for muted in (True, True, False):
        alice.send(mute=rtc.MuteTrackRequest(sid=sid, muted=muted))
    assert [i.tracks[0].muted for i in bob.updates()] == [True, False]
    assert stage.commands == [
        effects.MuteTrack(alice.sid, sid, True),
        effects.MuteTrack(alice.sid, sid, False),
    ]
    # Nobody mutes another's track by this message.
    bob.send(mute=rtc.MuteTrackRequest(sid=sid, muted=True))
    assert not bob.updates()
    assert len(stage.commands) == 2


def test_server_mutes_but_never_unmutes() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    sid = alice.publish()
    bob.inbox.clear()
    stage.run(stage.machine.mute_track("room", "alice", sid, muted=True, now=stage.now))
    mute = alice.last("mute")
    assert (mute.sid, mute.muted) == (sid, True)
    assert bob.updates()[-1].tracks[0].muted
    with pytest.raises(Forbidden):
        stage.machine.mute_track("room", "alice", sid, muted=False, now=stage.now)
    for room, identity, track in (("x", "alice", sid), ("room", "x", sid), ("room", "alice", "x")):
        with pytest.raises(NotFound):
            stage.machine.mute_track(room, identity, track, muted=True, now=stage.now)


def test_features_and_dimensions_of_a_track() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    mic, cam = alice.publish("mic"), alice.publish("cam", "video", source=CAMERA)
    bob.inbox.clear()
    alice.send(
        update_audio_track=rtc.UpdateLocalAudioTrack(
            track_sid=mic, features=[models.TF_NOISE_SUPPRESSION]
        )
    )
    alice.send(update_video_track=rtc.UpdateLocalVideoTrack(track_sid=cam, width=640, height=360))
    tracks = {t.sid: t for t in bob.updates()[-1].tracks}
    assert list(tracks[mic].audio_features) == [models.TF_NOISE_SUPPRESSION]
    assert (tracks[cam].width, tracks[cam].height) == (640, 360)
    alice.send(update_audio_track=rtc.UpdateLocalAudioTrack(track_sid=cam))
    alice.send(update_video_track=rtc.UpdateLocalVideoTrack(track_sid="TR_x"))
    assert [a.reason for a in alice.take("request_response")] == [Reason.NOT_FOUND] * 2


def test_permission_taken_away_ends_what_it_allowed() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    alice_track, bob_track = alice.publish("mic"), bob.publish("mic")
    for seat in (alice, bob):
        seat.inbox = [m for m in seat.inbox if m.HasField("join")]
    stage.commands.clear()
    permission = Permission(can_publish=False, can_subscribe=False)
    stage.run(
        stage.machine.update_participant(
            "room",
            "alice",
            permission=permission,
            name=None,
            metadata=None,
            attributes=None,
            now=stage.now,
        )
    )
    assert alice.last("track_unpublished").track_sid == alice_track
    own = alice.updates()[-1]
    assert not own.permission.can_publish
    assert not own.tracks
    assert alice.take("refresh_token")
    assert stage.tokens[-1].permission == permission
    assert not bob.updates()[-1].tracks
    assert effects.RemoveTrack(alice.sid, alice_track) in stage.commands
    assert effects.Unsubscribe(alice.sid, bob_track) in stage.commands
    grant = next(c for c in stage.commands if isinstance(c, effects.SetGrant)).grant
    assert not grant.can_publish


def test_who_becomes_hidden_has_left_for_the_others() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    track = alice.publish()
    bob.inbox = [m for m in bob.inbox if m.HasField("join")]
    stage.run(
        stage.machine.update_participant(
            "room",
            "alice",
            permission=Permission(hidden=True),
            name=None,
            metadata=None,
            attributes=None,
            now=stage.now,
        )
    )
    assert bob.updates()[-1].state == models.ParticipantInfo.State.DISCONNECTED
    assert effects.Unsubscribe(bob.sid, track) in stage.commands


def test_unknown_tracks_and_participants_in_events_are_nothing() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    stage.emit(TrackActive("PA_x", "TR_x", "audio/opus", "1"))
    stage.emit(TrackActive(alice.sid, "TR_x", "audio/opus", "1"))
    stage.emit(TrackEnded(alice.sid, "TR_x"))
    assert not alice.updates()
