"""A stage for signalling without sockets: participants with inboxes, a clock that tests move.

`Stage` carries out what the machine wants in memory and checks the machine's invariants after every
turn, so that each test is also a test of those.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from livekit.protocol import models, rtc, webhook

from conclave.media.engine import Permission, RoomEvent
from conclave.media.signal import Instant, Limits, Signalling, effects
from conclave.media.tokens import Claims
from conclave.media.transport import (
    Answered,
    Offered,
    TrackActive,
    TransportChanged,
    TransportEvent,
)

OFFER = "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:0\r\n"


@dataclass
class Seat:
    """One client's side of a socket."""

    stage: Stage
    connection: int
    claims: Claims
    inbox: list[rtc.SignalResponse] = field(default_factory=list)
    close: effects.CloseSocket | None = None

    @property
    def sid(self) -> str:
        for message in self.inbox:
            if message.HasField("join"):
                return message.join.participant.sid
        return self.stage.machine.participant(self.claims.room, self.claims.identity).sid

    def kinds(self) -> list[str | None]:
        return [message.WhichOneof("message") for message in self.inbox]

    def take(self, kind: str) -> list[Any]:
        """All messages of a kind, and out of the inbox."""
        found = [getattr(m, kind) for m in self.inbox if m.WhichOneof("message") == kind]
        self.inbox = [m for m in self.inbox if m.WhichOneof("message") != kind]
        return found

    def last(self, kind: str) -> Any:
        found = self.take(kind)
        assert found, f"no {kind} in {self.kinds()}"
        return found[-1]

    def updates(self) -> list[models.ParticipantInfo]:
        return [info for update in self.take("update") for info in update.participants]

    def send(self, **message: Any) -> None:
        self.stage.send(self, rtc.SignalRequest(**message))

    def send_malformed(self) -> None:
        self.stage.run(self.stage.machine.handle(self.connection, None, self.stage.now))

    def add_track(
        self,
        cid: str = "cid",
        kind: str = "audio",
        source: models.TrackSource = models.TrackSource.MICROPHONE,
        **more: Any,
    ) -> str:
        """Announce a track; its sid."""
        number = models.TrackType.AUDIO if kind == "audio" else models.TrackType.VIDEO
        self.send(add_track=rtc.AddTrackRequest(cid=cid, type=number, source=source, **more))
        sid: str = self.last("track_published").track.sid
        return sid

    def publish(self, cid: str = "cid", kind: str = "audio", **more: Any) -> str:
        """A track with media in it; its sid."""
        sid = self.add_track(cid, kind, **more)
        mime = "audio/opus" if kind == "audio" else "video/VP8"
        self.stage.emit(TrackActive(self.sid, sid, mime, "1"))
        return sid

    def connect(self) -> None:
        self.stage.emit(TransportChanged(self.sid, "connected"))

    def lose_socket(self) -> None:
        self.stage.run(self.stage.machine.socket_lost(self.connection, self.stage.now))


class Stage:
    def __init__(self, **limits: Any) -> None:
        numbers = count(1)
        self.machine = Signalling(Limits(**limits), lambda prefix: f"{prefix}{next(numbers):06}")
        self.now = Instant(datetime(2026, 1, 1, tzinfo=UTC), 1000.0)
        self.seats: dict[int, Seat] = {}
        self.commands: list[effects.Command] = []
        self.events: list[RoomEvent] = []
        self.notices: list[webhook.WebhookEvent] = []
        self.counts: list[tuple[str, str]] = []
        self.tokens: list[Claims] = []
        self._versions: dict[str, int] = {}
        self._connections = count(1)

    # --- doing
    def join(self, identity: str, room: str = "room", **more: Any) -> Seat:
        """Join with an offer; `permission`, `name`, `claims` and JoinRequest fields in `more`.

        `dual`: with two connections, and no offer.
        """
        claims = Claims(
            identity=identity,
            room=room,
            name=more.pop("name", ""),
            permission=more.pop("permission", Permission()),
            **more.pop("claims", {}),
        )
        settings = rtc.ConnectionSettings(
            auto_subscribe=more.pop("auto_subscribe", True),
            adaptive_stream=more.pop("adaptive_stream", False),
        )
        dual = more.pop("dual", False)
        offer = None if dual else rtc.SessionDescription(type="offer", sdp=OFFER, id=1)
        offer = more.pop("publisher_offer", offer)
        request = rtc.JoinRequest(
            connection_settings=settings,
            publisher_offer=offer,
            **more,
        )
        seat = self._seat(claims)
        self.run(self.machine.join(seat.connection, claims, request, self.now, dual=dual))
        return seat

    def joined(self, identity: str, room: str = "room", **more: Any) -> Seat:
        """Join, get an answer, be connected; the inbox is empty then."""
        seat = self.join(identity, room, **more)
        if more.get("dual"):
            self.emit(Offered(seat.sid, 1, "v=0", {}))
        else:
            self.emit(Answered(seat.sid, 1, "v=0", {}))
        seat.connect()
        for each in self.seats.values():
            if each is not seat:
                each.inbox.clear()
        join = [m for m in seat.inbox if m.HasField("join")]
        seat.inbox[:] = join
        self.commands.clear()
        return seat

    def resume(self, seat: Seat, sequence: int = 0, **more: Any) -> Seat:
        sid = more.pop("sid", None)
        dual = more.pop("dual", False)
        request = rtc.JoinRequest(
            connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
            reconnect=True,
            participant_sid=seat.sid if sid is None else sid,
            **more,
        )
        fresh = self._seat(seat.claims)
        connection, claims = fresh.connection, seat.claims
        self.run(self.machine.resume(connection, claims, request, sequence, self.now, dual=dual))
        return fresh

    def send(self, seat: Seat, request: rtc.SignalRequest) -> None:
        # As on the wire: what cannot be serialised cannot arrive.
        request = rtc.SignalRequest.FromString(request.SerializeToString())
        self.run(self.machine.handle(seat.connection, request, self.now))

    def emit(self, *events: TransportEvent) -> None:
        self.run(self.machine.transport_events(events, self.now))

    def tick(self, seconds: float = 0.0) -> None:
        self.now = Instant(self.now.at + timedelta(seconds=seconds), self.now.tick + seconds)
        self.run(self.machine.tick(self.now))

    def keep_alive(self, seconds: float) -> None:
        """Time passes while every client pings."""
        left = seconds
        while left > 0:
            step = min(left, 5.0)
            left -= step
            self.now = Instant(self.now.at + timedelta(seconds=step), self.now.tick + step)
            for seat in list(self.seats.values()):
                if seat.close is None and seat.connection in self.machine.world.by_connection:
                    seat.send(ping_req=rtc.Ping(timestamp=1))
            self.run(self.machine.tick(self.now))

    def _seat(self, claims: Claims) -> Seat:
        seat = Seat(self, next(self._connections), claims)
        self.seats[seat.connection] = seat
        return seat

    def run(self, todo: list[effects.Effect]) -> None:
        for effect in todo:
            match effect:
                case effects.Send():
                    for connection in effect.connections:
                        self._deliver(self.seats[connection], effect.message)
                case effects.SendToken():
                    self.tokens.append(effect.claims)
                    self._deliver(
                        self.seats[effect.connection], rtc.SignalResponse(refresh_token="token")
                    )
                case effects.CloseSocket():
                    self.seats[effect.connection].close = effect
                case effects.Announce():
                    self.events.append(effect.event)
                case effects.Notify():
                    self.notices.append(effect.event)
                case effects.Count():
                    self.counts.append((effect.counter, effect.label))
                case _:
                    self.commands.append(effect)
        self._check()

    def _deliver(self, seat: Seat, message: rtc.SignalResponse) -> None:
        assert seat.close is None, "nothing is sent after the close"
        copy = rtc.SignalResponse.FromString(message.SerializeToString())
        assert copy.WhichOneof("message") is not None
        infos = list(copy.update.participants)
        if copy.HasField("join"):
            infos += [copy.join.participant, *copy.join.other_participants]
        for info in infos:
            # Per receiver: a version that goes back would be thrown away by clients.
            key = f"{seat.connection}/{info.sid}"
            assert info.version >= self._versions.get(key, 0), "versions never go back"
            self._versions[key] = info.version
        seat.inbox.append(copy)

    # --- invariants
    def _check(self) -> None:
        world = self.machine.world
        seen = {}
        for name, room in world.rooms.items():
            assert room.name == name
            assert (room.empty_since is None) == bool(room.participants)
            for identity, participant in room.participants.items():
                assert participant.identity == identity
                assert participant.room is room
                assert world.by_sid[participant.sid] is participant
                seen[participant.sid] = participant
                if participant.connection is not None:
                    assert world.by_connection[participant.connection] is participant
                    assert participant.detached_at is None
                else:
                    assert participant.detached_at is not None
                assert len(participant.tracks) <= world.limits.tracks_per_participant
                for sid, track in participant.tracks.items():
                    assert world.tracks[sid] is track
                    assert track.publisher is participant
                    assert track.bound_to <= set(world.by_sid)
                for sid in participant.subscribed:
                    track = world.tracks[sid]
                    assert track.is_published
                    assert track.publisher.room is room
                    assert track.publisher is not participant
                assert set(participant.choices) <= set(world.tracks)
                assert set(participant.wishes) | set(participant.limits) <= set(world.tracks)
        assert set(seen) == set(world.by_sid)
        assert len(world.by_connection) == sum(p.connection is not None for p in seen.values())
        assert set(world.tracks) == {sid for p in seen.values() for sid in p.tracks}
        for track in world.tracks.values():
            for sid in track.bound_to | track.on_backup:
                assert track.sid in world.by_sid[sid].subscribed

    def assert_empty(self) -> None:
        assert self.machine.counts() == {"rooms": 0, "participants": 0, "tracks": 0}
        assert not self.machine.world.by_connection
