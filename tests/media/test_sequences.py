"""Random lives of a room: whatever clients and engine do in whatever order, the invariants hold.

The invariants themselves are in `Stage._check`, which runs after every turn.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from livekit.protocol import models, rtc

from conclave.media.engine import ParticipantJoined, ParticipantLeft, Permission
from conclave.media.signal.wire import Unreadable, parse_frame
from conclave.media.transport import (
    Answered,
    Offered,
    OfferRejected,
    ParticipantFailed,
    Subscribed,
    SubscriptionFailed,
    TrackActive,
    TrackEnded,
    TransportChanged,
)
from tests.media.stage import Seat, Stage

pytestmark = pytest.mark.unit

NAMES = ("alice", "bob", "carol")
who = st.sampled_from(NAMES)
number = st.integers(0, 5)
flag = st.booleans()

steps = st.lists(
    st.one_of(
        st.tuples(st.just("join"), who, flag, flag),
        st.tuples(st.just("resume"), who, flag, flag),
        st.tuples(st.just("join_dual"), who, flag),
        st.tuples(st.just("resume_dual"), who),
        st.tuples(st.just("offered"), who, number),
        st.tuples(st.just("answer"), who, number),
        st.tuples(st.just("candidate"), who, flag),
        st.tuples(st.just("lose"), who),
        st.tuples(st.just("leave"), who),
        st.tuples(st.just("kick"), who),
        st.tuples(st.just("add"), who, number, flag),
        st.tuples(st.just("offer"), who, number),
        st.tuples(st.just("answered"), who, number),
        st.tuples(st.just("active"), number),
        st.tuples(st.just("ended"), number),
        st.tuples(st.just("mute"), who, number, flag),
        st.tuples(st.just("subscribe"), who, number, flag),
        st.tuples(st.just("disable"), who, number, flag),
        st.tuples(st.just("allow"), who, who, flag),
        st.tuples(st.just("bound"), who, number),
        st.tuples(st.just("unbound"), who, number),
        st.tuples(st.just("permission"), who, flag, flag, flag),
        st.tuples(st.just("transport"), who, st.sampled_from(["connected", "failed", "closed"])),
        st.tuples(st.just("fault"), who, flag),
        st.tuples(st.just("sync"), who, number, flag),
        st.tuples(st.just("simulate"), who, st.sampled_from(["node_failure", "server_leave"])),
        st.tuples(st.just("malformed"), who),
        st.tuples(st.just("wait"), st.floats(0, 12)),
        st.tuples(st.just("end")),
    ),
    max_size=80,
)


class Play:
    def __init__(self) -> None:
        self.stage = Stage(tracks_per_participant=3, participants_per_room=3)
        self.seats: dict[str, Seat] = {}
        self.sids: list[str] = ["TR_unknown"]

    def track(self, index: int) -> str:
        return self.sids[-1 - index % len(self.sids)]

    def publisher(self, track: str) -> str:
        known = self.stage.machine.world.tracks.get(track)
        return known.publisher.sid if known else "PA_unknown"

    def sid(self, name: str) -> str:
        room = self.stage.machine.world.rooms.get("room")
        participant = room.participants.get(name) if room else None
        return participant.sid if participant else "PA_unknown"

    def send(self, name: str, **message: Any) -> None:
        if name in self.seats:
            self.seats[name].send(**message)

    def step(self, kind: str, *args: Any) -> None:
        stage = self.stage
        match kind, *args:
            case "join", name, can_publish, auto:
                permission = Permission(can_publish=can_publish, hidden=not auto)
                self.seats[name] = stage.join(name, permission=permission, auto_subscribe=auto)
            case "resume", name, good, offer:
                if name in self.seats:
                    sid = self.sid(name) if good else "PA_wrong"
                    more: dict[str, Any] = {}
                    if offer:
                        more["publisher_offer"] = rtc.SessionDescription(type="offer", sdp="v=0")
                    self.seats[name] = stage.resume(self.seats[name], sid=sid, **more)
            case "join_dual", name, can_subscribe:
                permission = Permission(can_subscribe=can_subscribe)
                self.seats[name] = stage.join(name, permission=permission, dual=True)
            case "resume_dual", name:
                if name in self.seats:
                    self.seats[name] = stage.resume(self.seats[name], sid=self.sid(name), dual=True)
            case "offered", name, offer_id:
                stage.emit(Offered(self.sid(name), offer_id, "v=0", {"1": self.track(offer_id)}))
            case "answer", name, offer_id:
                answer = rtc.SessionDescription(type="answer", sdp="v=0", id=offer_id)
                self.send(name, answer=answer)
            case "candidate", name, is_subscriber:
                trickle = rtc.TrickleRequest(
                    candidateInit='{"candidate": "candidate:1"}',
                    target=rtc.SUBSCRIBER if is_subscriber else rtc.PUBLISHER,
                )
                self.send(name, trickle=trickle)
            case "lose", name:
                if name in self.seats:
                    self.seats[name].lose_socket()
            case "leave", name:
                self.send(name, leave=rtc.LeaveRequest())
            case "kick", name:
                if self.sid(name) != "PA_unknown":
                    stage.run(stage.machine.remove_participant("room", name, stage.now))
            case "add", name, cid, muted:
                video = models.TrackType.VIDEO
                self.send(
                    name, add_track=rtc.AddTrackRequest(cid=f"c{cid}", type=video, muted=muted)
                )
                self.sids = ["TR_unknown", *stage.machine.world.tracks]
            case "offer", name, offer_id:
                offer = rtc.SessionDescription(type="offer", sdp=f"v=0 c{offer_id}", id=offer_id)
                self.send(name, offer=offer)
            case "answered", name, offer_id:
                mids = {"1": self.track(offer_id)}
                stage.emit(Answered(self.sid(name), offer_id, "v=0", mids))
            case "active", index:
                sid = self.track(index)
                stage.emit(TrackActive(self.publisher(sid), sid, "video/VP8", "1"))
            case "ended", index:
                sid = self.track(index)
                stage.emit(TrackEnded(self.publisher(sid), sid))
            case "mute", name, index, muted:
                self.send(name, mute=rtc.MuteTrackRequest(sid=self.track(index), muted=muted))
            case "subscribe", name, index, subscribe:
                self.send(
                    name,
                    subscription=rtc.UpdateSubscription(
                        track_sids=[self.track(index)], subscribe=subscribe
                    ),
                )
            case "disable", name, index, disabled:
                setting = rtc.UpdateTrackSettings(track_sids=[self.track(index)], disabled=disabled)
                self.send(name, track_setting=setting)
            case "allow", name, other, everybody:
                entry = rtc.TrackPermission(participant_identity=other, all_tracks=True)
                permission_ = rtc.SubscriptionPermission(
                    all_participants=everybody, track_permissions=[entry]
                )
                self.send(name, subscription_permission=permission_)
            case "bound", name, index:
                stage.emit(Subscribed(self.sid(name), self.track(index), "2"))
            case "unbound", name, index:
                failed = SubscriptionFailed(self.sid(name), self.track(index), "codec_unsupported")
                stage.emit(failed)
            case "permission", name, publish, subscribe, hidden:
                if self.sid(name) != "PA_unknown":
                    stage.run(
                        stage.machine.update_participant(
                            "room",
                            name,
                            permission=Permission(
                                can_publish=publish, can_subscribe=subscribe, hidden=hidden
                            ),
                            name=None,
                            metadata=None,
                            attributes=None,
                            now=stage.now,
                        )
                    )
            case "transport", name, state:
                stage.emit(TransportChanged(self.sid(name), state))
            case "fault", name, panic:
                sid = self.sid(name)
                stage.emit(ParticipantFailed(sid, "x") if panic else OfferRejected(sid, 1, "x"))
            case "sync", name, index, subscribe:
                self.send(
                    name,
                    sync_state=rtc.SyncState(
                        subscription=rtc.UpdateSubscription(
                            track_sids=[self.track(index)], subscribe=subscribe
                        ),
                        track_sids_disabled=[self.track(index)],
                    ),
                )
            case "simulate", name, scenario:
                self.send(name, simulate=rtc.SimulateScenario(**{scenario: True}))  # type: ignore[arg-type]
            case "malformed", name:
                if name in self.seats:
                    self.seats[name].send_malformed()
            case "wait", seconds:
                stage.tick(seconds)
            case "end", *_:
                if "room" in stage.machine.world.rooms:
                    stage.run(stage.machine.delete_room("room", stage.now))


@settings(max_examples=300)
@given(steps)
def test_invariants_hold_and_nothing_is_left_behind(lives: list[tuple[Any, ...]]) -> None:
    play = Play()
    for kind, *args in lives:
        play.step(kind, *args)
    # Without sockets everybody leaves in the end, and the room closes.
    for seat in play.stage.seats.values():
        seat.lose_socket()
    play.stage.tick(30)
    play.stage.tick(400)
    play.stage.assert_empty()
    joined = [e for e in play.stage.events if isinstance(e, ParticipantJoined)]
    left = [e for e in play.stage.events if isinstance(e, ParticipantLeft)]
    assert sorted(e.identity for e in joined) == sorted(e.identity for e in left)


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=200), max_size=30))
def test_any_frames_are_survived(frames: list[bytes]) -> None:
    stage = Stage()
    alice, bob = stage.joined("alice"), stage.joined("bob")
    for frame in frames:
        try:
            request = parse_frame(frame)
        except Unreadable:
            alice.send_malformed()
        else:
            stage.run(stage.machine.handle(alice.connection, request, stage.now))
    assert bob.close is None
