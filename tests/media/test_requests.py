"""The rest a client may send: pings, candidates, metadata, faults to simulate, and nonsense."""

from __future__ import annotations

import json

import pytest
from livekit.protocol import models, rtc

from conclave.kernel.errors import NotFound, TooLarge
from conclave.media.engine import Permission
from conclave.media.signal import effects
from conclave.media.transport import EventsLost, ParticipantFailed
from tests.media.stage import Stage

pytestmark = pytest.mark.unit
Answer = rtc.RequestResponse.Reason
Reason = models.DisconnectReason


def test_both_kinds_of_ping() -> None:
    alice = Stage().joined("alice")
    alice.send(ping=5)
    assert alice.take("pong")
    alice.send(ping_req=rtc.Ping(timestamp=1234))
    assert alice.last("pong_resp").last_ping_timestamp == 1234


def test_candidates_wait_for_the_first_offer() -> None:
    stage = Stage()
    alice = stage.join("alice", publisher_offer=None)
    init = json.dumps({"candidate": "candidate:1 1 udp 1 127.0.0.1 9 typ host", "sdpMid": "0"})
    alice.send(trickle=rtc.TrickleRequest(candidateInit=init))
    assert [type(c) for c in stage.commands] == [effects.Open]
    alice.send(offer=rtc.SessionDescription(type="offer", sdp="v=0", id=1))
    line = "candidate:1 1 udp 1 127.0.0.1 9 typ host"
    assert stage.commands[1:] == [
        effects.Offer(alice.sid, 1, "v=0"),
        effects.Trickle(alice.sid, line),
    ]
    alice.send(trickle=rtc.TrickleRequest(candidateInit='{"candidate": ""}', final=True))
    assert stage.commands[-1] == effects.Trickle(alice.sid, "")


def test_candidates_for_a_second_connection_are_nobodys() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    alice.send(
        trickle=rtc.TrickleRequest(
            candidateInit='{"candidate": "candidate:1"}', target=rtc.SignalTarget.SUBSCRIBER
        )
    )
    assert not stage.commands


@pytest.mark.parametrize(
    "init",
    ["", "{", "[]", "1", '{"candidate": 1}', '{"candidate": "a\\nb"}', '{"candidate": "\\ud800"}',
     "[" * 3000, json.dumps({"candidate": "x" * 5000})],
)  # fmt: skip
def test_malformed_candidates_are_counted(init: str) -> None:
    stage = Stage()
    alice = stage.joined("alice")
    alice.send(trickle=rtc.TrickleRequest(candidateInit=init))
    assert stage.counts[-1] == ("malformed", "frame")
    assert not stage.commands


@pytest.mark.parametrize(
    "message",
    [
        {"offer": rtc.SessionDescription(type="answer", sdp="v=0")},
        {"offer": rtc.SessionDescription(type="offer")},
        {"answer": rtc.SessionDescription(type="answer", sdp="v=0")},
        {},
    ],
)
def test_what_no_correct_client_sends_is_counted(message: dict[str, object]) -> None:
    stage = Stage()
    alice = stage.joined("alice")
    alice.send(**message)
    assert stage.counts[-1] == ("malformed", "frame")
    assert not stage.commands


def test_twenty_malformed_frames_are_enough() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    for _ in range(19):
        alice.send_malformed()
    assert alice.close is None
    alice.send_malformed()
    assert alice.last("leave").action == rtc.LeaveRequest.DISCONNECT
    assert stage.machine.counts()["participants"] == 0


def test_floods_are_ended_but_bursts_are_not() -> None:
    stage = Stage(frames_per_second=10, frame_burst=50)
    alice = stage.joined("alice")
    for _ in range(50):
        alice.send(ping=1)
    assert alice.close is None
    stage.tick(1)
    for _ in range(10):
        alice.send(ping=1)
    assert alice.close is None
    alice.send(ping=1)
    assert alice.close is not None
    assert ("malformed", "flood") in stage.counts


def test_metadata_needs_permission() -> None:
    alice = Stage().joined("alice")
    alice.send(update_metadata=rtc.UpdateParticipantMetadata(name="Eve", request_id=3))
    answer = alice.last("request_response")
    assert (answer.request_id, answer.reason) == (3, Answer.NOT_ALLOWED)
    assert not alice.updates()


def test_metadata_name_and_attributes() -> None:
    stage = Stage()
    bob = stage.joined("bob")
    alice = stage.joined(
        "alice",
        permission=Permission(can_update_own_metadata=True),
        claims={"attributes": {"old": "1", "kept": "2"}},
    )
    bob.inbox.clear()
    alice.send(
        update_metadata=rtc.UpdateParticipantMetadata(
            name="Alice", metadata="m", attributes={"old": "", "hand": "up"}, request_id=4
        )
    )
    assert alice.last("request_response").reason == Answer.OK
    (info,) = bob.updates()
    assert (info.name, info.metadata) == ("Alice", "m")
    assert dict(info.attributes) == {"kept": "2", "hand": "up"}
    assert stage.tokens[-1].name == "Alice"
    assert alice.take("refresh_token")


@pytest.mark.parametrize(
    "fields",
    [{"name": "x" * 257}, {"metadata": "x" * 64_001}, {"attributes": {"a": "x" * 64_001}}],
)
def test_metadata_is_bounded(fields: dict[str, object]) -> None:
    stage = Stage()
    alice = stage.joined("alice", permission=Permission(can_update_own_metadata=True))
    alice.send(update_metadata=rtc.UpdateParticipantMetadata(**fields))  # type: ignore[arg-type]
    assert alice.last("request_response").reason == Answer.LIMIT_EXCEEDED
    assert not alice.updates()
    with pytest.raises(TooLarge):
        stage.machine.update_participant(
            "room",
            "alice",
            **({"permission": None, "name": None, "metadata": None, "attributes": None} | fields),  # type: ignore[arg-type]
            now=stage.now,
        )


@pytest.mark.parametrize(
    ("scenario", "action"),
    [
        ("server_leave", rtc.LeaveRequest.DISCONNECT),
        ("leave_request_full_reconnect", rtc.LeaveRequest.RECONNECT),
    ],
)
def test_simulated_leave(scenario: str, action: rtc.LeaveRequest.Action) -> None:
    alice = Stage().joined("alice")
    alice.send(simulate=rtc.SimulateScenario(**{scenario: True}))  # type: ignore[arg-type]
    assert alice.last("leave").action == action
    assert alice.close is not None


def test_simulated_node_failure_leaves_without_a_word() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    alice.send(simulate=rtc.SimulateScenario(node_failure=True))
    assert not alice.take("leave")
    assert alice.close is not None
    assert stage.resume(alice).last("leave").action == rtc.LeaveRequest.RECONNECT


def test_simulated_speaker_is_bounded() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    alice.send(simulate=rtc.SimulateScenario(speaker_update=9999))
    assert bob.last("speakers_changed").speakers[0].active
    stage.keep_alive(11)
    assert not bob.last("speakers_changed").speakers[0].active


@pytest.mark.parametrize(("bits", "cap"), [(300_000, 300_000), (0, None), (-5, None)])
def test_simulated_bandwidth(bits: int, cap: int | None) -> None:
    stage = Stage()
    alice = stage.joined("alice")
    alice.send(simulate=rtc.SimulateScenario(subscriber_bandwidth=bits))
    assert stage.commands == [effects.SetBandwidth(alice.sid, cap)]


@pytest.mark.parametrize(
    "scenario",
    [{"migration": True}, {"switch_candidate_protocol": rtc.CandidateProtocol.TCP}, {}],
)
def test_other_scenarios_are_refused_in_words(scenario: dict[str, object]) -> None:
    alice = Stage().joined("alice")
    alice.send(simulate=rtc.SimulateScenario(**scenario))  # type: ignore[arg-type]
    answer = alice.last("request_response")
    assert answer.reason == Answer.UNSUPPORTED_TYPE
    assert answer.message


def test_data_tracks_and_blobs_are_refused_in_words() -> None:
    alice = Stage().joined("alice")
    alice.send(publish_data_track_request=rtc.PublishDataTrackRequest(pub_handle=1, name="x"))
    alice.send(unpublish_data_track_request=rtc.UnpublishDataTrackRequest(pub_handle=1))
    alice.send(store_data_blob_request=rtc.StoreDataBlobRequest(request_id=8))
    alice.send(get_data_blob_request=rtc.GetDataBlobRequest(request_id=9))
    answers = alice.take("request_response")
    assert [a.reason for a in answers] == [Answer.UNSUPPORTED_TYPE] * 4
    assert answers[0].publish_data_track.name == "x"
    assert [a.request_id for a in answers[2:]] == [8, 9]
    alice.send(update_data_subscription=rtc.UpdateDataSubscription())
    alice.send(update_layers=rtc.UpdateVideoLayers())
    assert alice.close is None


def test_engine_fault_of_a_participant_lets_it_start_anew() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    stage.emit(ParticipantFailed(alice.sid, "panic"), EventsLost(3))
    assert alice.last("leave").action == rtc.LeaveRequest.RECONNECT
    assert bob.close is None
    assert ("refused", "engine_fault") in stage.counts


def test_kick_and_end() -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    stage.run(stage.machine.remove_participant("room", "alice", stage.now))
    assert alice.last("leave").reason == Reason.PARTICIPANT_REMOVED
    assert bob.updates()[-1].disconnect_reason == Reason.PARTICIPANT_REMOVED
    stage.run(stage.machine.delete_room("room", stage.now))
    assert bob.last("leave").reason == Reason.ROOM_DELETED
    stage.assert_empty()
    with pytest.raises(NotFound):
        stage.machine.delete_room("room", stage.now)
    with pytest.raises(NotFound):
        stage.machine.remove_participant("room", "bob", stage.now)


def test_data_from_the_server() -> None:
    stage = Stage()
    alice = stage.joined("alice")
    stage.joined("bob")
    stage.run(
        stage.machine.send_data(
            "room", b"hello", topic="t", reliable=True, identities=["alice", "x"], now=stage.now
        )
    )
    (command,) = [c for c in stage.commands if isinstance(c, effects.SendData)]
    assert command.destinations == (alice.sid,)
    packet = models.DataPacket.FromString(command.packet)
    assert (packet.user.payload, packet.user.topic) == (b"hello", "t")
    stage.commands.clear()
    for identities, expected in ((["x"], 0), ([], 1)):
        stage.run(
            stage.machine.send_data(
                "room", b"", topic="", reliable=False, identities=identities, now=stage.now
            )
        )
        assert len(stage.commands) == expected
    with pytest.raises(TooLarge):
        stage.machine.send_data(
            "room", b"x" * 64_001, topic="", reliable=True, identities=[], now=stage.now
        )
