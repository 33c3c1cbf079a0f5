"""A lost socket: the grace period, the resume, what was missed, and when it is too late."""

from __future__ import annotations

import pytest
from livekit.protocol import models, rtc

from conclave.media.engine import Permission
from conclave.media.signal import effects
from conclave.media.tokens import Claims
from conclave.media.transport import SectionsNeeded, SubscriptionFailed, TransportChanged
from tests.media.stage import Seat, Stage

pytestmark = pytest.mark.unit
State = models.ParticipantInfo.State
Reason = models.DisconnectReason


def _pair() -> tuple[Stage, Seat, Seat]:
    stage = Stage()
    return stage, stage.joined("alice"), stage.joined("bob")


def test_others_do_not_notice_a_socket_that_comes_back() -> None:
    stage, alice, bob = _pair()
    alice.lose_socket()
    stage.tick(10)
    fresh = stage.resume(alice, sequence=42)
    assert fresh.kinds()[:3] == ["reconnect", "update", "room_update"]
    reconnect = fresh.inbox[0].reconnect
    assert reconnect.last_message_seq == 42
    assert not reconnect.ice_servers
    assert reconnect.server_info.protocol == 17
    assert fresh.take("refresh_token")
    assert not bob.updates()
    assert ("resumes", "resumed") in stage.counts
    fresh.send(ping_req=rtc.Ping(timestamp=7))
    assert fresh.last("pong_resp").last_ping_timestamp == 7


def test_grace_period_ends() -> None:
    stage, alice, bob = _pair()
    sid = alice.sid
    alice.lose_socket()
    stage.keep_alive(19.5)
    assert not bob.updates()
    stage.keep_alive(1)
    (gone,) = bob.updates()
    assert (gone.sid, gone.state) == (sid, State.DISCONNECTED)
    assert gone.disconnect_reason == Reason.CONNECTION_TIMEOUT
    assert effects.Close(sid) in stage.commands


def test_silence_counts_as_a_lost_socket() -> None:
    stage, alice, _ = _pair()
    stage.tick(14)
    assert alice.close is None
    stage.tick(2)
    assert alice.close is not None
    assert not alice.take("leave"), "a client that is told to leave would not come back"
    assert stage.resume(alice).kinds()[0] == "reconnect"


def test_old_socket_is_replaced_when_the_client_comes_back_first() -> None:
    stage, alice, _ = _pair()
    fresh = stage.resume(alice)
    assert alice.close is not None
    assert fresh.kinds()[0] == "reconnect"
    # The end of the old socket says nothing about the participant any more.
    alice.lose_socket()
    fresh.send(ping=1)
    assert "pong" in fresh.kinds()


@pytest.mark.parametrize("sid", ["PA_wrong", "PA_000002"])
def test_unknown_participant_starts_anew(sid: str) -> None:
    stage, _, bob = _pair()
    stranger = Seat(stage, 0, Claims(identity="carol", room="room"))
    fresh = stage.resume(stranger, sid=sid)
    assert fresh.kinds() == ["leave"]
    leave = fresh.inbox[0].leave
    assert (leave.action, leave.reason) == (rtc.LeaveRequest.RECONNECT, Reason.STATE_MISMATCH)
    assert fresh.close is not None
    assert stage.resume(bob, sid="PA_wrong").kinds() == ["leave"]
    assert ("resumes", "unknown") in stage.counts


def test_resume_brings_who_came_and_who_left() -> None:
    stage, alice, bob = _pair()
    bob_sid = bob.sid
    alice.lose_socket()
    bob.send(leave=rtc.LeaveRequest())
    carol = stage.joined("carol")
    track = carol.publish()
    fresh = stage.resume(alice)
    infos = {info.identity: info for info in fresh.updates()}
    assert infos["bob"].sid == bob_sid
    assert infos["bob"].state == State.DISCONNECTED
    assert infos["carol"].tracks[0].sid == track
    assert infos["alice"].state == State.ACTIVE
    # The subscription went on meanwhile.
    assert effects.Subscribe(fresh.sid, track) in stage.commands


def test_frames_that_matter_wait_for_the_resume() -> None:
    stage, alice, bob = _pair()
    track = alice.publish()
    alice.lose_socket()
    stage.emit(SectionsNeeded(alice.sid, 1, 0))
    stage.run(stage.machine.mute_track("room", "alice", track, muted=True, now=stage.now))
    fresh = stage.resume(alice)
    assert fresh.last("mute").sid == track
    # The engine asks again after the offer that follows; twice the sections would be too many.
    assert not fresh.take("media_sections_requirement")
    assert bob.close is None


def test_too_much_missed_means_a_full_reconnect() -> None:
    stage = Stage(backlog=3)
    alice = stage.joined("alice")
    alice.lose_socket()
    for _ in range(5):
        stage.emit(SubscriptionFailed(alice.sid, "TR_x", "track_unknown"))
    leave = stage.resume(alice).last("leave")
    assert leave.action == rtc.LeaveRequest.RECONNECT


def test_sync_state_reconciles() -> None:
    stage, alice, bob = _pair()
    one, two = bob.publish("1"), bob.publish("2")
    mine = alice.publish("mic")
    alice.lose_socket()
    fresh = stage.resume(alice)
    stage.commands.clear()
    fresh.send(
        sync_state=rtc.SyncState(
            subscription=rtc.UpdateSubscription(track_sids=[one, "TR_gone"], subscribe=False),
            track_sids_disabled=[two, "TR_gone"],
            publish_tracks=[
                rtc.TrackPublishedResponse(cid="mic", track=models.TrackInfo(sid=mine))
            ],
            datachannel_receive_states=[
                rtc.DataChannelReceiveState(publisher_sid=bob.sid, last_seq=9),
                rtc.DataChannelReceiveState(publisher_sid="PA_x", last_seq=1),
            ],
        )
    )
    assert stage.commands == [
        effects.Unsubscribe(alice.sid, one),
        effects.Pause(alice.sid, two, True),
        effects.ReplayData(alice.sid, {bob.sid: 9}),
    ]
    assert fresh.close is None


def test_sync_state_with_a_track_that_never_was_here_starts_anew() -> None:
    stage, alice, _ = _pair()
    alice.lose_socket()
    fresh = stage.resume(alice)
    published = rtc.TrackPublishedResponse(cid="x", track=models.TrackInfo(sid="TR_x"))
    fresh.send(sync_state=rtc.SyncState(publish_tracks=[published]))
    leave = fresh.last("leave")
    assert (leave.action, leave.reason) == (rtc.LeaveRequest.RECONNECT, Reason.STATE_MISMATCH)


def test_sync_state_inside_the_reconnect_request_counts_too() -> None:
    stage, alice, bob = _pair()
    sid, track = alice.sid, bob.publish()
    alice.lose_socket()
    stage.commands.clear()
    unsubscribe = rtc.UpdateSubscription(track_sids=[track], subscribe=False)
    offer = rtc.SessionDescription(type="offer", sdp="v=0", id=3)
    fresh = stage.resume(
        alice, sync_state=rtc.SyncState(subscription=unsubscribe), publisher_offer=offer
    )
    assert stage.commands == [
        effects.Unsubscribe(sid, track),
        effects.Offer(sid, 3, "v=0"),
    ]
    fresh.lose_socket()
    stage.commands.clear()
    published = rtc.TrackPublishedResponse(cid="x", track=models.TrackInfo(sid="TR_x"))
    again = stage.resume(
        alice, sync_state=rtc.SyncState(publish_tracks=[published]), publisher_offer=offer
    )
    assert again.last("leave").action == rtc.LeaveRequest.RECONNECT
    assert stage.commands == [effects.Close(sid)]


def test_sync_state_may_name_a_track_that_was_taken_away_meanwhile() -> None:
    stage, alice, _ = _pair()
    track = alice.publish()
    alice.lose_socket()
    stage.run(
        stage.machine.update_participant(
            "room",
            "alice",
            permission=Permission(can_publish=False),
            name=None,
            metadata=None,
            attributes=None,
            now=stage.now,
        )
    )
    fresh = stage.resume(alice)
    assert fresh.last("track_unpublished").track_sid == track
    published = rtc.TrackPublishedResponse(cid="x", track=models.TrackInfo(sid=track))
    fresh.send(sync_state=rtc.SyncState(publish_tracks=[published]))
    assert fresh.close is None


def test_ice_restart_goes_through_and_saves_a_failed_transport() -> None:
    stage, alice, bob = _pair()
    alice.lose_socket()
    stage.emit(TransportChanged(alice.sid, "disconnected"), TransportChanged(alice.sid, "failed"))
    fresh = stage.resume(alice)
    assert fresh.kinds()[0] == "reconnect"
    fresh.send(offer=rtc.SessionDescription(type="offer", sdp="v=0 restart", id=5))
    assert effects.Offer(fresh.sid, 5, "v=0 restart") in stage.commands
    fresh.connect()
    stage.keep_alive(40)
    assert fresh.close is None
    assert bob.close is None


def test_tokens_are_refreshed_every_five_minutes() -> None:
    stage, alice, _ = _pair()
    stage.keep_alive(299)
    assert not alice.take("refresh_token")
    stage.keep_alive(2)
    assert len(alice.take("refresh_token")) == 1
    stage.keep_alive(300)
    assert len(alice.take("refresh_token")) == 1


@pytest.mark.parametrize(
    ("scenario", "kinds"),
    [
        ("disconnect_signal_on_resume", ["reconnect", "update", "room_update", "refresh_token"]),
        ("disconnect_signal_on_resume_no_messages", []),
    ],
)
def test_simulated_fault_on_resume(scenario: str, kinds: list[str]) -> None:
    stage, alice, _ = _pair()
    alice.send(simulate=rtc.SimulateScenario(**{scenario: True}))  # type: ignore[arg-type]
    alice.lose_socket()
    first = stage.resume(alice)
    assert first.kinds() == kinds
    assert first.close is not None
    first.lose_socket()
    second = stage.resume(alice)
    assert second.kinds()[0] == "reconnect"
    assert second.close is None
