"""Joining: what comes first, what others learn, and who is turned down."""

from __future__ import annotations

import pytest
from livekit.protocol import models, rtc

from conclave.media.engine import (
    ParticipantJoined,
    ParticipantLeft,
    Permission,
    RoomFinished,
    RoomStarted,
)
from conclave.media.signal import effects
from conclave.media.transport import Answered, OfferRejected, TransportChanged
from tests.media.stage import OFFER, Stage

pytestmark = pytest.mark.unit
State = models.ParticipantInfo.State


def test_join_comes_first_and_says_what_clients_need() -> None:
    stage = Stage()
    alice = stage.join("alice", name="Alice")
    assert alice.kinds()[0] == "join"
    join = alice.inbox[0].join
    assert join.room.sid.startswith("RM_")
    assert join.room.name == "room"
    assert join.participant.sid.startswith("PA_")
    assert join.participant.identity == "alice"
    assert join.participant.name == "Alice"
    assert join.fast_publish
    assert not join.subscriber_primary
    assert (join.ping_interval, join.ping_timeout) == (5, 15)
    assert join.server_info.protocol == 17
    assert tuple(map(int, join.server_info.version.split("."))) >= (1, 8, 0)
    assert not join.ice_servers
    assert not join.sif_trailer
    assert stage.events == [RoomStarted("room"), ParticipantJoined("room", "alice")]


def test_offer_of_the_join_goes_to_the_transport_after_the_subscriptions() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    track = alice.publish()
    stage.commands.clear()
    bob = stage.join("bob")
    assert [type(c) for c in stage.commands] == [effects.Open, effects.Subscribe, effects.Offer]
    assert stage.commands[1] == effects.Subscribe(bob.sid, track)
    assert stage.commands[2] == effects.Offer(bob.sid, 1, OFFER)
    assert [p.identity for p in bob.inbox[0].join.other_participants] == ["alice"]
    assert bob.inbox[0].join.other_participants[0].tracks[0].sid == track


def test_tracks_named_in_the_join_are_answered_at_once() -> None:
    stage = Stage()
    request = rtc.AddTrackRequest(
        cid="mic", type=models.TrackType.AUDIO, source=models.TrackSource.MICROPHONE
    )
    alice = stage.join("alice", add_track_requests=[request])
    assert alice.kinds()[:2] == ["join", "track_published"]
    assert [type(c) for c in stage.commands] == [effects.Open, effects.AddTrack, effects.Offer]


def test_others_learn_of_a_participant_before_its_media_and_when_it_is_active() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    bob = stage.join("bob")
    (first,) = alice.updates()
    assert (first.identity, first.state) == ("bob", State.JOINED)
    bob.connect()
    (second,) = alice.updates()
    assert (second.sid, second.state) == (bob.sid, State.ACTIVE)
    assert second.version > first.version


def test_answer_carries_the_mid_map() -> None:
    stage = Stage()
    alice = stage.join("alice")
    stage.emit(Answered(alice.sid, 1, "v=0 answer", {"3": "TR_x"}))
    answer = alice.last("answer")
    assert (answer.type, answer.sdp, answer.id) == ("answer", "v=0 answer", 1)
    assert dict(answer.mid_to_track_id) == {"3": "TR_x"}


def test_hidden_participants_are_not_seen_but_see() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    ghost = stage.join("ghost", permission=Permission(hidden=True))
    ghost.connect()
    assert not alice.updates()
    assert [p.identity for p in ghost.inbox[0].join.other_participants] == ["alice"]
    assert ghost.updates()[-1].state == State.ACTIVE
    ghost.send(leave=rtc.LeaveRequest())
    assert not alice.updates()


def test_second_join_with_an_identity_drops_the_first() -> None:
    stage = Stage()
    bob = stage.joined("bob")
    first = stage.joined("alice")
    sid = first.sid
    bob.inbox.clear()
    second = stage.join("alice")
    leave = first.last("leave")
    assert leave.reason == models.DisconnectReason.DUPLICATE_IDENTITY
    assert leave.action == rtc.LeaveRequest.DISCONNECT
    assert first.close is not None
    # Clients find participants by identity: the old one must leave before the new one comes.
    gone, new = bob.updates()
    assert (gone.sid, gone.state) == (sid, State.DISCONNECTED)
    assert gone.disconnect_reason == models.DisconnectReason.DUPLICATE_IDENTITY
    assert (new.sid, new.state) == (second.sid, State.JOINED)
    first.send(ping=1)
    assert "pong" not in first.kinds()


def test_full_room_turns_newcomers_down_but_not_who_returns() -> None:
    stage = Stage(participants_per_room=2)
    stage.joined("alice")
    stage.joined("bob")
    carol = stage.join("carol")
    assert carol.kinds() == ["leave"]
    assert carol.close is not None
    assert ("refused", "room_full") in stage.counts
    assert stage.join("bob").kinds()[0] == "join"


def test_who_never_connects_is_dropped() -> None:
    stage = Stage()
    alice = stage.join("alice")
    stage.emit(Answered(alice.sid, 1, "v=0", {}))
    stage.keep_alive(14)
    assert alice.close is None
    stage.keep_alive(2)
    leave = alice.last("leave")
    assert leave.reason == models.DisconnectReason.JOIN_FAILURE
    assert ("refused", "transport_timeout") in stage.counts


def test_who_never_offers_is_dropped() -> None:
    stage = Stage()
    alice = stage.join("alice", publisher_offer=None)
    stage.keep_alive(29)
    assert alice.close is None
    stage.keep_alive(2)
    assert alice.last("leave").reason == models.DisconnectReason.JOIN_FAILURE


@pytest.mark.parametrize(
    ("answered", "action"),
    [(False, rtc.LeaveRequest.DISCONNECT), (True, rtc.LeaveRequest.RECONNECT)],
)
def test_rejected_offer(answered: bool, action: rtc.LeaveRequest.Action) -> None:
    stage = Stage()
    alice = stage.join("alice")
    if answered:
        stage.emit(Answered(alice.sid, 1, "v=0", {}))
    stage.emit(OfferRejected(alice.sid, 1, "no ice-ufrag"))
    assert alice.last("leave").action == action


def test_leaving_tells_the_others_and_ends_the_room_after_its_timeout() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    sid = bob.sid
    bob.send(leave=rtc.LeaveRequest(reason=models.DisconnectReason.CLIENT_INITIATED))
    assert bob.close == effects.CloseSocket(bob.connection)
    (gone,) = alice.updates()
    assert (gone.sid, gone.state) == (sid, State.DISCONNECTED)
    assert gone.disconnect_reason == models.DisconnectReason.CLIENT_INITIATED
    assert effects.Close(sid) in stage.commands
    alice.send(leave=rtc.LeaveRequest())
    stage.tick(19)
    assert stage.machine.counts()["rooms"] == 1
    stage.tick(2)
    stage.assert_empty()
    assert effects.CloseRoom("room") in stage.commands
    assert stage.events[-3:] == [
        ParticipantLeft("room", "bob"),
        ParticipantLeft("room", "alice"),
        RoomFinished("room"),
    ]


def test_room_without_anybody_ends_after_its_empty_timeout() -> None:
    stage = Stage()
    stage.run(stage.machine.create_room("early", None, stage.now))
    stage.run(stage.machine.create_room("brief", 30.0, stage.now))
    stage.tick(31)
    assert set(stage.machine.world.rooms) == {"early"}
    stage.tick(270)
    stage.assert_empty()


def test_given_empty_timeout_also_counts_after_everybody_left() -> None:
    stage = Stage()
    stage.run(stage.machine.create_room("room", 120.0, stage.now))
    alice = stage.joined("alice")
    alice.send(leave=rtc.LeaveRequest())
    stage.tick(119)
    assert stage.machine.counts()["rooms"] == 1
    stage.tick(2)
    stage.assert_empty()


def test_transport_failed_asks_for_a_full_reconnect() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    stage.emit(TransportChanged(alice.sid, "failed"))
    leave = alice.last("leave")
    assert leave.action == rtc.LeaveRequest.RECONNECT
    assert stage.machine.counts()["participants"] == 0


def test_transport_closed_is_the_end_once_the_socket_is_gone_too() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    stage.emit(TransportChanged(alice.sid, "closed"))
    assert alice.close is None
    alice.lose_socket()
    assert stage.machine.counts()["participants"] == 0
    bob = stage.joined("bob")
    bob.lose_socket()
    stage.emit(TransportChanged(bob.sid, "closed"))
    assert stage.machine.counts()["participants"] == 0


def test_transport_closed_with_a_live_socket_does_not_stay_for_ever() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    stage.emit(TransportChanged(alice.sid, "closed"))
    stage.keep_alive(16)
    assert alice.last("leave").action == rtc.LeaveRequest.RECONNECT


def test_room_update_follows_changes_of_the_counts() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    stage.joined("bob")
    stage.tick(0.5)
    assert alice.last("room_update").room.num_participants == 2
    alice.publish()
    stage.tick(0.5)
    assert alice.last("room_update").room.num_publishers == 1
    stage.tick(0.5)
    assert not alice.take("room_update")


def test_shutdown_asks_everybody_to_come_back() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob", room="other")
    stage.run(stage.machine.shutdown(stage.now))
    for seat in (alice, bob):
        leave = seat.last("leave")
        assert leave.action == rtc.LeaveRequest.RECONNECT
        assert leave.reason == models.DisconnectReason.SERVER_SHUTDOWN
        assert seat.close is not None
    stage.assert_empty()
