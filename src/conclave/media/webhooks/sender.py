"""One webhook request: signed as LiveKit's, sent once, judged by its status alone.

Redirects are not followed, proxies of the environment are not used, and no more than a few
kilobytes of an answer are read. Must never log or return a word of the body, the answer or the URL.
"""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from datetime import timedelta
from typing import TYPE_CHECKING

from joserfc import jwt
from joserfc.jwk import OctKey

from conclave.kernel.clock import Clock

if TYPE_CHECKING:
    import httpx2

TIMEOUT_S = 10.0
"""For everything from the connection to the answer's status."""
VALIDITY = timedelta(minutes=5)
CONTENT_TYPE = "application/webhook+json"
"""LiveKit's own type: a framework must not parse the body before the signature is checked."""
_READ_LIMIT = 16 * 1024


class WebhookSender:
    def __init__(
        self, clock: Clock, key: str, secret: str, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._clock = clock
        self._key = key
        self._secret = OctKey.import_key(secret)
        self._timeout_s = timeout_s
        self._client: httpx2.AsyncClient | None = None

    async def post(self, url: str, body: bytes) -> str:
        """Empty when the receiver has taken it, else a word on what went wrong."""
        import httpx2

        if self._client is None:
            self._client = httpx2.AsyncClient(
                timeout=self._timeout_s, follow_redirects=False, trust_env=False
            )
        headers = {"content-type": CONTENT_TYPE, "authorization": self.sign(body)}
        try:
            async with (
                asyncio.timeout(self._timeout_s),
                self._client.stream("POST", url, content=body, headers=headers) as answer,
            ):
                status = answer.status_code
                read = 0
                # A short answer is read to its end, so that the connection can serve again.
                async for piece in answer.aiter_raw():
                    read += len(piece)
                    if read > _READ_LIMIT:
                        break
        except TimeoutError:
            return "timeout"
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            return type(error).__name__
        return "" if 200 <= status < 300 else f"status {status}"

    def sign(self, body: bytes) -> str:
        now = self._clock.now()
        payload = {
            "iss": self._key,
            "nbf": int(now.timestamp()),
            "exp": int((now + VALIDITY).timestamp()),
            "sha256": b64encode(hashlib.sha256(body).digest()).decode(),
        }
        header = {"alg": "HS256", "typ": "JWT"}
        return jwt.encode(header, payload, self._secret, algorithms=["HS256"])

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
