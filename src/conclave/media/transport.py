"""The port between signalling and the media transports: what the Rust engine does for one process.

Two implementations: `embedded.py` over `conclave._media`, and `fake.py` in memory for tests and for
contributors without Rust. Nothing here knows of HTTP, tokens or LiveKit messages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["audio", "video"]
Stream = Literal["camera", "screen"]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a participant may do at the transport."""

    can_publish: bool = True
    can_subscribe: bool = True
    can_publish_data: bool = True


@dataclass(frozen=True, slots=True)
class ExpectedTrack:
    """A track that signalling has announced: matched to an offer's section by `cid`."""

    sid: str
    cid: str
    kind: Kind
    stream: Stream
    muted: bool = False
    stereo: bool = False
    dtx: bool = True
    codec: str = ""
    """What the publisher wants to send with ("video/H264"); "" = the first of its offer."""
    shown_as: str | None = None
    """It is that track in another codec: receivers see that one."""


# Events. `participant` is a PA_ sid, `track` a TR_ sid.
@dataclass(frozen=True, slots=True)
class Answered:
    participant: str
    offer_id: int
    sdp: str
    mid_to_track: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OfferRejected:
    participant: str
    offer_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Offered:
    """The transport's own offer to a client of two connections; to be answered by `answer`."""

    participant: str
    offer_id: int
    sdp: str
    mid_to_track: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TransportChanged:
    """Of the participant as a whole: with two connections connected when the primary one is, failed
    when either has failed."""

    participant: str
    state: Literal["connected", "disconnected", "failed", "closed"]


@dataclass(frozen=True, slots=True)
class SectionsNeeded:
    participant: str
    audio: int
    video: int


@dataclass(frozen=True, slots=True)
class Subscribed:
    participant: str
    track: str
    mid: str


@dataclass(frozen=True, slots=True)
class SubscriptionFailed:
    participant: str
    track: str
    reason: Literal["codec_unsupported", "track_unknown"]


@dataclass(frozen=True, slots=True)
class TrackActive:
    participant: str
    track: str
    mime: str
    mid: str


@dataclass(frozen=True, slots=True)
class TrackEnded:
    participant: str
    track: str


@dataclass(frozen=True, slots=True)
class StreamStateChanged:
    participant: str
    track: str
    state: Literal["active", "paused"]


@dataclass(frozen=True, slots=True)
class Speaker:
    participant: str
    level: float
    active: bool


@dataclass(frozen=True, slots=True)
class SpeakersChanged:
    room: str
    speakers: Sequence[Speaker]


@dataclass(frozen=True, slots=True)
class Quality:
    participant: str
    quality: Literal["excellent", "good", "poor"]
    score: float


@dataclass(frozen=True, slots=True)
class QualityMeasured:
    room: str
    qualities: Sequence[Quality]


@dataclass(frozen=True, slots=True)
class ParticipantFailed:
    participant: str
    reason: str


@dataclass(frozen=True, slots=True)
class EventsLost:
    count: int


TransportEvent = (
    Answered
    | OfferRejected
    | Offered
    | TransportChanged
    | SectionsNeeded
    | Subscribed
    | SubscriptionFailed
    | TrackActive
    | TrackEnded
    | StreamStateChanged
    | SpeakersChanged
    | QualityMeasured
    | ParticipantFailed
    | EventsLost
)


class Transport(Protocol):
    """Commands are queued and return at once; results come to `listener`, in the event loop."""

    def start(self, listener: Callable[[Sequence[TransportEvent]], None]) -> None: ...
    def open(
        self, room: str, participant: str, identity: str, grant: Grant, *, dual: bool = False
    ) -> None: ...
    def set_grant(self, participant: str, grant: Grant) -> None: ...
    def offer(self, participant: str, offer_id: int, sdp: str) -> None: ...
    def answer(self, participant: str, offer_id: int, sdp: str) -> None: ...
    def restart_ice(self, participant: str) -> None: ...
    def trickle(self, participant: str, candidate: str) -> None: ...
    def set_bandwidth(self, participant: str, bits_per_second: int | None) -> None: ...
    def close(self, participant: str) -> None: ...
    def close_room(self, room: str) -> None: ...
    def add_track(self, participant: str, track: ExpectedTrack) -> None: ...
    def remove_track(self, participant: str, track: str) -> None: ...
    def mute_track(self, participant: str, track: str, muted: bool) -> None: ...
    def subscribe(self, participant: str, track: str) -> None: ...
    def unsubscribe(self, participant: str, track: str) -> None: ...
    def exchange(self, participant: str, old: str, new: str) -> None:
        """A subscriber of `old` receives `new` in its place, from its next key frame on."""

    def pause(self, participant: str, track: str, paused: bool) -> None: ...
    def limit(self, participant: str, track: str, spatial: int, temporal: int) -> None:
        """The largest spatial (0 to 2) and temporal (0 to 3) layer that a subscriber wants."""

    def request_keyframes(self, room: str) -> None: ...
    def send_data(
        self, room: str, packet: bytes, *, reliable: bool, destinations: Sequence[str] = ()
    ) -> None: ...
    def last_reliable_sequence(self, participant: str) -> int: ...
    def replay_data(self, participant: str, last: Mapping[str, int]) -> None: ...
    def stats(self) -> Mapping[str, object]: ...
    def stop(self) -> None: ...
