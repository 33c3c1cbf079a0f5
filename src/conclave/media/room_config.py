"""How a room is set up: by RoomService's CreateRoom, or by the token of whoever opens it.

Must never hold what a room is at the moment; that is `signal.state.Room`.
"""

from __future__ import annotations

from dataclasses import dataclass

from livekit.protocol import room as room_protocol


@dataclass(frozen=True, slots=True)
class RoomConfig:
    """As in LiveKit, zero and empty leave what is there (the server's defaults in a new room)."""

    empty_timeout: int = 0
    """Seconds that a room stays which nobody has joined."""
    departure_timeout: int = 0
    """Seconds that it stays after the last one has left."""
    max_participants: int = 0
    metadata: str = ""

    @classmethod
    def of(
        cls, message: room_protocol.CreateRoomRequest | room_protocol.RoomConfiguration
    ) -> RoomConfig:
        return cls(
            empty_timeout=message.empty_timeout,
            departure_timeout=message.departure_timeout,
            max_participants=message.max_participants,
            metadata=message.metadata,
        )
