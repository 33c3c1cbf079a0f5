"""Frames on a signalling socket, in both forms, while the transport tells of this and that."""

from __future__ import annotations

from typing import Any

from google.protobuf import json_format
from livekit.protocol import models, rtc
from tests.media.stage import OFFER, Seat, Stage

from conclave.media.engine import Permission
from conclave.media.signal.wire import MAX_FRAME, Unreadable, parse_frame
from conclave.media.transport import (
    Answered,
    Offered,
    OfferRejected,
    Subscribed,
    SubscriptionFailed,
    TrackActive,
    TrackEnded,
    TransportChanged,
    TransportEvent,
)
from fuzzing.dice import Dice, Parser
from fuzzing.messages import Messages

_Setting = rtc.UpdateTrackSettings
SEEDS = [
    rtc.SignalRequest(**fields)  # type: ignore[arg-type]
    for fields in (
        {"ping": 1},
        {"ping_req": rtc.Ping(timestamp=1, rtt=2)},
        {"offer": rtc.SessionDescription(type="offer", sdp=OFFER, id=2)},
        {"answer": rtc.SessionDescription(type="answer", sdp=OFFER, id=1)},
        {"trickle": rtc.TrickleRequest(
            candidateInit='{"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host"}',
            target=rtc.PUBLISHER)},
        {"add_track": rtc.AddTrackRequest(
            cid="c1", name="camera", type=models.TrackType.VIDEO,
            source=models.TrackSource.CAMERA, width=640, height=480, muted=False,
            layers=[models.VideoLayer(quality=models.VideoQuality.HIGH, width=640, ssrc=7)],
            simulcast_codecs=[rtc.SimulcastCodec(codec="vp8", cid="c1")],
            stream="camera", encryption=models.Encryption.GCM)},
        {"add_track": rtc.AddTrackRequest(
            cid="c2", type=models.TrackType.AUDIO, source=models.TrackSource.MICROPHONE,
            disable_dtx=True, stereo=True, audio_features=[0, 1])},
        {"mute": rtc.MuteTrackRequest(sid="TR_000005", muted=True)},
        {"subscription": rtc.UpdateSubscription(
            track_sids=["TR_000005"], subscribe=True,
            participant_tracks=[models.ParticipantTracks(
                participant_sid="PA_000003", track_sids=["TR_000005"])])},
        {"track_setting": _Setting(
            track_sids=["TR_000005"], quality=models.VideoQuality.LOW, width=320, height=180,
            fps=15, priority=1)},
        {"track_setting": _Setting(track_sids=["TR_000005"], disabled=True)},
        {"subscription_permission": rtc.SubscriptionPermission(
            all_participants=False,
            track_permissions=[rtc.TrackPermission(
                participant_identity="bob", participant_sid="PA_000003",
                track_sids=["TR_000005"], all_tracks=True)])},
        {"leave": rtc.LeaveRequest(can_reconnect=True, reason=1)},
        {"sync_state": rtc.SyncState(
            subscription=rtc.UpdateSubscription(track_sids=["TR_000005"], subscribe=False),
            publish_tracks=[rtc.TrackPublishedResponse(
                cid="c1", track=models.TrackInfo(sid="TR_000005"))],
            offer=rtc.SessionDescription(type="offer", sdp=OFFER),
            answer=rtc.SessionDescription(type="answer", sdp=OFFER),
            track_sids_disabled=["TR_000005"],
            datachannel_receive_states=[
                rtc.DataChannelReceiveState(publisher_sid="PA_000003", last_seq=9)],
            data_channels=[rtc.DataChannelInfo(label="_reliable", id=1)])},
        {"update_metadata": rtc.UpdateParticipantMetadata(
            name="Al", metadata="m", attributes={"a": "b"}, request_id=7)},
        {"update_audio_track": rtc.UpdateLocalAudioTrack(track_sid="TR_000005", features=[1])},
        {"update_video_track": rtc.UpdateLocalVideoTrack(
            track_sid="TR_000005", width=64, height=48)},
        {"update_layers": rtc.UpdateVideoLayers(track_sid="TR_000005")},
        {"simulate": rtc.SimulateScenario(speaker_update=3)},
        {"simulate": rtc.SimulateScenario(subscriber_bandwidth=100_000)},
        {"simulate": rtc.SimulateScenario(node_failure=True)},
    )
]  # fmt: skip
NAMES = ("alice", "bob", "carol")


class Frames(Parser):
    """The first byte says whose frame it is, and in which form."""

    INPUTS = 400

    def __init__(self) -> None:
        self.messages = Messages(SEEDS)
        self.stage = Stage(tracks_per_participant=5, participants_per_room=3)
        self.seats: dict[str, Seat] = {}
        self.permission = Permission(can_update_own_metadata=True)

    def damaged(self, dice: Dice) -> bytes:
        who = dice.roll(len(NAMES))
        if dice.one_in(3):
            return bytes([2 * who + 1]) + self.messages.damaged_json(dice)
        return bytes([2 * who]) + self.messages.damaged(dice)

    async def take(self, dice: Dice, data: bytes) -> bool:
        name, is_text = NAMES[data[0] // 2 % len(NAMES)], data[0] % 2 == 1
        self._be_there(dice, name)
        seat, stage = self.seats[name], self.stage
        frame = data[1:].decode("utf-8", "replace") if is_text else data[1:]
        request: rtc.SignalRequest | None = None
        try:
            request = parse_frame(frame)
            assert len(frame) <= MAX_FRAME
        except Unreadable:
            pass
        stage.run(stage.machine.handle(seat.connection, request, stage.now))
        if dice.one_in(3):
            stage.emit(self._happens(dice))
        if dice.one_in(10):
            stage.tick(dice.random.random() * 3)
        for each in stage.seats.values():
            for message in each.inbox:
                json_format.MessageToJson(message)
            each.inbox.clear()
        # What a stage notes for its tests, and a server does not.
        for notes in (stage.commands, stage.events, stage.notices, stage.counts, stage.tokens):
            notes.clear()
        assert len(stage.machine.world.tracks) <= 15
        assert len(stage.machine.world.by_sid) <= 3
        return request is not None

    def _be_there(self, dice: Dice, name: str) -> None:
        seat = self.seats.get(name)
        world = self.stage.machine.world
        if seat is not None and seat.connection in world.by_connection:
            if dice.one_in(60):
                self.seats[name].lose_socket()
                self.seats[name] = self.stage.resume(seat, sid=world_sid(self.stage, name))
            return
        dual = name == "carol"
        self.seats[name] = self.stage.join(name, permission=self.permission, dual=dual)

    def _happens(self, dice: Dice) -> TransportEvent:
        """The transport is ours; the clients to whom it listens are not."""
        world = self.stage.machine.world
        who = dice.pick([*world.by_sid, "PA_unknown"])
        track = dice.pick([*world.tracks, "TR_unknown"])
        known = world.tracks.get(track)
        publisher = known.publisher.sid if known else who
        events: tuple[Any, ...] = (
            Answered(who, dice.roll(4), "v=0", {"1": track}),
            Offered(who, dice.roll(4), "v=0", {"1": track}),
            OfferRejected(who, dice.roll(4), "x"),
            TransportChanged(who, dice.pick(("connected", "connected", "failed", "closed"))),
            TrackActive(publisher, track, dice.pick(("video/VP8", "audio/opus")), "1"),
            TrackEnded(publisher, track),
            Subscribed(who, track, "2"),
            SubscriptionFailed(who, track, "codec_unsupported"),
        )
        event: TransportEvent = dice.pick(events)
        return event

    async def stop(self) -> None:
        for seat in self.seats.values():
            seat.lose_socket()
        self.stage.tick(30)
        self.stage.tick(400)
        self.stage.assert_empty()


def world_sid(stage: Stage, name: str) -> str:
    room = stage.machine.world.rooms.get("room")
    participant = room.participants.get(name) if room else None
    return participant.sid if participant else "PA_unknown"
