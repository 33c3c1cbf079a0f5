"""Subscribing: automatic, by choice, allow lists, what the engine reports."""

from __future__ import annotations

from typing import Any

import pytest
from livekit.protocol import models, rtc

from conclave.media.engine import Permission
from conclave.media.signal import effects
from conclave.media.transport import (
    Quality,
    QualityMeasured,
    SectionsNeeded,
    Speaker,
    SpeakersChanged,
    StreamStateChanged,
    Subscribed,
    SubscriptionFailed,
)
from tests.media.stage import Seat, Stage

pytestmark = pytest.mark.unit
CAMERA = models.TrackSource.CAMERA


def _subscriptions(stage: Stage) -> list[effects.Command]:
    kinds = (effects.Subscribe, effects.Unsubscribe, effects.Pause)
    return [c for c in stage.commands if isinstance(c, kinds)]


def _pair(**bob: Any) -> tuple[Stage, Seat, Seat]:
    stage = Stage()
    return stage, stage.joined("alice"), stage.joined("bob", **bob)


def test_without_automatic_subscription_nothing_is_received_until_asked() -> None:
    stage, alice, bob = _pair(auto_subscribe=False)
    sid = alice.publish()
    assert not _subscriptions(stage)
    bob.send(subscription=rtc.UpdateSubscription(track_sids=[sid], subscribe=True))
    assert _subscriptions(stage) == [effects.Subscribe(bob.sid, sid)]
    bob.send(
        subscription=rtc.UpdateSubscription(
            participant_tracks=[
                models.ParticipantTracks(participant_sid=alice.sid, track_sids=[sid])
            ],
            subscribe=False,
        )
    )
    assert _subscriptions(stage)[1:] == [effects.Unsubscribe(bob.sid, sid)]


def test_unknown_and_own_tracks_cannot_be_subscribed() -> None:
    stage, alice, bob = _pair()
    own = bob.publish()
    elsewhere = stage.joined("eve", room="other").publish()
    stage.commands.clear()
    for sid in ("TR_x", own, elsewhere):
        bob.send(subscription=rtc.UpdateSubscription(track_sids=[sid], subscribe=True))
        answer = bob.last("subscription_response")
        assert (answer.track_sid, answer.err) == (sid, models.SubscriptionError.SE_TRACK_NOTFOUND)
    assert not _subscriptions(stage)
    assert alice.close is None


def test_who_may_not_subscribe_receives_nothing() -> None:
    stage, alice, bob = _pair(permission=Permission(can_subscribe=False))
    sid = alice.publish()
    bob.send(subscription=rtc.UpdateSubscription(track_sids=[sid], subscribe=True))
    assert not _subscriptions(stage)


def test_choice_outlives_a_permission_that_comes_back() -> None:
    stage, alice, bob = _pair()
    kept, refused = alice.publish("1"), alice.publish("2")
    bob.send(subscription=rtc.UpdateSubscription(track_sids=[refused], subscribe=False))
    for can_subscribe in (False, True):
        stage.commands.clear()
        stage.run(
            stage.machine.update_participant(
                "room",
                "bob",
                permission=Permission(can_subscribe=can_subscribe),
                name=None,
                metadata=None,
                attributes=None,
                now=stage.now,
            )
        )
    assert _subscriptions(stage) == [effects.Subscribe(bob.sid, kept)]


def test_allow_list_of_the_publisher() -> None:
    stage, alice, bob = _pair()
    carol = stage.joined("carol")
    one, two = alice.publish("1"), alice.publish("2")
    stage.commands.clear()
    alice.send(
        subscription_permission=rtc.SubscriptionPermission(
            track_permissions=[
                rtc.TrackPermission(participant_identity="bob", track_sids=[one]),
                rtc.TrackPermission(participant_sid=carol.sid, all_tracks=True),
            ]
        )
    )
    assert _subscriptions(stage) == [effects.Unsubscribe(bob.sid, two)]
    update = bob.last("subscription_permission_update")
    assert (update.participant_sid, update.track_sid, update.allowed) == (alice.sid, two, False)
    assert not carol.take("subscription_permission_update")
    stage.commands.clear()
    bob.send(subscription=rtc.UpdateSubscription(track_sids=[two], subscribe=True))
    assert not _subscriptions(stage)
    alice.send(subscription_permission=rtc.SubscriptionPermission(all_participants=True))
    assert _subscriptions(stage) == [effects.Subscribe(bob.sid, two)]
    assert bob.last("subscription_permission_update").allowed


def test_allow_list_holds_for_later_tracks_and_later_participants() -> None:
    stage, alice, bob = _pair()
    alice.send(subscription_permission=rtc.SubscriptionPermission(all_participants=False))
    alice.publish()
    stage.joined("carol")
    assert not _subscriptions(stage)
    assert bob.close is None


def test_publisher_learns_of_its_first_subscriber_once() -> None:
    stage, alice, bob = _pair()
    carol = stage.joined("carol")
    sid = alice.publish()
    stage.emit(Subscribed(bob.sid, sid, "3"), Subscribed(carol.sid, sid, "3"))
    assert [m.track_sid for m in alice.take("track_subscribed")] == [sid]
    stage.emit(Subscribed(bob.sid, "TR_x", "3"), Subscribed("PA_x", sid, "3"))


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("codec_unsupported", models.SubscriptionError.SE_CODEC_UNSUPPORTED),
        ("track_unknown", models.SubscriptionError.SE_TRACK_NOTFOUND),
    ],
)
def test_failed_subscription_is_told_and_not_repeated(
    reason: str, error: models.SubscriptionError
) -> None:
    stage, alice, bob = _pair()
    sid = alice.publish()
    stage.commands.clear()
    stage.emit(SubscriptionFailed(bob.sid, sid, reason))  # type: ignore[arg-type]
    answer = bob.last("subscription_response")
    assert (answer.track_sid, answer.err) == (sid, error)
    alice.send(subscription_permission=rtc.SubscriptionPermission(all_participants=True))
    assert not _subscriptions(stage)
    bob.send(subscription=rtc.UpdateSubscription(track_sids=[sid], subscribe=True))
    assert _subscriptions(stage) == [effects.Subscribe(bob.sid, sid)]


def test_sections_needed() -> None:
    stage, alice, _ = _pair()
    stage.emit(SectionsNeeded(alice.sid, 2, 1))
    need = alice.last("media_sections_requirement")
    assert (need.num_audios, need.num_videos) == (2, 1)


def test_stream_state() -> None:
    stage, alice, bob = _pair()
    sid = alice.publish("cam", "video", source=CAMERA)
    stage.emit(StreamStateChanged(bob.sid, sid, "paused"))
    (state,) = bob.last("stream_state_update").stream_states
    assert (state.participant_sid, state.track_sid) == (alice.sid, sid)
    assert state.state == rtc.StreamState.PAUSED


def test_speakers_are_told_as_changes_without_the_hidden() -> None:
    stage, alice, bob = _pair()
    ghost = stage.joined("ghost", permission=Permission(hidden=True))
    stage.emit(
        SpeakersChanged(
            "room",
            [
                Speaker(alice.sid, 0.7, True),
                Speaker(bob.sid, 0.1, False),
                Speaker(ghost.sid, 0.9, True),
                Speaker("PA_x", 0.9, True),
            ],
        )
    )
    speakers = bob.last("speakers_changed").speakers
    assert [(s.sid, s.active) for s in speakers] == [(alice.sid, True), (bob.sid, False)]
    assert speakers[1].level == 0
    stage.emit(SpeakersChanged("room", [Speaker("PA_x", 0.9, True)]), SpeakersChanged("x", []))
    assert not bob.take("speakers_changed")


def test_quality_of_oneself_and_of_whom_one_receives() -> None:
    stage, alice, bob = _pair()
    alice.publish()
    measured = QualityMeasured(
        "room", [Quality(alice.sid, "poor", 1.5), Quality(bob.sid, "excellent", 4.9)]
    )
    stage.emit(measured)
    assert {u.participant_sid for u in bob.last("connection_quality").updates} == {
        alice.sid,
        bob.sid,
    }
    (own,) = alice.last("connection_quality").updates
    assert own.quality == models.ConnectionQuality.POOR
