"""What RoomService changes in the machine: permissions in the middle of publishing, hiding, room
set-ups, revocations, and what is told to the world outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from livekit.protocol import models, rtc

from conclave.kernel.errors import NotFound, TooLarge
from conclave.media.engine import Permission
from conclave.media.room_config import RoomConfig
from conclave.media.signal import administering, effects
from conclave.media.signal.messages import Reason
from conclave.media.signal.state import State
from conclave.media.tokens import Claims
from tests.media.stage import Seat, Stage

pytestmark = pytest.mark.unit

Source = models.TrackSource


def _revise(stage: Stage, seat: Seat, change: Callable[[Claims], Claims]) -> None:
    stage.run(stage.machine.revise_participant("room", seat.claims.identity, change, stage.now))


def _permit(stage: Stage, seat: Seat, **more: Any) -> None:
    def change(claims: Claims) -> Claims:
        return replace(claims, permission=replace(claims.permission, **more))

    _revise(stage, seat, change)


def _of(stage: Stage, kind: type) -> list[Any]:
    found = [command for command in stage.commands if isinstance(command, kind)]
    stage.commands.clear()
    return found


def test_publishing_withdrawn_ends_every_track() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    published = [alice.publish("mic"), alice.publish("cam", "video", source=Source.CAMERA)]
    expected = alice.add_track("screen", "video", source=Source.SCREEN_SHARE)
    stage.commands.clear()
    bob.inbox.clear()
    _permit(stage, alice, can_publish=False)
    gone = {track.track_sid for track in alice.take("track_unpublished")}
    assert gone == {*published, expected}
    assert bob.updates()[-1].tracks == []
    assert not bob.claims.publish_sources
    removed = [c for c in stage.commands if isinstance(c, effects.RemoveTrack)]
    assert {c.track for c in removed} == gone
    (grant,) = (c for c in stage.commands if isinstance(c, effects.SetGrant))
    assert not grant.grant.can_publish
    assert stage.machine.participant("room", "bob").subscribed == set()
    alice.send(add_track=rtc.AddTrackRequest(cid="again", type=models.TrackType.AUDIO))
    assert alice.last("request_response").reason == rtc.RequestResponse.NOT_ALLOWED
    # Given back, it may publish anew.
    _permit(stage, alice, can_publish=True)
    alice.publish("mic2")
    assert len(bob.updates()[-1].tracks) == 1


def test_narrowed_sources_end_the_tracks_of_the_others() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    mic = alice.publish("mic")
    cam = alice.publish("cam", "video", source=Source.CAMERA)
    bob.inbox.clear()
    _permit(stage, alice, publish_sources=("microphone",))
    assert [t.track_sid for t in alice.take("track_unpublished")] == [cam]
    shown = bob.updates()[-1]
    assert [track.sid for track in shown.tracks] == [mic]
    assert list(shown.permission.can_publish_sources) == [Source.MICROPHONE]
    assert stage.tokens[-1].publish_sources == (Source.MICROPHONE,)
    alice.send(
        add_track=rtc.AddTrackRequest(cid="cam2", type=models.TrackType.VIDEO, source=Source.CAMERA)
    )
    assert alice.last("request_response").reason == rtc.RequestResponse.NOT_ALLOWED


def test_receiving_withdrawn_and_given_back() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    sid = alice.publish()
    stage.commands.clear()
    _permit(stage, bob, can_subscribe=False)
    assert effects.Unsubscribe(bob.sid, sid) in stage.commands
    stage.commands.clear()
    other = alice.publish("cam", "video", source=Source.CAMERA)
    assert _of(stage, effects.Subscribe) == []
    _permit(stage, bob, can_subscribe=True)
    assert {c.track for c in _of(stage, effects.Subscribe)} == {sid, other}


def test_hidden_and_shown_again() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    sid = alice.publish()
    stage.tick()
    bob.inbox.clear()
    _permit(stage, alice, hidden=True)
    gone = bob.updates()[-1]
    assert (gone.sid, gone.state) == (alice.sid, State.DISCONNECTED)
    assert not gone.tracks
    assert [t.track_sid for t in alice.take("track_unpublished")] == [sid]
    stage.tick()
    assert bob.last("room_update").room.num_participants == 1
    carol = stage.joined("carol")
    join = next(m.join for m in carol.inbox if m.HasField("join"))
    assert [p.identity for p in join.other_participants] == ["bob"]
    bob.inbox.clear()
    _permit(stage, alice, hidden=False)
    back = bob.updates()[-1]
    assert (back.sid, back.state) == (alice.sid, State.ACTIVE)
    assert back.version > gone.version
    stage.tick()
    assert bob.last("room_update").room.num_participants == 3


def test_who_was_away_learns_that_a_hidden_one_is_back() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    bob.lose_socket()
    _permit(stage, alice, hidden=True)
    _permit(stage, alice, hidden=False)
    resumed = stage.resume(bob)
    assert [p.state for p in resumed.updates() if p.sid == alice.sid][-1] == State.ACTIVE


def test_a_room_has_its_own_limit() -> None:
    stage = Stage()
    stage.run(stage.machine.configure_room("room", RoomConfig(max_participants=2), stage.now))
    alice = stage.joined("alice")
    stage.joined("agent", claims={"kind": "agent"})
    stage.joined("bob")
    carol = stage.join("carol")
    assert carol.last("leave").reason == Reason.JOIN_FAILURE
    assert ("refused", "room_full") in stage.counts
    stage.joined("egress", claims={"is_recorder": True})
    alice.send(leave=rtc.LeaveRequest())
    stage.joined("carol")
    # More than the server's own limit it does not allow.
    small = Stage(participants_per_room=1)
    small.run(small.machine.configure_room("room", RoomConfig(max_participants=5), small.now))
    small.joined("alice")
    assert small.join("bob").last("leave").reason == Reason.JOIN_FAILURE


def test_a_room_keeps_its_own_times() -> None:
    stage = Stage()
    config = RoomConfig(empty_timeout=50, departure_timeout=3)
    stage.run(stage.machine.configure_room("room", config, stage.now))
    stage.tick(49)
    alice = stage.joined("alice")
    alice.send(leave=rtc.LeaveRequest())
    stage.tick(2.9)
    assert stage.machine.room("room")
    stage.tick(0.1)
    with pytest.raises(NotFound):
        stage.machine.room("room")
    stage.run(stage.machine.configure_room("room", config, stage.now))
    stage.tick(50)
    with pytest.raises(NotFound):
        stage.machine.room("room")


def test_a_token_configures_only_the_room_that_it_opens() -> None:
    stage = Stage()
    config = RoomConfig(metadata="first", max_participants=9)
    stage.joined("alice", claims={"room_config": config})
    stage.joined("bob", claims={"room_config": RoomConfig(metadata="second")})
    room = stage.machine.room("room")
    assert (room.metadata, room.max_participants) == ("first", 9)


def test_metadata_of_a_room_is_told_at_once_and_bounded() -> None:
    stage = Stage(metadata_size=4)
    alice = stage.joined("alice")
    stage.run(stage.machine.update_room("room", "news", stage.now))
    assert alice.last("room_update").room.metadata == "news"
    stage.run(stage.machine.update_room("room", "", stage.now))
    assert alice.last("room_update").room.metadata == ""
    with pytest.raises(TooLarge):
        stage.machine.update_room("room", "newss", stage.now)
    with pytest.raises(TooLarge):
        stage.machine.configure_room("new", RoomConfig(metadata="newss"), stage.now)
    with pytest.raises(NotFound):
        stage.machine.update_room("none", "", stage.now)
    assert list(stage.machine.world.rooms) == ["room"]


def test_revocations_name_one_identity_in_one_room_and_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(administering, "MAX_REVOCATIONS", 2)
    stage = Stage()
    for identity in ("alice", "bob", "carol"):
        stage.joined(identity)
        stage.run(stage.machine.remove_participant("room", identity, stage.now, revoked_before=100))

    def is_revoked(identity: str, not_before: float, room: str = "room") -> bool:
        claims = Claims(identity=identity, room=room, not_before=not_before)
        return stage.machine.is_revoked(claims)

    assert is_revoked("bob", 99)
    assert is_revoked("carol", 0)
    assert not is_revoked("bob", 100)
    assert not is_revoked("bob", 99, "other")
    assert not is_revoked("alice", 99), "the oldest has made room"
    stage.tick(1000)
    assert is_revoked("bob", 99), "it outlives the room"


def test_nothing_is_told_outside_while_nobody_listens() -> None:
    stage = Stage()
    stage.joined("alice").publish()
    assert stage.notices == []


def test_notices_tell_a_rooms_life() -> None:
    stage = Stage()
    stage.machine.world.is_observed = True
    alice = stage.joined("alice")
    mic = alice.publish("mic")
    cam = alice.publish("cam", "video", source=Source.CAMERA)
    alice.add_track("never")
    stage.join("bob")
    stage.run(stage.machine.remove_participant("room", "bob", stage.now))
    _permit(stage, alice, publish_sources=("microphone",))
    alice.lose_socket()
    resumed = stage.resume(alice)
    stage.tick(0)
    assert resumed.close is None
    stage.run(stage.machine.delete_room("room", stage.now))
    told = [(n.event, n.participant.identity, n.track.sid) for n in stage.notices]
    assert told == [
        ("room_started", "", ""),
        ("participant_joined", "alice", ""),
        ("track_published", "alice", mic),
        ("track_published", "alice", cam),
        ("participant_connection_aborted", "bob", ""),
        ("track_unpublished", "alice", cam),
        ("track_unpublished", "alice", mic),
        ("participant_left", "alice", ""),
        ("room_finished", "", ""),
    ]
    assert len({notice.id for notice in stage.notices}) == len(told)
    left = stage.notices[-2].participant
    assert (left.state, left.disconnect_reason) == (State.DISCONNECTED, Reason.ROOM_DELETED)


def test_a_hidden_one_is_told_of_outside() -> None:
    stage = Stage()
    stage.machine.world.is_observed = True
    seat = stage.joined("ghost", permission=Permission(hidden=True))
    seat.send(leave=rtc.LeaveRequest())
    told = [notice.event for notice in stage.notices]
    assert told == ["room_started", "participant_joined", "participant_left"]
