"""uvicorn's WebSocket connection, and the short way to it for who has many small messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent
    from websockets.http11 import Request

Replier = Callable[[bytes], tuple[bytes, int]]
"""From what has come, which begins with a frame, to frames that answer the first ones, and to how
many bytes those had; zero: they are for the library. Must return at once and not raise."""


class Direct(Protocol):
    """A WebSocket without the way through ASGI: `scope["extensions"][DIRECT]["socket"]`, where
    there is one. For many small messages, of which each would wake two tasks."""

    def listen(
        self,
        listener: Callable[[bytes], None],
        replier: Replier | None = None,
    ) -> None:
        """Hand each binary message to `listener` when it comes, unless older ones wait for
        `receive`, which gets all others. `listener` must return at once and not raise. What
        `replier` can answer comes to neither, and is answered before what waits."""

    def write(self, message: bytes | str) -> bool:
        """Send a message now. False: nothing was sent, for the connection is not open or takes no
        more at the moment. The caller must have no `send` under way."""


DIRECT = "conclave.direct"


class FrameEdge:
    """Where the frames of one direction of a WebSocket end (RFC 6455, 5.2), by their lengths."""

    _to_come: int | None = 0

    @property
    def is_between(self) -> bool:
        """Everything so far was whole frames. False for good once a head came in pieces."""
        return self._to_come == 0

    def follow(self, data: bytes) -> None:
        """The next bytes, of which nothing is kept."""
        if self._to_come is None:
            return
        at, end = self._to_come, len(data)
        while at < end:
            size = _size(data[at : at + 14])
            if size is None:
                self._to_come = None
                return
            at += size
        self._to_come = at - end


def _size(head: bytes) -> int | None:
    """Of the frame that begins like this, in bytes; None: too little of it is there to tell."""
    if len(head) < 2:
        return None
    length = head[1] & 0x7F
    extended = {126: 2, 127: 8}.get(length, 0)
    if extended:
        length = int.from_bytes(head[2 : 2 + extended])
    size = 2 + extended + 4 * (head[1] >> 7)
    return None if len(head) < size else size + length


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket connection, for which a refused upgrade is an answer and no fault, and
    which can be used directly (`Direct`).

    uvicorn itself logs an error for each refusal, so that anybody could fill the log.
    """

    _listener: Callable[[bytes], None] | None = None
    _replier: Replier | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._edge = FrameEdge()

    def data_received(self, data: bytes) -> None:
        # Within a message in fragments nothing but its rest may come, which the library judges.
        if self._replier is not None and self._edge.is_between and not self.frames:
            answers, size = self._replier(data) if self._takes_more() else (b"", 0)
            if size > 0:
                self.transport.write(answers)
                data = data[size:]
                if not data:
                    return
        if self.handshake_initiated:
            self._edge.follow(data)
        super().data_received(data)

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.close_sent:
            self.scope["extensions"][DIRECT] = {"socket": self}

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True

    def listen(
        self,
        listener: Callable[[bytes], None],
        replier: Replier | None = None,
    ) -> None:
        self._listener = listener
        self._replier = replier

    def write(self, message: bytes | str) -> bool:
        if not self._takes_more():
            return False
        try:
            if isinstance(message, str):
                self.conn.send_text(message.encode())
            else:
                self.conn.send_binary(message)
        except InvalidState:
            return False
        self.transport.write(b"".join(self.conn.data_to_send()))
        return True

    def _takes_more(self) -> bool:
        is_open = self.handshake_complete and not (self.close_sent or self.disconnected)
        return is_open and self.writable.is_set() and not self.transport.is_closing()

    def send_receive_event_to_app(self) -> None:
        is_direct = self.curr_msg_data_type == "bytes" and self.queue.empty()
        if self._listener is None or self.close_sent or not is_direct:
            super().send_receive_event_to_app()
            return
        message, self.frames = b"".join(self.frames), []
        self._listener(message)
