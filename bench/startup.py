"""How soon `conclave serve` is ready, and how much memory it takes: idle, and for participants.

.venv/bin/python bench/startup.py
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from figures import Json, load_binary, load_summary, record, resident_mb, spread, table
from servers import Server, livekit_binary, start

READY_LIMIT_S = 2.0
IDLE_LIMIT_MB = 200.0
PARTICIPANT_LIMIT_MB = 3.0
ROOMS = 10
IN_EACH = 3


def memory(server: Server, binary: Path, settle: float) -> Json:
    """Idle, with participants in rooms of three, and what each of them added."""
    time.sleep(settle)
    idle = resident_mb(server.pid)
    arguments = ["--rooms", str(ROOMS), "--participants", str(IN_EACH), "--ramp", "5"]
    arguments += ["--video-bitrate", "300000", "--duration", "10", "--room", "memory"]
    summary = load_summary(binary, server, arguments)
    loaded = summary["server"]["resident_mb"]
    participants = ROOMS * IN_EACH
    return {
        "idle_mb": round(idle, 1),
        "loaded_mb": loaded,
        "participants": participants,
        "per_participant_mb": round((loaded - idle) / participants, 3),
        "after_leaving_mb": round(resident_mb(server.pid), 1),
        "failed_checks": [check["name"] for check in summary["checks"] if not check["holds"]],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--settle", type=float, default=5.0, help="seconds before idle counts")
    parser.add_argument("--name", default="startup")
    options = parser.parse_args()
    binary = load_binary()
    first: list[float | None] = []
    again: list[float | None] = []
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            with start("conclave", data_dir=Path(folder)) as server:
                first.append(server.ready_s)
            with start("conclave", data_dir=Path(folder)) as server:
                again.append(server.ready_s)
    figures: Json = {"ready_first_s": spread(first), "ready_again_s": spread(again)}
    names = ["conclave"] + (["livekit"] if livekit_binary() else [])
    rows = []
    for name in names:
        with start(name) as server:
            found = memory(server, binary, options.settle)
        figures[name] = found
        rows.append([name, found["idle_mb"], found["loaded_mb"], found["per_participant_mb"]])
    print(table(["server", "idle MB", "loaded MB", "MB/participant"], rows))
    print(f"ready: first start {figures['ready_first_s']}, again {figures['ready_again_s']}")
    print(f"written: {record(options.name, figures, names)}")
    ours = figures["conclave"]
    holds = {
        f"ready within {READY_LIMIT_S} s": figures["ready_first_s"]["median"] <= READY_LIMIT_S,
        f"idle below {IDLE_LIMIT_MB} MB": ours["idle_mb"] <= IDLE_LIMIT_MB,
        f"below {PARTICIPANT_LIMIT_MB} MB a participant": ours["per_participant_mb"]
        <= PARTICIPANT_LIMIT_MB,
        "every participant was served": not ours["failed_checks"],
    }
    for text, is_kept in holds.items():
        print(f"{'holds' if is_kept else 'FAILS'}: {text}")
    return 0 if all(holds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
