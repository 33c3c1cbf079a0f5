"""The sending half of a signalling WebSocket: a bounded queue between the engine and one socket.

`SignalEngine` fills it without waiting; the endpoint in `routes.py` empties it. Where nothing waits
and the socket takes more, a frame goes past it. A client that does not read fills it up: then the
socket is closed, and the client resumes. Must never drop a frame from the middle.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from livekit.protocol import rtc

from conclave.media.signal.wire import to_binary, to_json

MAX_FRAMES = 1024
MAX_BYTES = 4_000_000


@dataclass(frozen=True, slots=True)
class Goodbye:
    """The last entry of a queue: close the socket."""

    code: int
    reason: str


class Frames:
    """One message for many sockets, serialised once for each of the two forms."""

    __slots__ = ("_binary", "_message", "_text")

    def __init__(self, message: rtc.SignalResponse) -> None:
        self._message = message
        self._binary: bytes | None = None
        self._text: str | None = None

    def binary(self) -> bytes:
        if self._binary is None:
            self._binary = to_binary(self._message)
        return self._binary

    def text(self) -> str:
        if self._text is None:
            self._text = to_json(self._message)
        return self._text


class SocketQueue:
    def __init__(self) -> None:
        self.is_text = False
        """The client speaks JSON: it is answered in JSON."""
        self.closed = asyncio.Event()
        """Set by the endpoint when the socket is gone."""
        self.write_now: Callable[[bytes | str], bool] | None = None
        """Set by the endpoint where a frame can be sent at once; False: it was not."""
        self._entries: asyncio.Queue[bytes | str | Goodbye] = asyncio.Queue()
        self._waiting_bytes = 0
        self._is_ended = False
        self._is_sending = False

    def put(self, frames: Frames) -> bool:
        """False when the queue is full: it has been ended, and the socket will be closed."""
        if self._is_ended:
            return True
        frame = frames.text() if self.is_text else frames.binary()
        is_first = self._entries.empty() and not self._is_sending
        if is_first and self.write_now is not None and self.write_now(frame):
            return True
        if self._entries.qsize() >= MAX_FRAMES or self._waiting_bytes + len(frame) > MAX_BYTES:
            self.abort()
            return False
        self._waiting_bytes += len(frame)
        self._entries.put_nowait(frame)
        return True

    def end(self, code: int, reason: str) -> None:
        """Close after what waits already."""
        if not self._is_ended:
            self._is_ended = True
            self._entries.put_nowait(Goodbye(code, reason))

    def abort(self) -> None:
        """Close at once; what waits is lost."""
        self._is_ended = True
        while not self._entries.empty():
            self._entries.get_nowait()
        self._waiting_bytes = 0
        self._entries.put_nowait(Goodbye(1013, "too slow, please resume"))

    async def get(self) -> bytes | str | Goodbye:
        """The next entry, which counts as being sent until the call after this one."""
        self._is_sending = False
        entry = await self._entries.get()
        self._is_sending = True
        if not isinstance(entry, Goodbye):
            self._waiting_bytes = max(0, self._waiting_bytes - len(entry))
        return entry
