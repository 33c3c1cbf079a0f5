"""CPU per forwarded packet, loss and latency: ours and livekit-server, interleaved A B A B.

The same clients send the same packets to both. What is compared is the server's CPU time (user
and system, with what the kernel does on its behalf) divided by the packets that subscribers
received. On one machine the clients compete with the server for the cores, so the latency here is
an upper bound; it is taken from the kernel's time stamps at the receiver.

    .venv/bin/python bench/compare.py --runs 5
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Sequence

from figures import Json, load_binary, load_summary, median, ratio, record, spread, table
from servers import Server, livekit_binary, start

# Rates as cameras send them; a frame's packets leave within 2 ms unless a scenario says otherwise.
SCENARIOS: dict[str, list[str]] = {
    "video-1-to-20": ["--publishers", "1", "--subscribers", "20", "--media", "video"],
    "audio-2-to-50": ["--publishers", "2", "--subscribers", "50", "--media", "audio"],
    "meeting-10x10": ["--participants", "10", "--video-bitrate", "1000000"],
    "video-1-to-20-spread": [
        "--publishers", "1", "--subscribers", "20", "--media", "video", "--burst-ms", "20",
    ],
}  # fmt: skip
TARGET_RATIO = 1 / 3


def measure(
    servers: Sequence[Server], scenarios: Sequence[str], runs: int, duration: float
) -> dict[str, dict[str, list[Json]]]:
    """Summaries by scenario and server; within a scenario the servers take turns."""
    binary = load_binary()
    found: dict[str, dict[str, list[Json]]] = {}
    for scenario in scenarios:
        found[scenario] = {server.name: [] for server in servers}
        for run in range(runs):
            for server in servers:
                name = f"{scenario}-{run}"
                arguments = [*SCENARIOS[scenario], "--duration", str(duration), "--ramp", "1.5"]
                arguments += ["--room", name, "--label", name, "--seed", str(run + 1)]
                summary = load_summary(binary, server, arguments)
                found[scenario][server.name].append(summary)
                packet = summary["server"]["cpu_us_per_packet"]
                p99 = summary["latency_ms"]["p99"]
                loss = summary["packets"]["loss"]
                print(
                    f"  {name:24} {server.name:9} {packet} us/packet, p99 {p99} ms, loss {loss}",
                    flush=True,
                )
    return found


def condense(runs: Sequence[Json]) -> Json:
    return {
        "cpu_us_per_packet": spread([run["server"]["cpu_us_per_packet"] for run in runs]),
        "cpu_percent": spread([run["server"]["cpu_percent"] for run in runs]),
        "user_s": spread([run["server"]["user_s"] for run in runs]),
        "system_s": spread([run["server"]["system_s"] for run in runs]),
        "packets_per_second": spread([run["packets"]["per_second"] for run in runs]),
        "lost": sum(run["packets"]["lost"] for run in runs),
        "expected": sum(run["packets"]["expected"] for run in runs),
        "loss": spread([run["packets"]["loss"] for run in runs]),
        "latency_p50_ms": spread([run["latency_ms"]["p50"] for run in runs]),
        "latency_p99_ms": spread([run["latency_ms"]["p99"] for run in runs]),
        "interruptions": sum(run["streams"]["interruptions"] for run in runs),
        "connected_p50_ms": spread([run["joining"]["connected_ms"]["p50"] for run in runs]),
        "resident_mb": spread([run["server"]["resident_mb"] for run in runs]),
        "failed_checks": [
            check["name"] for run in runs for check in run["checks"] if not check["holds"]
        ],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--duration", type=float, default=10.0)
    parser.add_argument("--scenario", action="append", choices=sorted(SCENARIOS))
    parser.add_argument("--server", action="append", choices=["conclave", "livekit"])
    parser.add_argument("--name", default="compare")
    options = parser.parse_args()
    names = options.server or ["conclave", "livekit"]
    if "livekit" in names and livekit_binary() is None:
        print("livekit-server is not installed (LIVEKIT_SERVER): measuring ours alone")
        names = [name for name in names if name != "livekit"]
    scenarios = options.scenario or list(SCENARIOS)
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(start(name)) for name in names]
        found = measure(servers, scenarios, options.runs, options.duration)
    results: Json = {}
    rows = []
    for scenario, by_server in found.items():
        condensed = {name: condense(runs) for name, runs in by_server.items()}
        cpu = {name: it["cpu_us_per_packet"]["median"] for name, it in condensed.items()}
        times = ratio(cpu.get("conclave"), cpu.get("livekit"))
        results[scenario] = {"arguments": SCENARIOS[scenario], **condensed, "cpu_ratio": times}
        for name, it in condensed.items():
            spent = it["cpu_us_per_packet"]
            rows.append([
                scenario, name, spent["median"], f"{spent['min']}-{spent['max']}",
                times if name == "conclave" else None, it["packets_per_second"]["median"],
                f"{it['lost']}/{it['expected']}", it["latency_p50_ms"]["median"],
                it["latency_p99_ms"]["median"], median([it["resident_mb"]["median"]]),
            ])  # fmt: skip
    head = ["scenario", "server", "us/packet", "range", "ratio", "packets/s", "lost", "p50 ms",
            "p99 ms", "MB"]  # fmt: skip
    print(table(head, rows))
    figures: Json = {"runs": options.runs, "duration_s": options.duration, "scenarios": results}
    print(f"written: {record(options.name, figures, names)}")
    failed = [it for result in results.values() for it in _failures(result)]
    return 1 if failed else 0


def _failures(result: Json) -> list[str]:
    return [check for name in ("conclave", "livekit") for check in _checks(result, name)]


def _checks(result: Json, name: str) -> list[str]:
    return list(result[name]["failed_checks"]) if name in result else []


if __name__ == "__main__":
    sys.exit(main())
