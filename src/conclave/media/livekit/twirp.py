"""A Twirp client for LiveKit's RoomService: protobuf over HTTP, one deadline for each call.

What comes back is bounded before it is read and never decompressed; redirects are not followed and
proxies of the environment are not used, so that a token goes to the configured host alone. A call
is sent again only when its caller says that this does no harm. Must never put a token, or what the
other side answered, into an error or a log.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from typing import TypeVar

import httpx2
from google.protobuf.message import DecodeError, Message

from conclave.kernel.errors import (
    ConclaveError,
    Conflict,
    Forbidden,
    Invalid,
    LimitReached,
    NotFound,
    TooLarge,
    Unavailable,
)

Answer = TypeVar("Answer", bound=Message)

PREFIX = "/twirp/livekit.RoomService/"
DEADLINE_S = 5.0
"""For a call with all its repetitions; livekit-server itself gives up an inner call after 3 s."""
PAUSES_S = (0.1, 0.4)
"""Before each repetition of a call that may be repeated."""
MAX_ANSWER = 16 * 1024 * 1024
"""A room of a thousand participants with attributes stays far below."""
MAX_ERROR = 64 * 1024
CONNECTIONS = 32


class KeyRefused(Unavailable):
    """The cluster does not know our API key, or its secret is another one."""


class Twirp:
    """`observe(method, outcome)` is told of each call's end, for the metrics."""

    def __init__(
        self,
        base: str,
        *,
        deadline: float = DEADLINE_S,
        pauses: Sequence[float] = PAUSES_S,
        observe: Callable[[str, str], None] = lambda method, outcome: None,
    ) -> None:
        self._deadline = deadline
        self._pauses = tuple(pauses)
        self._observe = observe
        self._http = httpx2.AsyncClient(
            base_url=base,
            trust_env=False,
            follow_redirects=False,
            timeout=deadline,
            limits=httpx2.Limits(max_connections=CONNECTIONS, keepalive_expiry=30.0),
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def call(
        self,
        method: str,
        request: Message,
        kind: type[Answer],
        *,
        token: str,
        is_repeatable: bool = False,
    ) -> Answer:
        """Raises the kernel's errors; `Unavailable` for everything that is the cluster's fault."""
        outcome = "ok"
        try:
            return await self._call(method, request, kind, token, is_repeatable=is_repeatable)
        except ConclaveError as error:
            outcome = error.code
            raise
        finally:
            self._observe(method, outcome)

    async def _call(
        self, method: str, request: Message, kind: type[Answer], token: str, *, is_repeatable: bool
    ) -> Answer:
        body = request.SerializeToString()
        pauses = list(self._pauses) if is_repeatable else []
        try:
            async with asyncio.timeout(self._deadline):
                while True:
                    try:
                        return _parsed(kind, await self._post(method, body, token))
                    except KeyRefused:
                        raise
                    except Unavailable:
                        if not pauses:
                            raise
                    await asyncio.sleep(pauses.pop(0))
        except TimeoutError:
            msg = f"the LiveKit server did not answer within {self._deadline:g} s"
            raise Unavailable(msg) from None

    async def _post(self, method: str, body: bytes, token: str) -> bytes:
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/protobuf",
            # Nothing is unpacked here: what is compressed all the same cannot be parsed.
            "Accept-Encoding": "identity",
        }
        try:
            async with self._http.stream(
                "POST", PREFIX + method, content=body, headers=headers
            ) as response:
                is_good = response.status_code == 200
                answer = await _read(response, MAX_ANSWER if is_good else MAX_ERROR)
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            msg = f"the LiveKit server cannot be reached ({type(error).__name__})"
            raise Unavailable(msg) from None
        if is_good:
            return answer
        raise error_of(response.status_code, answer)


async def _read(response: httpx2.Response, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > limit:
            msg = "the LiveKit server's answer is too large to be one"
            raise Unavailable(msg)
    return bytes(body)


def _parsed(kind: type[Answer], body: bytes) -> Answer:
    try:
        return kind.FromString(body)
    except DecodeError:
        msg = "the LiveKit server's answer cannot be read; is there a LiveKit server at this URL?"
        raise Unavailable(msg) from None


def error_of(status: int, body: bytes) -> ConclaveError:
    """The kernel's error for a Twirp error, or for an HTTP answer of something in between."""
    code, message = _code_and_message(body)
    if code == "invalid_argument":
        # LiveKit has one code for what is wrong and what is too much; only its words differ.
        if "exceed" in message:
            return TooLarge("this is more than the LiveKit server takes")
        return Invalid("the LiveKit server cannot use this request")
    if code in _ERRORS:
        kind, words = _ERRORS[code]
        return kind(words)
    if code:
        return Unavailable("the LiveKit server could not do this")
    # LiveKit's door checks tokens before Twirp, and answers in plain text.
    by_status = {401: "unauthenticated", 403: "permission_denied", 429: "resource_exhausted"}
    if status in by_status:
        kind, words = _ERRORS[by_status[status]]
        return kind(words)
    return Unavailable(
        f"the LiveKit server's URL answered with status {status}, not as a LiveKit server does"
    )


def _code_and_message(body: bytes) -> tuple[str, str]:
    try:
        error = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(error, dict):
        return "", ""
    code, message = error.get("code"), error.get("msg")
    return (
        code if isinstance(code, str) else "",
        message if isinstance(message, str) else "",
    )


_KEY = "the LiveKit server does not accept the API key; compare CONCLAVE_MEDIA__API_KEYS with its"
_ERRORS: dict[str, tuple[type[ConclaveError], str]] = {
    "not_found": (NotFound, "there is no such room, participant or track"),
    "permission_denied": (Forbidden, "the LiveKit server does not allow this"),
    "unauthenticated": (KeyRefused, _KEY),
    "failed_precondition": (Conflict, "the LiveKit server does not do this as things are"),
    "already_exists": (Conflict, "this is there already"),
    "aborted": (Conflict, "something else was faster"),
    "out_of_range": (Invalid, "the LiveKit server cannot use this request"),
    "resource_exhausted": (LimitReached, "the LiveKit server has reached a limit"),
    "unavailable": (Unavailable, "no LiveKit server answers for this room now"),
    "deadline_exceeded": (Unavailable, "the LiveKit server did not answer in time"),
    "bad_route": (Unavailable, "the LiveKit server does not know this call; is it too old?"),
    "unimplemented": (Unavailable, "the LiveKit server does not know this call; is it too old?"),
}
