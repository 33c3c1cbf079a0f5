"""Latency by load: meetings of ten are added until the server uses a given part of a core.

    .venv/bin/python bench/latency.py --until 50

Each step is a run of its own. Latency is from the publisher's send to the kernel's time stamp at
the subscriber, so it is the server's and the kernel's, plus what the clients take from the server
by running on the same cores: `own %` shows how much that is.
"""

from __future__ import annotations

import argparse
import sys
from itertools import pairwise

from figures import Json, load_binary, load_summary, record, table
from servers import start

P99_LIMIT_MS = 5.0
ROOM = ["--participants", "10", "--video-bitrate", "1000000"]


def step(summary: Json, rooms: int) -> Json:
    return {
        "rooms": rooms,
        "packets_per_second": summary["packets"]["per_second"],
        "cpu_percent": summary["server"]["cpu_percent"],
        "cpu_us_per_packet": summary["server"]["cpu_us_per_packet"],
        "p50_ms": summary["latency_ms"]["p50"],
        "p99_ms": summary["latency_ms"]["p99"],
        "max_ms": summary["latency_ms"]["max"],
        "loss": summary["packets"]["loss"],
        "own_cpu_percent": summary["own"]["cpu_percent"],
        "resident_mb": summary["server"]["resident_mb"],
    }


def at_load(steps: list[Json], percent: float) -> float | None:
    """The 99th percentile at that use of a core, between the two steps around it."""
    for low, high in pairwise(steps):
        if low["cpu_percent"] <= percent <= high["cpu_percent"]:
            width = high["cpu_percent"] - low["cpu_percent"]
            part = (percent - low["cpu_percent"]) / width if width else 1.0
            return float(low["p99_ms"] + part * (high["p99_ms"] - low["p99_ms"]))
    return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--until", type=float, default=50.0, help="per cent of one core")
    parser.add_argument("--most-rooms", type=int, default=10)
    parser.add_argument("--duration", type=float, default=10.0)
    parser.add_argument("--server", default="conclave", choices=["conclave", "livekit"])
    parser.add_argument("--name", default="latency")
    options = parser.parse_args()
    binary = load_binary()
    steps: list[Json] = []
    with start(options.server) as server:
        for rooms in range(1, options.most_rooms + 1):
            arguments = ["--rooms", str(rooms), *ROOM, "--ramp", str(rooms)]
            arguments += ["--duration", str(options.duration), "--room", f"latency-{rooms}"]
            found = step(load_summary(binary, server, arguments), rooms)
            steps.append(found)
            print(f"  {found}", flush=True)
            if found["cpu_percent"] >= options.until:
                break
    rows = [list(found.values()) for found in steps]
    head = ["rooms", "packets/s", "cpu %", "us/packet", "p50 ms", "p99 ms", "max ms", "loss"]
    print(table([*head, "own %", "MB"], rows))
    p99 = at_load(steps, options.until)
    figures: Json = {"server": options.server, "steps": steps, "until_percent": options.until}
    figures["p99_ms_there"] = p99
    print(f"written: {record(options.name, figures, [options.server])}")
    if p99 is None:
        print(f"{options.until:.0f} % of a core was not reached within {len(steps)} rooms")
        return 0
    is_kept = p99 <= P99_LIMIT_MS
    print(f"{'holds' if is_kept else 'FAILS'}: p99 {p99:.2f} ms at {options.until:.0f} % of a core")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
