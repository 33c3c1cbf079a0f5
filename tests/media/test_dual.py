"""Clients of two connections: the transport offers on one of them, and what follows from that."""

from __future__ import annotations

import pytest
from livekit.protocol import models, rtc

from conclave.media.engine import Permission
from conclave.media.signal import effects
from conclave.media.transport import (
    Answered,
    Offered,
    ParticipantFailed,
    SectionsNeeded,
    TransportChanged,
)
from tests.media.stage import Seat, Stage

pytestmark = pytest.mark.unit


def answer(seat: Seat, offer_id: int, sdp: str = "v=0 answer") -> None:
    seat.send(answer=rtc.SessionDescription(type="answer", sdp=sdp, id=offer_id))


def test_join_opens_two_connections_and_names_the_primary_one() -> None:
    stage = Stage()
    alice = stage.join("alice", dual=True)
    assert alice.inbox[0].join.subscriber_primary
    (opened,) = stage.commands
    assert isinstance(opened, effects.Open)
    assert opened.dual
    bob = stage.join("bob", dual=True, permission=Permission(can_subscribe=False))
    assert not bob.inbox[0].join.subscriber_primary
    carol = stage.join("carol")
    assert not carol.inbox[0].join.subscriber_primary


def test_the_transports_offer_goes_out_and_its_answer_back() -> None:
    stage = Stage()
    alice = stage.join("alice", dual=True)
    stage.emit(Offered(alice.sid, 7, "v=0 offer", {"1": "TR_x"}))
    offer = alice.last("offer")
    assert (offer.type, offer.sdp, offer.id) == ("offer", "v=0 offer", 7)
    assert dict(offer.mid_to_track_id) == {"1": "TR_x"}
    stage.commands.clear()
    answer(alice, 6)
    assert not stage.commands, "an answer to another offer"
    answer(alice, 7)
    answer(alice, 0)
    assert stage.commands == [
        effects.Answer(alice.sid, 7, "v=0 answer"),
        effects.Answer(alice.sid, 0, "v=0 answer"),
    ]


def test_its_own_offer_is_answered_as_ever() -> None:
    stage = Stage()
    alice = stage.joined("alice", dual=True)
    alice.send(offer=rtc.SessionDescription(type="offer", sdp="v=0", id=3))
    assert stage.commands == [effects.Offer(alice.sid, 3, "v=0")]
    stage.emit(Answered(alice.sid, 3, "v=0 answer", {}))
    assert alice.last("answer").id == 3
    # The first answer of a connected client sets no new deadline.
    stage.keep_alive(60)
    assert alice.close is None


def test_answers_that_nobody_asked_for_are_malformed() -> None:
    stage = Stage(malformed_frames=4)
    alice = stage.join("alice", dual=True)
    bob = stage.join("bob")
    answer(alice, 1)
    answer(bob, 1)
    stage.emit(Offered(alice.sid, 1, "v=0", {}))
    alice.send(answer=rtc.SessionDescription(type="offer", sdp="v=0", id=1))
    alice.send(answer=rtc.SessionDescription(type="answer", id=1))
    assert stage.counts.count(("malformed", "frame")) == 4
    assert alice.close is None
    answer(bob, 1)
    answer(bob, 1)
    answer(bob, 1)
    assert bob.close is not None
    assert not any(isinstance(c, effects.Answer) for c in stage.commands)


def test_candidates_of_either_connection() -> None:
    stage = Stage()
    alice = stage.join("alice", dual=True)
    stage.commands.clear()
    init = '{"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host"}'
    for target in (rtc.SUBSCRIBER, rtc.PUBLISHER):
        alice.send(trickle=rtc.TrickleRequest(candidateInit=init, target=target))
    assert not stage.commands, "nothing to add them to yet"
    stage.emit(Offered(alice.sid, 1, "v=0", {}))
    alice.send(trickle=rtc.TrickleRequest(candidateInit=init, target=rtc.SUBSCRIBER))
    assert [type(c) for c in stage.commands] == [effects.Trickle]
    alice.send(offer=rtc.SessionDescription(type="offer", sdp="v=0", id=1))
    assert [type(c) for c in stage.commands[1:]] == [effects.Offer, effects.Trickle]
    alice.send(trickle=rtc.TrickleRequest(candidateInit="{", target=rtc.SUBSCRIBER))
    assert ("malformed", "frame") in stage.counts


def test_who_never_connects_is_dropped() -> None:
    stage = Stage()
    alice = stage.join("alice", dual=True)
    stage.emit(Offered(alice.sid, 1, "v=0", {}))
    stage.keep_alive(10)
    # The other connection's answer is not what it is waited for.
    stage.emit(Answered(alice.sid, 1, "v=0", {}))
    stage.keep_alive(4)
    assert alice.close is None
    stage.keep_alive(2)
    assert alice.last("leave").reason == models.DisconnectReason.JOIN_FAILURE


def test_who_may_not_subscribe_has_time_from_its_own_offer_on() -> None:
    stage = Stage()
    alice = stage.join("alice", dual=True, permission=Permission(can_subscribe=False))
    stage.keep_alive(20)
    stage.emit(Answered(alice.sid, 1, "v=0", {}))
    stage.keep_alive(14)
    assert alice.close is None
    alice.connect()
    stage.keep_alive(60)
    assert alice.close is None


def test_a_client_that_cannot_be_served_starts_anew() -> None:
    stage = Stage()
    alice = stage.joined("alice", dual=True)
    stage.emit(ParticipantFailed(alice.sid, "the client does not answer our offer"))
    leave = alice.last("leave")
    assert leave.action == rtc.LeaveRequest.RECONNECT
    bob = stage.joined("bob", dual=True)
    stage.emit(TransportChanged(bob.sid, "failed"))
    assert bob.last("leave").action == rtc.LeaveRequest.RECONNECT


def test_it_is_never_asked_for_sections() -> None:
    stage = Stage()
    alice = stage.joined("alice", dual=True)
    stage.emit(SectionsNeeded(alice.sid, 1, 1))
    assert "media_sections_requirement" not in alice.kinds()


def test_a_resume_offers_new_credentials_and_repeats_no_offer() -> None:
    stage = Stage()
    alice = stage.joined("alice", dual=True)
    alice.lose_socket()
    stage.emit(Offered(alice.sid, 2, "v=0 nobody sees this", {}))
    sid = alice.sid
    again = stage.resume(alice, sid=sid, dual=True)
    assert again.kinds()[0] == "reconnect"
    assert "offer" not in again.kinds()
    assert effects.RestartIce(sid) in stage.commands
    stage.emit(Offered(sid, 3, "v=0", {}))
    stage.commands.clear()
    answer(again, 2)
    answer(again, 3)
    assert stage.commands == [effects.Answer(sid, 3, "v=0 answer")]
    stage.keep_alive(60)
    assert again.close is None


def test_a_resume_with_another_number_of_connections_starts_anew() -> None:
    stage = Stage()
    for name, dual in (("alice", True), ("bob", False)):
        seat = stage.joined(name, dual=dual)
        seat.lose_socket()
        again = stage.resume(seat, dual=not dual)
        assert again.last("leave").action == rtc.LeaveRequest.RECONNECT
        assert again.close is not None
    assert not any(isinstance(c, effects.RestartIce) for c in stage.commands)


def test_resume_of_one_connection_restarts_nothing() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    alice.lose_socket()
    stage.resume(alice)
    assert not any(isinstance(c, effects.RestartIce) for c in stage.commands)
