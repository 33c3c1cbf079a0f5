"""Types of the Rust media engine `conclave._media` (built from `media/`).

Every command returns at once: it is queued to the shard thread that owns the room. What comes of
it arrives as an event through `drain`. Ids: `room` is any non-empty string; `participant` is a
`PA_` sid, unique in the process; `track` is a `TR_` sid, unique in the process. Commands that name
something unknown are ignored by the engine (it may have just gone); malformed arguments raise
`ValueError`; a closed engine raises `RuntimeError`, and so does one whose shard is so far behind
that its command queue is full (the command was not taken then).
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Self, final

__all__ = ["DIGEST", "Engine", "pongs"]

DIGEST: str
"""Hex SHA-256 over the sources in `media/**` that this extension was built from."""

def pongs(data: bytes, milliseconds: int, /) -> tuple[bytes, int, int]:
    """Answer the pings of LiveKit's signalling (binary, `ping` and `ping_req`) that `data` begins
    with. `data`: what came on a WebSocket, beginning with a frame; `milliseconds`: since 1970.

    Returns frames to be sent, how many bytes the pings had, and how many they were. Zero bytes:
    there is no ping at the beginning, or none that is whole.
    """

@final
class Engine:
    def __new__(
        cls,
        *,
        shards: int,
        udp_port: int,
        addresses: Sequence[str],
        public_ip: str | None = None,
        event_limit: int = 65536,
    ) -> Self:
        """Bind UDP port `udp_port + k` on each of `addresses` for shard k and start the threads.

        `addresses` are IP addresses that clients can reach, most preferred first. `public_ip` is
        told to clients instead of the first of its family that is not loopback (1:1 NAT).
        `udp_port` 0 lets the system choose (tests). Raises `OSError` (with the address and the
        port in its text) when a socket cannot be bound.
        """

    # --- participants
    def open(
        self,
        room: str,
        participant: str,
        identity: str,
        *,
        can_publish: bool,
        can_subscribe: bool,
        can_publish_data: bool,
        dual: bool = False,
    ) -> None:
        """Make a participant known. Its transport comes with its first `offer`.

        `dual`: its client has two connections. `offer` is for the one on which it publishes; for
        the one on which it receives the engine makes "offer" events, to be answered by `answer`.
        """

    def set_permission(
        self, participant: str, *, can_publish: bool, can_subscribe: bool, can_publish_data: bool
    ) -> None: ...
    def offer(self, participant: str, offer_id: int, sdp: str) -> None:
        """Apply a client's offer (first, later, or with new ICE credentials = ICE restart).

        Answered by `answer` or `offer_rejected` with the same id.
        """

    def answer(self, participant: str, offer_id: int, sdp: str) -> None:
        """What a `dual` client answered to the engine's offer of that id.

        An answer to another offer than the last is passed over; id 0 is taken for the last. One
        that cannot be used ends the participant (`participant_failed`), and so does none in 15 s.
        """

    def restart_ice(self, participant: str) -> None:
        """Offer a `dual` client new ICE credentials (it resumed); replaces an offer under way."""

    def trickle(self, participant: str, candidate: str) -> None:
        """Add a remote candidate (`candidate:...` line). Empty = end of candidates."""

    def set_bandwidth(self, participant: str, bits_per_second: int | None) -> None:
        """Cap what a participant is sent (simulate hook); video is paused to fit, audio never."""

    def close(self, participant: str) -> None: ...
    def close_room(self, room: str) -> None: ...

    # --- tracks
    def add_track(
        self,
        participant: str,
        track: str,
        cid: str,
        *,
        kind: Literal["audio", "video"],
        stream: Literal["camera", "screen"],
        muted: bool,
        stereo: bool,
        dtx: bool,
        codec: str = "",
        shown_as: str | None = None,
    ) -> None:
        """Expect a published track: the section of an offer whose msid's second token is `cid`.

        `stream` names the MediaStream in which receivers see it (`msid:<PA_>|<stream> <TR_>`).
        `codec` ("video/H264") is what the publisher wants to send with; what is not forwarded is
        ignored, and then the first codec of its offer counts. `shown_as`: it is that track in
        another codec, and receivers are told so.
        May come before or after the offer that carries it.
        """

    def remove_track(self, participant: str, track: str) -> None: ...
    def mute_track(self, participant: str, track: str, muted: bool) -> None: ...
    def subscribe(self, participant: str, track: str) -> None: ...
    def unsubscribe(self, participant: str, track: str) -> None: ...
    def exchange(self, participant: str, old: str, new: str) -> None:
        """Let a subscriber of `old` receive `new` in its place, in the same section."""

    def pause(self, participant: str, track: str, paused: bool) -> None:
        """The subscriber does not show the track: not forwarded; a key frame is asked on return."""

    def limit(self, participant: str, track: str, spatial: int, temporal: int) -> None:
        """The largest layers of a track that a subscriber wants: spatial 0 (smallest) to 2 and
        temporal 0 to 3; larger means all. Without it, all."""

    def request_keyframes(self, room: str) -> None:
        """Ask every video publisher of the room for a key frame (end-to-end key change)."""

    # --- data
    def send_data(
        self, room: str, packet: bytes, *, reliable: bool, destinations: Sequence[str] = ()
    ) -> None:
        """Send an encoded LiveKit `DataPacket` to all, or to the participants named (sids)."""

    def last_reliable_sequence(self, participant: str) -> int:
        """Sequence of the last reliable data packet received from a participant; 0 for none."""

    def replay_data(self, participant: str, last: Mapping[str, int]) -> None:
        """Send again the buffered reliable packets after `last[publisher PA_]`, on resume."""

    # --- events, figures, end
    def fileno(self) -> int:
        """File descriptor that becomes readable when events wait."""

    def drain(self, limit: int = 4096) -> list[tuple[object, ...]]:
        """Up to `limit` waiting events, oldest first; clears `fileno` when all are taken.

        ("answer", participant, offer_id, sdp, [(mid, track), ...])
        ("offer_rejected", participant, offer_id, reason)
        ("offer", participant, offer_id, sdp, [(mid, track), ...])  # the engine's own; ids increase
        ("transport", participant, "connected" | "disconnected" | "failed" | "closed")
        ("sections_needed", participant, audio, video)   # 0, 0: free ones exist, offer again
        ("subscribed", participant, track, mid)          # bound to a section of an answer
        ("subscription_failed", participant, track, "codec_unsupported" | "track_unknown")
        ("track_active", participant, track, mime, mid)  # first packet; "video/VP8", "audio/opus"
        ("track_ended", participant, track)              # its section was stopped by the publisher
        ("stream_state", participant, track, "active" | "paused")
        ("speakers", room, [(participant, level 0..1, active), ...])          # changes; 400 ms
        ("quality", room, [(participant, "excellent" | "good" | "poor", score 0..5), ...])
        ("participant_failed", participant, reason)      # a panic inside; it is gone already
        ("overflow", lost_events)
        """

    def stats(self) -> dict[str, object]:
        """Counters since start; those of a shard are at most about a second old.

        {"rooms": int, "participants": int, "event_queue": int, "events_lost": int,
         "commands_refused": int,
         "shards": [{"cpu_seconds": float, "rooms": int, "participants": int, "command_queue": int,
                     "packets_in": int, "packets_out": int, "bytes_in": int, "bytes_out": int,
                     "datagrams_dropped": {reason: int}, "rtx_in": int, "rtx_out": int,
                     "nacks_in": int, "nacks_out": int, "plis_in": int, "plis_out": int,
                     "packets_lost_in": int, "packets_lost_out": int, "data_in": int,
                     "data_out": int, "data_dropped": int, "panics": int}]}
        """

    def inject_fault(self, participant: str) -> None:
        """Test hook: panic at the participant's next packet (the guard must hold it)."""

    def shutdown(self) -> None:
        """Tell clients goodbye (DTLS close), stop the threads, close the sockets; at most 1 s.

        Commands raise `RuntimeError` from then on; what happened before can still be drained.
        """
