"""The product as a process: started, stopped, killed and started again, as an operator would.

The Python that runs it is this one, or the one that `CONCLAVE_E2E_PYTHON` names (an installed
wheel). All of its addresses are loopback ones.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

READY_WITHIN = 20.0
STOP_WITHIN = 12.0


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


class Product:
    """One `conclave serve` with a data folder, ports and optionally a network namespace."""

    def __init__(self, data_dir: Path, *, namespace: str | None = None, shards: int = 2) -> None:
        self.data_dir = data_dir
        self.namespace = namespace
        self.port = free_port()
        self.udp_port = free_port(socket.SOCK_DGRAM, span=shards)
        self.url = f"http://localhost:{self.port}"
        self.operator_link: str | None = None
        self.environment = {
            "CONCLAVE_DATA_DIR": str(data_dir),
            "CONCLAVE_HTTP__HOST": "127.0.0.1",
            "CONCLAVE_HTTP__PORT": str(self.port),
            "CONCLAVE_MEDIA__ADDRESSES": "127.0.0.1",
            "CONCLAVE_MEDIA__UDP_PORT": str(self.udp_port),
            "CONCLAVE_MEDIA__SHARDS": str(shards),
        }
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._log = data_dir / "serve.log"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def command(self, *arguments: str) -> list[str]:
        python = os.environ.get("CONCLAVE_E2E_PYTHON", sys.executable)
        prefix = ["ip", "netns", "exec", self.namespace] if self.namespace else []
        return [*prefix, python, "-m", "conclave", *arguments]

    def start(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("CONCLAVE_")}
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self.command("serve"),
                env={**environment, **self.environment},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self.data_dir,
            )
        self._reader = threading.Thread(target=self._read_output, daemon=True)
        self._reader.start()
        self._await_ready()

    def _read_output(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        with process.stdout as output:
            for line in output:
                if found := re.match(r"Operator link: (\S+)", line):
                    self.operator_link = found.group(1)

    def _await_ready(self) -> None:
        assert self._process is not None
        until = time.monotonic() + READY_WITHIN
        while time.monotonic() < until:
            if self._process.poll() is not None:
                message = f"conclave ended with {self._process.returncode}:\n{self.log()}"
                raise RuntimeError(message)
            if self._answers():
                return
            time.sleep(0.05)
        message = f"conclave was not ready within {READY_WITHIN} s:\n{self.log()}"
        raise RuntimeError(message)

    def _answers(self) -> bool:
        if self.namespace:
            probe: Sequence[str] = [
                "ip", "netns", "exec", self.namespace, sys.executable, "-c",
                "import urllib.request;"
                f"urllib.request.urlopen('http://127.0.0.1:{self.port}/readyz', timeout=2)",
            ]  # fmt: skip
            return subprocess.run(probe, capture_output=True, check=False).returncode == 0
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False

    def stop(self) -> int:
        """SIGTERM, as a service manager does; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return self._wait()

    def kill(self) -> None:
        """SIGKILL: nothing can be tidied up."""
        assert self._process is not None
        self._process.kill()
        self._wait()

    def _wait(self) -> int:
        assert self._process is not None
        assert self._reader is not None
        code = self._process.wait(STOP_WITHIN)
        self._reader.join(STOP_WITHIN)
        return code

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            try:
                self.stop()
            except subprocess.TimeoutExpired:
                self.kill()

    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""
