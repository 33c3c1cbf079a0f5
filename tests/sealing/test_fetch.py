"""The invitation that a personal link leads to, asked of a server that may answer anything."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from conclave_sealing.fetch import fetch_invitation
from conclave_sealing.keys import b64
from tests.sealing.test_invited import invitation, personal
from tests.sealing.test_member import LINK, MEETING

pytestmark = pytest.mark.unit

CONTENT = invitation("Anna").encode()


class _Server(HTTPServer):
    status, answer = 200, b""
    asked: list[str]


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        self.server.asked.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent."""


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server(("127.0.0.1", 0), _Answer) as made:
        made.asked = []
        serving = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield made
        made.shutdown()
        serving.join()


def _url(server: _Server) -> str:
    return f"ws://127.0.0.1:{server.server_port}"


async def test_it_asks_by_the_id_and_shows_no_seed(server: _Server) -> None:
    server.answer = json.dumps({"certificate": b64(CONTENT), "state": "unused"}).encode()
    assert await fetch_invitation(_url(server), personal("Anna")) == CONTENT
    assert server.asked == [f"/api/v1/meetings/{MEETING}/invitations/{invitation('Anna').id_text}"]


async def test_a_link_without_a_seed_asks_for_nothing(server: _Server) -> None:
    assert await fetch_invitation(_url(server), LINK) is None
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (404, b'{"code": "not_found"}'),
        (302, b""),
        (500, b""),
        (200, b""),
        (200, b"[]"),
        (200, b"{}"),
        (200, b"\xff"),
        (200, b"[" * 9_000),
        (200, b'{"certificate": 5}'),
        (200, b'{"certificate": "A=="}'),
        (200, json.dumps({"certificate": "A" * 20_000}).encode()),
    ],
)
async def test_any_other_answer_is_none(server: _Server, status: int, answer: bytes) -> None:
    server.status, server.answer = status, answer
    assert await fetch_invitation(_url(server), personal("Anna")) is None
    assert len(server.asked) == 1


async def test_a_server_that_is_not_there_is_said() -> None:
    with pytest.raises(OSError, match=r"."):
        await fetch_invitation("ws://127.0.0.1:1", personal("Anna"))
