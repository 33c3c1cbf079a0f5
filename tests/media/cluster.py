"""A real livekit-server on loopback, and a server of ours whose media it carries.

The binary is `livekit-server` in the path, or what `go install` leaves in Go's folder of programs.
Where there is none, tests are skipped with the reason; in CI, where there is Go, they fail. Its
clients are told of no STUN server but one that does not exist here, so that nothing is asked of
another host.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from conclave import media as media_slice
from conclave.app import Product, build
from conclave.kernel.listen import bind
from conclave.kernel.slices import Slice
from conclave.media.engine import MediaEngine
from conclave.media.livekit.engine import ClusterEngine
from conclave.settings import HttpSettings, MediaSettings, Settings
from tests.media.server import Door, free_udp_port, running

KEY = "cluster"
READY_WITHIN = 20.0
STOP_WITHIN = 10.0
_CONFIG = """\
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
  stun_servers: ["127.0.0.1:9"]
webhook:
  api_key: {key}
  urls: [{webhook}]
logging:
  level: warn
"""


def binary() -> Path | None:
    found = shutil.which("livekit-server")
    if found:
        return Path(found)
    folders = [Path.home() / "go" / "bin"]
    if os.environ.get("GOPATH"):
        folders.insert(0, Path(os.environ["GOPATH"]) / "bin")
    for folder in folders:
        # `go install …/cmd/server` names the program after its folder.
        for name in ("livekit-server", "server"):
            if (folder / name).is_file():
                return folder / name
    return None


def require_binary() -> Path:
    path = binary()
    if path is None:
        reason = (
            "livekit-server is not here: "
            "go install github.com/livekit/livekit-server/cmd/server@v1.13.5"
        )
        if os.environ.get("CI") and shutil.which("go"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class LiveKit:
    """A livekit-server that runs."""

    port: int
    secret: str
    log: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """At once: it has nothing to keep, and asked kindly it waits for its participants."""
        self.process.kill()
        self.process.wait(STOP_WITHIN)

    async def silence(self) -> None:
        """Stop it before our server stops, so that no webhook comes meanwhile.

        A connection that it has just made is taken before the listening ends: in between, Python
        3.11 leaves a half-made transport behind.
        """
        self.stop()
        for _ in range(10):
            await asyncio.sleep(0)

    def settings(self) -> MediaSettings:
        return MediaSettings(engine="livekit", livekit_url=self.url, api_keys={KEY: self.secret})

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@contextmanager
def livekit_server(folder: Path, webhook: str) -> Iterator[LiveKit]:
    program = require_binary()
    port, secret = free_port(), secrets.token_hex(32)
    config, log = folder / "livekit.yaml", folder / "livekit.log"
    config.write_text(
        _CONFIG.format(port=port, udp_port=free_udp_port(), key=KEY, secret=secret, webhook=webhook)
    )
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [str(program), "--config", str(config)], stdout=sink, stderr=subprocess.STDOUT
        )
    server = LiveKit(port, secret, log, process)
    try:
        _await_ready(server)
        yield server
    finally:
        server.stop()


def _await_ready(server: LiveKit) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        if server.process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    pytest.fail(f"livekit-server did not start: {server.log.read_text(errors='replace')[-2000:]}")


@dataclass
class ClusterServer(Door):
    """Our server, and the LiveKit server that it steers."""

    engine: ClusterEngine
    product: Product
    port: int
    livekit: LiveKit

    @property
    def media(self) -> MediaEngine:
        return self.engine

    @property
    def url(self) -> str:
        return self.livekit.url

    @property
    def own_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serve_cluster(
    folder: Path, *, slices: Sequence[Slice] = (media_slice.SLICE,)
) -> AsyncIterator[ClusterServer]:
    require_binary()  # before anything is open that a skipped test would leave behind
    sockets = bind("127.0.0.1", 0)
    port = sockets[0].getsockname()[1]
    with livekit_server(folder, f"http://127.0.0.1:{port}/livekit/webhook") as livekit:
        settings = Settings(
            data_dir=folder,
            http=HttpSettings(host="127.0.0.1", port=port),
            media=livekit.settings(),
        )
        product = build(settings, slices=slices, process_metrics=False)
        product.app.port = port
        async with running(product, sockets):
            try:
                yield ClusterServer(product.app.use(ClusterEngine), product, port, livekit)
            finally:
                await livekit.silence()
