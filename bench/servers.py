"""The servers under measurement as processes on loopback: ours, and livekit-server beside it.

livekit-server is what `$LIVEKIT_SERVER` names, or `~/go/bin/server`; without it, only ours is
measured. Both get one UDP port, loopback candidates alone, and log warnings to a file in
`bench/out`. Must only end processes that it started.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import apart

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
OUT = BENCH / "out"
READY_WITHIN = 30.0
STOP_WITHIN = 15.0
API_KEY = "bench"

_LIVEKIT_CONFIG = """\
port: {port}
bind_addresses: ["127.0.0.1"]
keys:
  {key}: {secret}
rtc:
  udp_port: {udp_port}
  tcp_port: 0
  use_external_ip: false
  node_ip: 127.0.0.1
  enable_loopback_candidate: true
  interfaces:
    includes: ["lo"]
logging:
  level: warn
"""


# All clients of a run come from one address.
_OPEN_DOOR = {
    "CONCLAVE_SEALING__FREE_KNOCKS_PER_SOURCE": "1000",
    "CONCLAVE_SEALING__FREE_KNOCKS_PER_MEETING": "1000",
    "CONCLAVE_SEALING__SOCKETS_PER_SOURCE": "1000000",
    "CONCLAVE_LIMITS__LOOKUPS_PER_SOURCE": "1000000",
}


@dataclass
class Server:
    """A server that runs. `ready_s` is the time from its start to its first good answer."""

    name: str
    port: int
    secret: str = field(repr=False)
    process: subprocess.Popen[bytes]
    log: Path
    ready_s: float = 0.0
    operator_link: str | None = None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def http_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def pid(self) -> int:
        return self.process.pid

    def assert_alive(self) -> None:
        if self.process.poll() is not None:
            message = f"{self.name} ended with {self.process.returncode}, see {self.log}"
            raise RuntimeError(message)


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, span: int = 1) -> int:
    """A port such that it and the `span - 1` after it are free on 127.0.0.1 right now."""
    for _ in range(200):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        try:
            for offset in range(1, span):
                with socket.socket(socket.AF_INET, kind) as neighbour:
                    neighbour.bind(("127.0.0.1", port + offset))
        except (OSError, OverflowError):
            continue
        return port
    message = "no free port found"
    raise RuntimeError(message)


def livekit_binary() -> Path | None:
    named = os.environ.get("LIVEKIT_SERVER")
    path = Path(named) if named else Path.home() / "go" / "bin" / "server"
    return path if path.is_file() else None


def version_of(name: str) -> str | None:
    """The version that a server's own command prints."""
    if name == "conclave":
        command = [sys.executable, "-m", "conclave", "version"]
    else:
        binary = livekit_binary()
        if binary is None:
            return None
        command = [str(binary), "--version"]
    output = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    return output.stdout.strip() or None


@contextlib.contextmanager
def start(
    name: str,
    *,
    data_dir: Path | None = None,
    shards: int | None = None,
    is_crowded: bool = False,
) -> Iterator[Server]:
    """Start `conclave` or `livekit` and wait until it answers; stop it at the end. `is_crowded`:
    its door takes as few knocks as it does outside of a benchmark."""
    OUT.mkdir(exist_ok=True)
    with contextlib.ExitStack() as stack:
        if data_dir is None:
            data_dir = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        recipe = _conclave(data_dir, shards) if name == "conclave" else _livekit(data_dir)
        if name == "conclave" and not is_crowded:
            recipe.environment.update(_OPEN_DOOR)
        server = _spawn(name, recipe)
        try:
            yield server
        finally:
            _stop(server.process)


@dataclass
class _Recipe:
    command: list[str]
    environment: dict[str, str]
    port: int
    secret: str
    # The path that answers 200 once the server is ready.
    probe: str


def _conclave(data_dir: Path, shards: int | None) -> _Recipe:
    shards = shards or os.cpu_count() or 1
    port, udp_port = free_port(), free_port(socket.SOCK_DGRAM, span=shards)
    secret = secrets.token_hex(32)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CONCLAVE_")}
    environment |= {
        "CONCLAVE_DATA_DIR": str(data_dir),
        "CONCLAVE_HTTP__HOST": "127.0.0.1",
        "CONCLAVE_HTTP__PORT": str(port),
        "CONCLAVE_MEDIA__ADDRESSES": "127.0.0.1",
        "CONCLAVE_MEDIA__UDP_PORT": str(udp_port),
        "CONCLAVE_MEDIA__SHARDS": str(shards),
        "CONCLAVE_MEDIA__API_KEYS": f"{API_KEY}: {secret}",
        "CONCLAVE_LOG__LEVEL": "warning",
        "CONCLAVE_LOG__FORMAT": "json",
    }
    command = [sys.executable, "-m", "conclave", "serve"]
    return _Recipe(command, environment, port, secret, "/readyz")


def _livekit(data_dir: Path) -> _Recipe:
    binary = livekit_binary()
    if binary is None:
        message = "livekit-server is not there: set LIVEKIT_SERVER"
        raise RuntimeError(message)
    port, udp_port = free_port(), free_port(socket.SOCK_DGRAM)
    secret = secrets.token_hex(32)
    config = data_dir / "livekit.yaml"
    text = _LIVEKIT_CONFIG.format(port=port, udp_port=udp_port, key=API_KEY, secret=secret)
    config.write_text(text)
    return _Recipe([str(binary), "--config", str(config)], dict(os.environ), port, secret, "/")


def _spawn(name: str, recipe: _Recipe) -> Server:
    log = OUT / f"{name}.log"
    started = time.monotonic()
    with log.open("wb") as sink:
        process = subprocess.Popen(
            apart.server_command(recipe.command),
            env=recipe.environment,
            stdout=sink,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        )
    server = Server(name, recipe.port, recipe.secret, process, log)
    try:
        _await_ready(server, recipe.probe)
    except BaseException:
        _stop(process)
        raise
    server.ready_s = time.monotonic() - started
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith("Operator link: "):
            server.operator_link = line.removeprefix("Operator link: ").strip()
    return server


def _await_ready(server: Server, probe: str) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        if server.process.poll() is not None:
            tail = server.log.read_text(errors="replace")[-2000:]
            message = f"{server.name} ended with {server.process.returncode}: {tail}"
            raise RuntimeError(message)
        if _answers(server.port, probe):
            return
        time.sleep(0.005)
    message = f"{server.name} was not ready within {READY_WITHIN} s, see {server.log}"
    raise RuntimeError(message)


def _answers(port: int, probe: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", probe)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_WITHIN)
