"""One socket of a sitting: what it is told, in a bounded queue between the log and the wire.

The room fills the queue without waiting, the endpoint empties it. A client that does not read
fills it up: then it gets `bye slow`, and comes back by a resume. Must never drop a frame from the
middle, nor tell a seat what was said before it came or after it went.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from conclave.sealing import frames
from conclave.sealing.doorkeeper import EntryRole
from conclave.sealing.state import Row

MAX_FRAMES = 512
MAX_BYTES = 8 * 1024 * 1024

# Close codes (RFC 6455, 7.4.1; IANA's registry; 4000 and above are the application's).
NORMAL = 1000
VIOLATION = 1008
RESTART = 1012
LATER = 1013
TAKEN_OVER = 4000

Place = Literal["outside", "knocking", "member", "gone"]


@dataclass(frozen=True, slots=True)
class Welcome:
    """Sent with a fresh ticket, and followed by the open knocks."""

    frame: str


@dataclass(frozen=True, slots=True)
class Knocks:
    """The open knocks, as they are when it is this entry's turn."""


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The last entry: close the socket, after a `bye` when there is a reason."""

    code: int
    reason: Literal["", "shutdown", "slow"] = ""


OutboundEntry = str | Welcome | Knocks | Goodbye


class Outbound:
    def __init__(self, *, max_frames: int = MAX_FRAMES, max_bytes: int = MAX_BYTES) -> None:
        self._entries: asyncio.Queue[OutboundEntry] = asyncio.Queue()
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._bytes = 0
        self._is_ended = False
        self._has_room = asyncio.Event()
        self._has_room.set()

    @property
    def is_ended(self) -> bool:
        return self._is_ended

    def put(self, entry: str | Welcome | Knocks) -> None:
        """What does not fit any more ends the queue."""
        if self._is_ended:
            return
        size = _size(entry)
        if self._entries.qsize() >= self._max_frames or self._bytes + size > self._max_bytes:
            self.abort()
            return
        self._bytes += size
        self._entries.put_nowait(entry)
        if self._entries.qsize() > self._max_frames // 2 or self._bytes > self._max_bytes // 2:
            self._has_room.clear()

    def end(self, goodbye: Goodbye) -> None:
        """Close after what waits already."""
        if not self._is_ended:
            self._is_ended = True
            self._has_room.set()
            self._entries.put_nowait(goodbye)

    def abort(self) -> None:
        """Close at once; what waits comes again after a resume."""
        while not self._entries.empty():
            self._entries.get_nowait()
        self._bytes = 0
        self._is_ended = False
        self.end(Goodbye(LATER, "slow"))

    async def get(self) -> OutboundEntry:
        return self._taken(await self._entries.get())

    def take(self) -> OutboundEntry | None:
        """What waits first, if anything."""
        return None if self._entries.empty() else self._taken(self._entries.get_nowait())

    def _taken(self, entry: OutboundEntry) -> OutboundEntry:
        self._bytes -= _size(entry)
        if self._entries.qsize() <= self._max_frames // 2 and self._bytes <= self._max_bytes // 2:
            self._has_room.set()
        return entry

    async def room(self) -> None:
        """Wait until it is half empty: replays are longer than the queue."""
        await self._has_room.wait()


def _size(entry: OutboundEntry) -> int:
    if isinstance(entry, str):
        return len(entry)
    return len(entry.frame) if isinstance(entry, Welcome) else 0


@dataclass(slots=True, eq=False)
class Connection:
    seat: str
    resume_hash: bytes
    role: EntryRole
    outbound: Outbound
    place: Place = "outside"
    instance: str | None = None
    """Of a knocking seat or a member."""
    number: int = 1
    cursor: int = 0
    """The last row of the log that this socket is done with."""
    is_attached: bool = True
    """False while it is told what it has missed."""
    source: str = ""
    arrival: int = 0
    """Counts up, of the sockets of its room in this process."""
    former: bytes | None = None
    """Hash of the secret of a seat that was inside, if it has shown one."""

    def say(self, frame: str) -> None:
        self.outbound.put(frame)

    def move_outside(self) -> None:
        self.place = "outside"
        self.instance = None

    def enter(self, place: Place, instance: str, cursor: int) -> None:
        self.place = place
        self.instance = instance
        self.cursor = cursor

    def go(self, goodbye: Goodbye) -> None:
        self.place = "gone"
        self.outbound.end(goodbye)

    def take(self, row: Row, *, is_replay: bool = False) -> bool:
        """What this row means to this socket; True when something was put into its queue."""
        if row.pos <= self.cursor or self.place == "gone":
            return False
        self.cursor = row.pos
        if row.seat is not None:
            return row.seat == self.seat and self._take_own(row)
        if self.place != "member":
            return False
        if row.kind == "message" and row.sender == self.seat and not is_replay:
            return False
        self.say(row.frame)
        return True

    def _take_own(self, row: Row) -> bool:
        if row.kind == "taken":
            if int(row.frame) > self.number:
                self.go(Goodbye(TAKEN_OVER))
            return False
        if row.kind == "welcome":
            self.place = "member"
            self.outbound.put(Welcome(row.frame))
            return True
        self.say(row.frame)
        if row.kind == "removed":
            self.go(Goodbye(NORMAL))
        else:  # denied, or admitted by a commit that was undone
            self.move_outside()
        return True

    def instance_ended(self) -> None:
        """The sitting that this socket was part of is over."""
        if self.place == "member":
            self.say(frames.text("ended"))
            self.go(Goodbye(NORMAL))
        elif self.place == "knocking":
            self.say(frames.text("denied", reason="ended"))
            self.move_outside()
