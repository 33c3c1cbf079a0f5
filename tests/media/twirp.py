"""A Twirp client for tests: any path, any body, either encoding, and tokens of any kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import httpx2
from google.protobuf import json_format
from google.protobuf.message import Message
from joserfc import jwt
from joserfc.jwk import OctKey

from tests.media.server import MediaServer

Answer = TypeVar("Answer", bound=Message)
ADMIN = {"roomAdmin": True, "room": "room"}
ALL = {"roomCreate": True, "roomList": True, **ADMIN}


def api_token(server: MediaServer, video: dict[str, Any] | None = None, **more: Any) -> str:
    """Signed with the server's own key, valid for ten minutes."""
    keys, now = server.engine.keys, int(server.engine.now().at.timestamp())
    payload = {"iss": keys.primary, "nbf": now, "exp": now + 600, "video": video or ALL, **more}
    key = OctKey.import_key(keys.secret(keys.primary))
    return jwt.encode({"alg": "HS256"}, payload, key, algorithms=["HS256"])


@dataclass
class Refusal(Exception):
    status: int
    code: str
    words: str


class Twirp:
    """Calls of RoomService over HTTP; `encoding` is the MIME type of both directions."""

    def __init__(self, server: MediaServer, encoding: str = "application/protobuf") -> None:
        self.server = server
        self.encoding = encoding
        self.url = f"http://127.0.0.1:{server.port}"
        self.token = api_token(server)
        self.client = httpx2.AsyncClient(base_url=self.url, trust_env=False, timeout=10)

    async def __aenter__(self) -> Twirp:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.client.aclose()

    async def post(self, method: str, body: bytes, **headers: str) -> httpx2.Response:
        return await self.client.post(
            f"/twirp/livekit.RoomService/{method}",
            content=body,
            headers={
                "authorization": f"Bearer {self.token}",
                "content-type": self.encoding,
                **{name.replace("_", "-"): value for name, value in headers.items()},
            },
        )

    async def call(self, method: str, request: Message, answer: type[Answer]) -> Answer:
        """Raises `Refusal`."""
        is_json = self.encoding == "application/json"
        body = (
            json_format.MessageToJson(request).encode() if is_json else request.SerializeToString()
        )
        response = await self.post(method, body)
        if response.status_code != 200:
            raise refusal(response)
        assert response.headers["content-type"] == self.encoding
        if is_json:
            return json_format.Parse(response.content, answer())
        return answer.FromString(response.content)


def refusal(response: httpx2.Response) -> Refusal:
    """The Twirp error of an answer, its form checked."""
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert {"code", "msg"} <= set(body) <= {"code", "msg", "meta"}
    assert all(isinstance(value, str) for value in body.get("meta", {}).values())
    assert body["msg"]
    return Refusal(response.status_code, body["code"], body["msg"])
