"""What all benchmarks share: running the load generator, medians, tables, result files."""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from servers import API_KEY, BENCH, OUT, ROOT, Server, version_of

RESULTS = BENCH / "results"
Json = dict[str, Any]


@cache
def load_binary() -> Path:
    """Build the load generator if its sources changed, and name it."""
    manifest = ROOT / "media" / "Cargo.toml"
    command = ["cargo", "build", "--release", "--quiet", "-p", "conclave-load"]
    subprocess.run([*command, "--manifest-path", str(manifest)], check=True, cwd=ROOT)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "media" / "target"))
    return target / "release" / "conclave-load"


@cache
def go_binary() -> Path | None:
    """Build the client on LiveKit's Go SDK, and name it; `None` where Go or its modules lack."""
    go, source = shutil.which("go"), BENCH / "go"
    if go is None or subprocess.run([go, "mod", "download"], check=False, cwd=source).returncode:
        return None
    OUT.mkdir(exist_ok=True)
    target = OUT / "go-load"
    subprocess.run([go, "build", "-o", str(target), "."], check=True, cwd=source)
    return target


def load_lines(binary: Path, server: Server, arguments: Sequence[str]) -> Iterator[Json]:
    """Run the generator against a server; its JSON lines as they come."""
    command = [str(binary), "--url", server.url, "--api-key", API_KEY]
    command += ["--server-pid", str(server.pid), *arguments]
    environment = {**os.environ, "LIVEKIT_API_SECRET": server.secret}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                yield json.loads(line)
        finally:
            if process.poll() is None:
                process.terminate()
    if process.returncode == 2:
        message = "the load generator could not run"
        raise RuntimeError(message)
    server.assert_alive()


def load_summary(binary: Path, server: Server, arguments: Sequence[str]) -> Json:
    """Run the generator and take its summary alone."""
    *_, summary = load_lines(binary, server, ["--quiet", *arguments])
    return summary


def machine() -> Json:
    """What figures depend on."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_1m": round(os.getloadavg()[0], 2),
    }


def resident_mb(pid: int) -> float:
    """Of a process and its children, in 10^6 bytes."""
    total = 0
    waiting = [pid]
    while waiting:
        folder = Path(f"/proc/{waiting.pop()}")
        for line in (folder / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
        for task in (folder / "task").iterdir():
            waiting += [int(child) for child in (task / "children").read_text().split()]
    return total / 1e6


def processor_seconds(task: Path) -> float:
    """User and system time so far of a process or thread, by its folder in /proc."""
    fields = (task / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def record(name: str, figures: Json, servers: Sequence[str]) -> Path:
    """Write a result file with machine, versions and time."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    command = ["git", "rev-parse", "--short", "HEAD"]
    revision = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    document = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "revision": revision.stdout.strip() or None,
        "machine": machine(),
        "versions": {server: version_of(server) for server in servers},
        **figures,
    }
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def median(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return statistics.median(present) if present else None


def spread(values: Sequence[float | None]) -> Json:
    """Median, smallest and largest of what was measured."""
    present = [value for value in values if value is not None]
    if not present:
        return {"median": None, "min": None, "max": None, "n": 0}
    return {
        "median": round(statistics.median(present), 3),
        "min": round(min(present), 3),
        "max": round(max(present), 3),
        "n": len(present),
    }


def ratio(ours: float | None, theirs: float | None) -> float | None:
    return round(ours / theirs, 3) if ours is not None and theirs else None


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns of text, numbers to the right."""
    texts = [[_cell(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[at]) for row in texts) for at in range(len(head))]
    lines = []
    for number, row in enumerate(texts):
        cells = [
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
        if number == 0:
            lines.append("  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.2f}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)
