"""The transport port over the Rust engine `conclave._media`, inside this process.

Watches the engine's descriptor in the running event loop and hands events on as dataclasses. No
rule of signalling lives here. Must never block the loop: only `stop` waits, for at most a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from conclave.kernel.errors import Unavailable
from conclave.media.addresses import media_addresses
from conclave.media.transport import (
    Answered,
    EventsLost,
    ExpectedTrack,
    Grant,
    Offered,
    OfferRejected,
    ParticipantFailed,
    Quality,
    QualityMeasured,
    SectionsNeeded,
    Speaker,
    SpeakersChanged,
    StreamStateChanged,
    Subscribed,
    SubscriptionFailed,
    TrackActive,
    TrackEnded,
    TransportChanged,
    TransportEvent,
)

if TYPE_CHECKING:
    from conclave._media import Engine
    from conclave.settings import MediaSettings

EVENTS_PER_TURN = 512
"""Events handled before the loop's other tasks have their turn again."""

_log = structlog.get_logger()

Listener = Callable[[Sequence[TransportEvent]], None]


class EmbeddedTransport:
    """See `conclave.media.transport.Transport`. Commands raise `Unavailable` while the engine is
    overloaded, and before `start` or after `stop`."""

    def __init__(
        self,
        *,
        shards: int,
        udp_port: int,
        addresses: Sequence[str],
        public_ip: str | None = None,
        event_limit: int = 65536,
        make_engine: Callable[..., Engine] | None = None,
    ) -> None:
        self._shards = shards
        self._udp_port = udp_port
        self._addresses = list(addresses)
        self._public_ip = public_ip
        self._event_limit = event_limit
        self._make_engine = make_engine
        self._started: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listener: Listener | None = None
        self._unknown_kinds: set[str] = set()

    @classmethod
    def from_settings(cls, settings: MediaSettings) -> EmbeddedTransport:
        return cls(
            shards=settings.shards,
            udp_port=settings.udp_port,
            addresses=media_addresses(settings.addresses),
            public_ip=None if settings.public_ip is None else str(settings.public_ip),
        )

    def start(self, listener: Listener) -> None:
        """Start the engine, in a running loop.

        Raises `OSError` when a UDP port cannot be bound, `Unavailable` when there is no engine.
        """
        if self._started is not None:
            msg = "the transport has been started already"
            raise RuntimeError(msg)
        loop = asyncio.get_running_loop()
        make_engine = self._make_engine or _engine_class()
        engine = make_engine(
            shards=self._shards,
            udp_port=self._udp_port,
            addresses=self._addresses,
            public_ip=self._public_ip,
            event_limit=self._event_limit,
        )
        self._started, self._loop, self._listener = engine, loop, listener
        loop.add_reader(engine.fileno(), self._drain)

    def stop(self) -> None:
        """Say goodbye to clients and end the threads. Also before `start`, and twice."""
        if self._started is None:
            return
        if self._loop is not None and not self._loop.is_closed():
            self._loop.remove_reader(self._started.fileno())
        self._started.shutdown()
        self._loop = None

    def open(
        self, room: str, participant: str, identity: str, grant: Grant, *, dual: bool = False
    ) -> None:
        with self._commanding() as engine:
            engine.open(
                room,
                participant,
                identity,
                can_publish=grant.can_publish,
                can_subscribe=grant.can_subscribe,
                can_publish_data=grant.can_publish_data,
                dual=dual,
            )

    def set_grant(self, participant: str, grant: Grant) -> None:
        with self._commanding() as engine:
            engine.set_permission(
                participant,
                can_publish=grant.can_publish,
                can_subscribe=grant.can_subscribe,
                can_publish_data=grant.can_publish_data,
            )

    def offer(self, participant: str, offer_id: int, sdp: str) -> None:
        with self._commanding() as engine:
            engine.offer(participant, offer_id, sdp)

    def answer(self, participant: str, offer_id: int, sdp: str) -> None:
        with self._commanding() as engine:
            engine.answer(participant, offer_id, sdp)

    def restart_ice(self, participant: str) -> None:
        with self._commanding() as engine:
            engine.restart_ice(participant)

    def trickle(self, participant: str, candidate: str) -> None:
        with self._commanding() as engine:
            engine.trickle(participant, candidate)

    def set_bandwidth(self, participant: str, bits_per_second: int | None) -> None:
        with self._commanding() as engine:
            engine.set_bandwidth(participant, bits_per_second)

    def close(self, participant: str) -> None:
        with self._commanding() as engine:
            engine.close(participant)

    def close_room(self, room: str) -> None:
        with self._commanding() as engine:
            engine.close_room(room)

    def add_track(self, participant: str, track: ExpectedTrack) -> None:
        with self._commanding() as engine:
            engine.add_track(
                participant,
                track.sid,
                track.cid,
                kind=track.kind,
                stream=track.stream,
                muted=track.muted,
                stereo=track.stereo,
                dtx=track.dtx,
                codec=track.codec,
                shown_as=track.shown_as,
            )

    def remove_track(self, participant: str, track: str) -> None:
        with self._commanding() as engine:
            engine.remove_track(participant, track)

    def mute_track(self, participant: str, track: str, muted: bool) -> None:
        with self._commanding() as engine:
            engine.mute_track(participant, track, muted)

    def subscribe(self, participant: str, track: str) -> None:
        with self._commanding() as engine:
            engine.subscribe(participant, track)

    def unsubscribe(self, participant: str, track: str) -> None:
        with self._commanding() as engine:
            engine.unsubscribe(participant, track)

    def exchange(self, participant: str, old: str, new: str) -> None:
        with self._commanding() as engine:
            engine.exchange(participant, old, new)

    def pause(self, participant: str, track: str, paused: bool) -> None:
        with self._commanding() as engine:
            engine.pause(participant, track, paused)

    def limit(self, participant: str, track: str, spatial: int, temporal: int) -> None:
        with self._commanding() as engine:
            engine.limit(participant, track, spatial, temporal)

    def request_keyframes(self, room: str) -> None:
        with self._commanding() as engine:
            engine.request_keyframes(room)

    def send_data(
        self, room: str, packet: bytes, *, reliable: bool, destinations: Sequence[str] = ()
    ) -> None:
        with self._commanding() as engine:
            engine.send_data(room, packet, reliable=reliable, destinations=destinations)

    def last_reliable_sequence(self, participant: str) -> int:
        return 0 if self._started is None else self._started.last_reliable_sequence(participant)

    def replay_data(self, participant: str, last: Mapping[str, int]) -> None:
        with self._commanding() as engine:
            engine.replay_data(participant, last)

    def stats(self) -> Mapping[str, object]:
        return {} if self._started is None else self._started.stats()

    @contextmanager
    def _commanding(self) -> Iterator[Engine]:
        if self._started is None:
            raise Unavailable("The media engine has not been started")
        try:
            yield self._started
        except RuntimeError as error:
            raise Unavailable("The media engine cannot take this right now") from error

    def _drain(self) -> None:
        if self._started is None or self._listener is None:
            return
        # When more is waiting the descriptor stays readable and the loop comes back by itself.
        events = self._mapped(self._started.drain(EVENTS_PER_TURN))
        if not events:
            return
        try:
            self._listener(events)
        except Exception:
            _log.exception("media.listener_failed", events=len(events))

    def _mapped(self, tuples: Sequence[tuple[Any, ...]]) -> list[TransportEvent]:
        events: list[TransportEvent] = []
        for kind, *fields in tuples:
            build = _BUILDERS.get(kind)
            if build is not None:
                events.append(build(*fields))
            elif kind not in self._unknown_kinds:
                self._unknown_kinds.add(kind)
                _log.warning("media.unknown_event", kind=kind)
        return events


_BUILDERS: dict[str, Callable[..., TransportEvent]] = {
    "answer": lambda participant, offer_id, sdp, mids: Answered(
        participant, offer_id, sdp, dict(mids)
    ),
    "offer_rejected": OfferRejected,
    "offer": lambda participant, offer_id, sdp, mids: Offered(
        participant, offer_id, sdp, dict(mids)
    ),
    "transport": TransportChanged,
    "sections_needed": SectionsNeeded,
    "subscribed": Subscribed,
    "subscription_failed": SubscriptionFailed,
    "track_active": TrackActive,
    "track_ended": TrackEnded,
    "stream_state": StreamStateChanged,
    "speakers": lambda room, speakers: SpeakersChanged(room, [Speaker(*s) for s in speakers]),
    "quality": lambda room, qualities: QualityMeasured(room, [Quality(*q) for q in qualities]),
    "participant_failed": ParticipantFailed,
    "overflow": EventsLost,
}


def _engine_class() -> type[Engine]:
    try:
        from conclave._media import Engine
    except ImportError as error:
        msg = (
            "The media engine is not built. In a source checkout `make setup` builds it (it needs "
            "Rust); CONCLAVE_MEDIA__ENGINE=fake runs without it."
        )
        raise Unavailable(msg) from error
    return Engine
