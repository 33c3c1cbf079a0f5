"""What the signalling machine wants done, in order: frames to send, transport commands, the rest.

Effects are values: a test reads them, the shell carries them out. Must never do anything by itself
(`apply` of a transport command only names the port's method).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from livekit.protocol import rtc, webhook

from conclave.media.engine import RoomEvent
from conclave.media.tokens import Claims
from conclave.media.transport import ExpectedTrack, Grant, Transport

Connection = int
"""Number that the shell gives to a WebSocket; never used twice."""

CLOSE_NORMAL = 1000
CLOSE_GOING_AWAY = 1001
CLOSE_POLICY = 1008
CLOSE_TRY_AGAIN = 1013


@dataclass(frozen=True, slots=True)
class Send:
    """One frame to one or more sockets; serialised once."""

    connections: tuple[Connection, ...]
    message: rtc.SignalResponse


@dataclass(frozen=True, slots=True)
class SendToken:
    """Sign a fresh token with these claims and send it as `refresh_token`."""

    connection: Connection
    claims: Claims


@dataclass(frozen=True, slots=True)
class CloseSocket:
    """Close after what has been queued before."""

    connection: Connection
    code: int = CLOSE_NORMAL
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell the slices above."""

    event: RoomEvent


@dataclass(frozen=True, slots=True)
class Notify:
    """Tell whoever stands outside and asked to be told (webhooks), in LiveKit's words."""

    event: webhook.WebhookEvent


Counter = Literal["joins", "resumes", "left", "refused", "malformed"]


@dataclass(frozen=True, slots=True)
class Count:
    counter: Counter
    label: str = ""


@dataclass(frozen=True, slots=True)
class Open:
    room: str
    participant: str
    identity: str
    grant: Grant
    dual: bool = False

    def apply(self, transport: Transport) -> None:
        transport.open(self.room, self.participant, self.identity, self.grant, dual=self.dual)


@dataclass(frozen=True, slots=True)
class SetGrant:
    participant: str
    grant: Grant

    def apply(self, transport: Transport) -> None:
        transport.set_grant(self.participant, self.grant)


@dataclass(frozen=True, slots=True)
class Offer:
    participant: str
    offer_id: int
    sdp: str

    def apply(self, transport: Transport) -> None:
        transport.offer(self.participant, self.offer_id, self.sdp)


@dataclass(frozen=True, slots=True)
class Answer:
    participant: str
    offer_id: int
    sdp: str

    def apply(self, transport: Transport) -> None:
        transport.answer(self.participant, self.offer_id, self.sdp)


@dataclass(frozen=True, slots=True)
class RestartIce:
    participant: str

    def apply(self, transport: Transport) -> None:
        transport.restart_ice(self.participant)


@dataclass(frozen=True, slots=True)
class Trickle:
    participant: str
    candidate: str

    def apply(self, transport: Transport) -> None:
        transport.trickle(self.participant, self.candidate)


@dataclass(frozen=True, slots=True)
class SetBandwidth:
    participant: str
    bits_per_second: int | None

    def apply(self, transport: Transport) -> None:
        transport.set_bandwidth(self.participant, self.bits_per_second)


@dataclass(frozen=True, slots=True)
class Close:
    participant: str

    def apply(self, transport: Transport) -> None:
        transport.close(self.participant)


@dataclass(frozen=True, slots=True)
class CloseRoom:
    room: str

    def apply(self, transport: Transport) -> None:
        transport.close_room(self.room)


@dataclass(frozen=True, slots=True)
class AddTrack:
    participant: str
    track: ExpectedTrack

    def apply(self, transport: Transport) -> None:
        transport.add_track(self.participant, self.track)


@dataclass(frozen=True, slots=True)
class RemoveTrack:
    participant: str
    track: str

    def apply(self, transport: Transport) -> None:
        transport.remove_track(self.participant, self.track)


@dataclass(frozen=True, slots=True)
class MuteTrack:
    participant: str
    track: str
    muted: bool

    def apply(self, transport: Transport) -> None:
        transport.mute_track(self.participant, self.track, self.muted)


@dataclass(frozen=True, slots=True)
class Subscribe:
    participant: str
    track: str

    def apply(self, transport: Transport) -> None:
        transport.subscribe(self.participant, self.track)


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    participant: str
    track: str

    def apply(self, transport: Transport) -> None:
        transport.unsubscribe(self.participant, self.track)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A participant goes on with the same pictures in another codec."""

    participant: str
    old: str
    new: str

    def apply(self, transport: Transport) -> None:
        transport.exchange(self.participant, self.old, self.new)


@dataclass(frozen=True, slots=True)
class Pause:
    participant: str
    track: str
    paused: bool

    def apply(self, transport: Transport) -> None:
        transport.pause(self.participant, self.track, self.paused)


@dataclass(frozen=True, slots=True)
class Limit:
    """The largest layers of a track that a participant wants."""

    participant: str
    track: str
    spatial: int
    temporal: int

    def apply(self, transport: Transport) -> None:
        transport.limit(self.participant, self.track, self.spatial, self.temporal)


@dataclass(frozen=True, slots=True)
class SendData:
    room: str
    packet: bytes
    reliable: bool
    destinations: tuple[str, ...] = ()

    def apply(self, transport: Transport) -> None:
        transport.send_data(
            self.room, self.packet, reliable=self.reliable, destinations=self.destinations
        )


@dataclass(frozen=True, slots=True)
class ReplayData:
    participant: str
    last: Mapping[str, int]

    def apply(self, transport: Transport) -> None:
        transport.replay_data(self.participant, self.last)


Command = (
    Open
    | SetGrant
    | Offer
    | Answer
    | RestartIce
    | Trickle
    | SetBandwidth
    | Close
    | CloseRoom
    | AddTrack
    | RemoveTrack
    | MuteTrack
    | Subscribe
    | Unsubscribe
    | Exchange
    | Pause
    | Limit
    | SendData
    | ReplayData
)
COMMANDS = (
    Open, SetGrant, Offer, Answer, RestartIce, Trickle, SetBandwidth, Close, CloseRoom, AddTrack,
    RemoveTrack, MuteTrack, Subscribe, Unsubscribe, Exchange, Pause, Limit, SendData, ReplayData,
)  # fmt: skip
Effect = Send | SendToken | CloseSocket | Announce | Notify | Count | Command
