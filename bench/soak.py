"""Rooms in which people come and go for minutes: memory, descriptors and log must stay calm.

.venv/bin/python bench/soak.py --minutes 10
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from figures import Json, load_binary, load_lines, record, table
from servers import start

WARM_UP_S = 120
# Growth of the mean of the last minute over the mean of the minute after warming up.
MEMORY_GROWTH_LIMIT = 0.03
MEMORY_GROWTH_FLOOR_MB = 5.0
DESCRIPTOR_GROWTH_LIMIT = 6
_BAD_LEVELS = {"error", "critical", "fatal"}
_BAD_LINE = re.compile(r"\b(ERROR|CRITICAL|FATAL|panicked|Traceback)\b")


def troubles(log: Path) -> list[str]:
    """Lines of a server's log that tell of an error: by level, or by their words if not JSON."""
    found = []
    for line in log.read_text(errors="replace").splitlines():
        try:
            is_bad = str(json.loads(line)["level"]).lower() in _BAD_LEVELS
        except (ValueError, TypeError, KeyError):
            is_bad = _BAD_LINE.search(line) is not None
        if is_bad:
            found.append(line[:300])
    return found


def mean(seconds: list[Json], start: float, end: float, key: str) -> float | None:
    values = [
        second["server"][key]
        for second in seconds
        if start <= second["t"] < end and second["server"] is not None
    ]
    return sum(values) / len(values) if values else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rooms", type=int, default=20)
    parser.add_argument("--in-each", type=int, default=3)
    parser.add_argument("--stay", type=float, default=15.0)
    parser.add_argument("--away", type=float, default=3.0)
    parser.add_argument("--server", default="conclave", choices=["conclave", "livekit"])
    parser.add_argument("--name", default="soak")
    options = parser.parse_args()
    if not 0 < options.minutes <= 120:
        parser.error("--minutes must be within 0 and 120")
    total = options.minutes * 60
    warm_up = min(WARM_UP_S, total / 3)
    minute = min(60.0, total / 6)
    arguments = ["--rooms", str(options.rooms), "--participants", str(options.in_each), "--churn"]
    arguments += ["--stay", str(options.stay), "--away", str(options.away), "--ramp", "10"]
    arguments += ["--duration", str(max(total - 10, 1)), "--video-bitrate", "300000"]
    arguments += ["--room", "soak", "--label", "soak"]
    seconds: list[Json] = []
    summary: Json = {}
    binary = load_binary()
    with start(options.server) as server:
        for line in load_lines(binary, server, arguments):
            if line["type"] == "summary":
                summary = line
                continue
            seconds.append(line)
            if len(seconds) % 30 == 0:
                shown = ("connected", "joins", "failures", "packets", "server")
                print(f"  {line['t']:6.0f} s", {key: line[key] for key in shown}, flush=True)
        found = troubles(server.log)
    last = seconds[-1]["t"]
    early = {key: mean(seconds, warm_up, warm_up + minute, key) for key in _KEYS}
    late = {key: mean(seconds, last - minute, last + 1, key) for key in _KEYS}
    growth = {key: _growth(early[key], late[key]) for key in _KEYS}
    joining = summary["joining"]
    memory_limit = max(MEMORY_GROWTH_FLOOR_MB, (early["resident_mb"] or 0) * MEMORY_GROWTH_LIMIT)
    holds = {
        f"memory grows by at most {memory_limit:.1f} MB": growth["resident_mb"] is not None
        and growth["resident_mb"] <= memory_limit,
        f"at most {DESCRIPTOR_GROWTH_LIMIT} descriptors more": growth["descriptors"] is not None
        and growth["descriptors"] <= DESCRIPTOR_GROWTH_LIMIT,
        "no join failed": joining["failures"] == 0,
        "no error in the log": not found,
    }
    rows = [[key, early[key], late[key], growth[key]] for key in _KEYS]
    print(table(["", f"from {warm_up:.0f} s", "at the end", "growth"], rows))
    print(f"joins {joining['joins']}, failures {joining['failures']} {joining['reasons'][:3]}")
    for trouble in found[:5]:
        print(f"log: {trouble}")
    figures: Json = {
        "minutes": options.minutes,
        "participants": options.rooms * options.in_each,
        "early": early,
        "late": late,
        "growth": growth,
        "joining": joining,
        "log_errors": len(found),
        "holds": holds,
        "every_tenth_second": [
            {"t": line["t"], "connected": line["connected"], **(line["server"] or {})}
            for line in seconds[::10]
        ],
    }
    print(f"written: {record(options.name, figures, [options.server])}")
    for text, is_kept in holds.items():
        print(f"{'holds' if is_kept else 'FAILS'}: {text}")
    return 0 if all(holds.values()) else 1


_KEYS = ("resident_mb", "descriptors", "cpu_percent")


def _growth(early: float | None, late: float | None) -> float | None:
    return None if early is None or late is None else late - early


if __name__ == "__main__":
    sys.exit(main())
