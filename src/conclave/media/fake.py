"""An in-memory `Transport`: the whole of signalling runs on it, and no media does.

For tests (they script events with `emit`) and for contributors without Rust
(`CONCLAVE_MEDIA__ENGINE=fake`). Each offer is answered by a syntactically valid answer that rejects
every section (port 0, RFC 8829 section 5.3.1), and clients of two connections are offered nothing,
so clients connect to nothing and say so. Must never pretend that media flows: it emits nothing else
by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from conclave.media.transport import (
    Answered,
    ExpectedTrack,
    Grant,
    OfferRejected,
    TransportEvent,
)


class FakeTransport:
    def __init__(self) -> None:
        self.calls: list[tuple[object, ...]] = []
        """Every command, oldest first: its name and its arguments."""
        self.sequences: dict[str, int] = {}
        """What `last_reliable_sequence` answers, by participant."""
        self.participants: dict[str, str] = {}
        """The room of each open participant."""
        self._listener: Callable[[Sequence[TransportEvent]], None] | None = None
        self._waiting: list[TransportEvent] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def emit(self, *events: TransportEvent) -> None:
        """Deliver events now."""
        if self._listener is not None:
            self._listener(events)

    # --- the port
    def start(self, listener: Callable[[Sequence[TransportEvent]], None]) -> None:
        self._listener = listener
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    def open(
        self, room: str, participant: str, identity: str, grant: Grant, *, dual: bool = False
    ) -> None:
        self._note("open", room, participant, identity, grant, dual)
        self.participants[participant] = room

    def set_grant(self, participant: str, grant: Grant) -> None:
        self._note("set_grant", participant, grant)

    def offer(self, participant: str, offer_id: int, sdp: str) -> None:
        self._note("offer", participant, offer_id, sdp)
        answer = reject_all(sdp)
        event: TransportEvent
        if answer is None:
            event = OfferRejected(participant, offer_id, "this is not an offer")
        else:
            event = Answered(participant, offer_id, answer, {})
        # As with a real transport, the outcome comes later, in the event loop.
        if self._loop is not None:
            if not self._waiting:
                self._loop.call_soon(self.flush)
            self._waiting.append(event)

    def flush(self) -> None:
        events, self._waiting = self._waiting, []
        self.emit(*events)

    def answer(self, participant: str, offer_id: int, sdp: str) -> None:
        self._note("answer", participant, offer_id, sdp)

    def restart_ice(self, participant: str) -> None:
        self._note("restart_ice", participant)

    def trickle(self, participant: str, candidate: str) -> None:
        self._note("trickle", participant, candidate)

    def set_bandwidth(self, participant: str, bits_per_second: int | None) -> None:
        self._note("set_bandwidth", participant, bits_per_second)

    def close(self, participant: str) -> None:
        self._note("close", participant)
        self.participants.pop(participant, None)
        self.sequences.pop(participant, None)

    def close_room(self, room: str) -> None:
        self._note("close_room", room)
        for participant in [p for p, r in self.participants.items() if r == room]:
            del self.participants[participant]

    def add_track(self, participant: str, track: ExpectedTrack) -> None:
        self._note("add_track", participant, track)

    def remove_track(self, participant: str, track: str) -> None:
        self._note("remove_track", participant, track)

    def mute_track(self, participant: str, track: str, muted: bool) -> None:
        self._note("mute_track", participant, track, muted)

    def subscribe(self, participant: str, track: str) -> None:
        self._note("subscribe", participant, track)

    def unsubscribe(self, participant: str, track: str) -> None:
        self._note("unsubscribe", participant, track)

    def exchange(self, participant: str, old: str, new: str) -> None:
        self._note("exchange", participant, old, new)

    def pause(self, participant: str, track: str, paused: bool) -> None:
        self._note("pause", participant, track, paused)

    def limit(self, participant: str, track: str, spatial: int, temporal: int) -> None:
        self._note("limit", participant, track, spatial, temporal)

    def request_keyframes(self, room: str) -> None:
        self._note("request_keyframes", room)

    def send_data(
        self, room: str, packet: bytes, *, reliable: bool, destinations: Sequence[str] = ()
    ) -> None:
        self._note("send_data", room, packet, reliable, tuple(destinations))

    def last_reliable_sequence(self, participant: str) -> int:
        return self.sequences.get(participant, 0)

    def replay_data(self, participant: str, last: Mapping[str, int]) -> None:
        self._note("replay_data", participant, dict(last))

    def stats(self) -> Mapping[str, object]:
        return {
            "rooms": len(set(self.participants.values())),
            "participants": len(self.participants),
            "event_queue": len(self._waiting),
            "events_lost": 0,
            "shards": [],
        }

    def stop(self) -> None:
        self._note("stop")
        self._listener = None
        self._waiting.clear()

    def _note(self, *call: object) -> None:
        # A server that runs on this for days must not keep what nobody reads.
        if len(self.calls) >= 100_000:
            del self.calls[:50_000]
        self.calls.append(call)


def reject_all(sdp: str) -> str | None:
    """An answer that turns down every section of an offer; None when it is no offer."""
    sections = [line for line in sdp.splitlines() if line.startswith("m=")]
    if not sdp.startswith("v=0") or not sections:
        return None
    mids = iter([line for line in sdp.splitlines() if line.startswith("a=mid:")])
    lines = ["v=0", "o=- 1 2 IN IP4 127.0.0.1", "s=-", "t=0 0"]
    for section in sections:
        parts = section.split(" ")
        if len(parts) < 4:
            return None
        lines.append(" ".join([parts[0], "0", *parts[2:]]))
        lines.append("c=IN IP4 0.0.0.0")
        mid = next(mids, None)
        if mid is not None:
            lines.append(mid)
        lines.append("a=inactive")
    return "\r\n".join(lines) + "\r\n"
