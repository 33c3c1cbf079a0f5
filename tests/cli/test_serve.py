"""`conclave serve` as a process: starting, stopping, being killed, and coming back."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from websockets.sync.client import connect
from websockets.typing import Origin

import conclave

pytestmark = [pytest.mark.unit, pytest.mark.xdist_group("serve")]

START_S = 60.0  # a second or two; more where many tests share the machine


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A server process on loopback, without media."""

    def __init__(self, folder: Path, port: int, **settings: str) -> None:
        environment = {name: value for name, value in os.environ.items() if "CONCLAVE" not in name}
        scheme = "http" if settings.get("CONCLAVE_HTTP__TLS", "off") == "off" else "https"
        self.base = f"{scheme}://localhost:{port}"
        self.port = port
        self._out = folder / "out.txt"
        self._err = folder / "err.txt"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "conclave", "serve"],
                env={
                    **environment,
                    "PYTHONPATH": str(Path(conclave.__file__).parents[1]),
                    "CONCLAVE_DATA_DIR": str(folder / "data"),
                    "CONCLAVE_HTTP__HOST": "127.0.0.1",
                    "CONCLAVE_HTTP__PORT": str(port),
                    "CONCLAVE_MEDIA__ENGINE": "fake",
                    **settings,
                },
                stdout=out,
                stderr=err,
            )

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    def client(self) -> httpx2.Client:
        return httpx2.Client(
            base_url=self.base,
            headers={"origin": self.base, "x-conclave": "1"},
            verify=False,
            timeout=10,
        )

    def wait(self) -> None:
        """Until it says that it is ready."""
        deadline = time.monotonic() + START_S
        with self.client() as client:
            while time.monotonic() < deadline:
                assert self.process.poll() is None, self.err
                with contextlib.suppress(httpx2.TransportError):
                    if client.get("/readyz").status_code == 200:
                        return
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(0.05)
        pytest.fail(f"not ready after {START_S} s: {self.err}")

    def link_token(self) -> str:
        found = re.findall(r"^Operator link: (\S+)/operator#([\w-]{43})$", self.out, re.MULTILINE)
        assert len(found) == 1, self.out
        assert found[0][0] == self.base
        return str(found[0][1])

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(15)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@contextlib.contextmanager
def running(folder: Path, port: int | None = None, **settings: str) -> Iterator[Server]:
    server = Server(folder, port or _free_port(), **settings)
    try:
        server.wait()
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait(10)


def _sign_in(server: Server, client: httpx2.Client) -> None:
    answer = client.post("/api/v1/operator-link", json={"token": server.link_token()})
    assert answer.status_code == 200, answer.text


def test_the_first_start_to_the_first_meeting_and_a_clean_stop(folder: Path) -> None:
    with running(folder) as server, server.client() as client:
        assert server.out.count("\n") == 1, "one line on standard output"
        _sign_in(server, client)
        meeting = client.post("/api/v1/meetings").json()
        assert client.get(f"/api/v1/meetings/{meeting['id']}").json()["is_host"] is True
        cookie = f"conclave={client.cookies['conclave']}"
        address = f"ws://127.0.0.1:{server.port}/api/v1/realtime"
        with connect(
            address,
            origin=Origin(f"http://127.0.0.1:{server.port}"),
            additional_headers={"cookie": cookie},
            proxy=None,
        ) as socket_:
            assert '"hello"' in str(socket_.recv(5))
            began = time.monotonic()
            server.process.send_signal(signal.SIGTERM)
            assert '"bye"' in str(socket_.recv(5))
        assert server.process.wait(12) == 0
        assert time.monotonic() - began < 10
        assert "Traceback" not in server.err, server.err
        assert client.cookies["conclave"] not in server.err


def test_killed_and_started_again_it_knows_its_meetings(folder: Path) -> None:
    port = _free_port()
    with running(folder, port) as first, first.client() as client:
        _sign_in(first, client)
        meetings = [client.post("/api/v1/meetings").json()["id"] for _ in range(3)]
        assert client.post(f"/api/v1/meetings/{meetings[0]}/end").status_code == 204
        first.end(signal.SIGKILL)
        with running(folder, port) as second:
            assert second.out == "", "the operator exists: no link is printed"
            listed = client.get("/api/v1/meetings").json()["meetings"]
            assert {meeting["id"] for meeting in listed} == set(meetings[1:])
            assert second.end(signal.SIGINT) == 0


def test_each_start_without_an_operator_prints_a_fresh_link(folder: Path) -> None:
    port = _free_port()
    with running(folder, port) as first:
        old = first.link_token()
        assert first.end(signal.SIGTERM) == 0
    with running(folder, port) as second, second.client() as client:
        assert second.link_token() != old
        assert client.post("/api/v1/operator-link", json={"token": old}).status_code == 404
        _sign_in(second, client)


def test_a_new_link_while_the_server_runs(folder: Path) -> None:
    with running(folder) as server, server.client() as client:
        _sign_in(server, client)
        user = client.get("/api/v1/session").json()["user"]
        made = subprocess.run(
            [sys.executable, "-m", "conclave", "operator-link"],
            env={
                **os.environ,
                "PYTHONPATH": str(Path(conclave.__file__).parents[1]),
                "CONCLAVE_DATA_DIR": str(folder / "data"),
                "CONCLAVE_HTTP__PORT": str(server.port),
            },
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
        )
        token = made.stdout.strip().partition("#")[2]
        with server.client() as other:
            assert other.post("/api/v1/operator-link", json={"token": token}).status_code == 200
            assert other.get("/api/v1/session").json()["user"]["id"] == user["id"]


def test_a_taken_port_is_one_line_and_code_1(folder: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        server = Server(folder, port)
        assert server.process.wait(START_S) == 1
        assert server.out == ""
        lines = server.err.splitlines()
        assert len(lines) == 1
        assert lines[0].startswith(f"conclave: Port {port} is taken")


def test_a_newer_database_is_one_line_and_code_1(folder: Path) -> None:
    import sqlite3

    with running(folder) as server:
        server.end(signal.SIGTERM)
    database = sqlite3.connect(folder / "data" / "conclave.db")
    database.execute("UPDATE schema_version SET version = 99, compat = 99")
    database.commit()
    database.close()
    server = Server(folder, _free_port())
    assert server.process.wait(START_S) == 1
    assert [line for line in server.err.splitlines() if line.startswith("conclave: ")] == [
        line for line in server.err.splitlines() if "schema 99" in line
    ]
    assert "Traceback" not in server.err, server.err


def test_with_a_certificate_of_its_own(folder: Path) -> None:
    with running(folder, CONCLAVE_HTTP__TLS="self-signed") as server, server.client() as client:
        answer = client.post("/api/v1/operator-link", json={"token": server.link_token()})
        assert answer.headers["set-cookie"].startswith("__Host-conclave=")
        assert "Secure" in answer.headers["set-cookie"]
        assert client.get("/api/v1/session").json()["user"] is not None
        assert (folder / "data" / "tls.key").stat().st_mode & 0o077 == 0
        assert server.end(signal.SIGTERM) == 0
