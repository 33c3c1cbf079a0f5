"""CPU per forwarded packet, loss, latency and memory: ours and livekit-server, interleaved A B A B.

The same clients send the same packets to both. What is compared is the server's CPU time (user
and system, with what the kernel does on its behalf) divided by the packets that subscribers
received. On one machine the clients compete with the server for the cores, so the latency here is
an upper bound; it is taken from the kernel's time stamps at the receiver. Every run has a server of
its own, so that memory is what this scenario takes and one server runs at a time.

    .venv/bin/python bench/compare.py --runs 5
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import apart
from figures import (
    Json,
    go_binary,
    load_binary,
    load_summary,
    ratio,
    record,
    resident_mb,
    spread,
    table,
)
from servers import livekit_binary, start


@dataclass(frozen=True)
class Scenario:
    """`client`: who makes the load, `conclave-load` or the client on LiveKit's Go SDK."""

    arguments: tuple[str, ...]
    client: str = "load"


def _scenario(text: str, client: str = "load") -> Scenario:
    return Scenario(tuple(text.split()), client)


_MEETING = "--participants 10 --simulcast --video-bitrate 1000000"
# Rates as cameras send them; a frame's packets leave within 2 ms unless a scenario says otherwise.
SCENARIOS: dict[str, Scenario] = {
    "video-1-to-20": _scenario("--publishers 1 --subscribers 20 --media video --simulcast"),
    "audio-2-to-50": _scenario("--publishers 2 --subscribers 50 --media audio --ramp 2"),
    "audio-2-to-150": _scenario("--publishers 2 --subscribers 150 --media audio --ramp 6"),
    "meeting-5x10": _scenario(
        "--publishers 5 --subscribers 10 --simulcast --video-bitrate 1000000"
    ),
    "meeting-10x10": _scenario(_MEETING),
    "meeting-10x10-dual": _scenario(f"{_MEETING} --connection dual"),
    "video-1-to-20-spread": _scenario(
        "--publishers 1 --subscribers 20 --media video --burst-ms 20"
    ),
    "go-1-to-20": _scenario("--publishers 1 --subscribers 20 --media video --simulcast", "go"),
}
TARGET_RATIO = 1 / 4
BINARIES: dict[str, Callable[[], Path | None]] = {"load": load_binary, "go": go_binary}


@dataclass(frozen=True)
class Pace:
    runs: int
    duration: float
    settle: float


def measure(names: Sequence[str], scenarios: Sequence[str], pace: Pace) -> dict[str, Json]:
    """Summaries by scenario and server; within a scenario the servers take turns."""
    found: dict[str, Json] = {}
    for scenario in scenarios:
        found[scenario] = {name: [] for name in names}
        for run in range(pace.runs):
            for name in names:
                found[scenario][name].append(_run(name, scenario, run, pace))
    return found


def _run(name: str, scenario: str, run: int, pace: Pace) -> Json:
    label = f"{scenario}-{run}"
    arguments = [*SCENARIOS[scenario].arguments, "--duration", str(pace.duration)]
    arguments += ["--room", label, "--label", label, "--seed", str(run + 1)]
    if "--ramp" not in arguments:
        arguments += ["--ramp", "1.5"]
    binary = BINARIES[SCENARIOS[scenario].client]()
    assert binary is not None
    with start(name) as server:
        time.sleep(pace.settle)
        idle = resident_mb(server.pid)
        summary = load_summary(binary, server, arguments)
    used = summary["server"]["resident_mb"] - idle
    summary["memory"] = {
        "idle_mb": round(idle, 1),
        "per_participant_mb": round(used / _participants(summary["scenario"]), 3),
    }
    packet, p99 = summary["server"]["cpu_us_per_packet"], summary["latency_ms"]["p99"]
    loss, failed = summary["packets"]["loss"], _failed(summary)
    text = f"  {label:24} {name:9} {packet} us/packet, p99 {p99} ms, loss {loss}"
    print(f"{text}{', failed: ' + ', '.join(failed) if failed else ''}", flush=True)
    return summary


def _participants(scenario: Json) -> int:
    kinds = ("publishers", "participants", "subscribers")
    return int(scenario["rooms"] * sum(scenario[kind] for kind in kinds))


def _failed(summary: Json) -> list[str]:
    return [check["name"] for check in summary["checks"] if not check["holds"]]


def condense(runs: Sequence[Json]) -> Json:
    def of(part: str, field: str) -> Json:
        return spread([run[part][field] for run in runs])

    return {
        "cpu_us_per_packet": of("server", "cpu_us_per_packet"),
        "cpu_percent": of("server", "cpu_percent"),
        "user_s": of("server", "user_s"),
        "system_s": of("server", "system_s"),
        "packets_per_second": of("packets", "per_second"),
        "subscriber_mbits": spread([_each(run)["mean"] for run in runs]),
        "subscriber_mbits_least": spread([_each(run)["min"] for run in runs]),
        "lost": sum(run["packets"]["lost"] for run in runs),
        "expected": sum(run["packets"]["expected"] for run in runs),
        "loss": of("packets", "loss"),
        "latency_p50_ms": of("latency_ms", "p50"),
        "latency_p99_ms": of("latency_ms", "p99"),
        "interruptions": sum(run["streams"]["interruptions"] for run in runs),
        "connected_p50_ms": spread([run["joining"]["connected_ms"]["p50"] for run in runs]),
        "participants": _participants(runs[0]["scenario"]),
        "idle_mb": of("memory", "idle_mb"),
        "resident_mb": of("server", "resident_mb"),
        "per_participant_mb": of("memory", "per_participant_mb"),
        "client_cpu_percent": of("own", "cpu_percent"),
        "failed_checks": [name for run in runs for name in _failed(run)],
    }


def _each(run: Json) -> Json:
    found: Json = run["packets"]["megabits_per_subscriber"]
    return found


def compared(found: dict[str, Json]) -> dict[str, Json]:
    """By scenario: both servers' figures, their ratio and whether it is what we aim at."""
    results: dict[str, Json] = {}
    for scenario, by_server in found.items():
        condensed = {name: condense(runs) for name, runs in by_server.items()}
        cpu = {name: it["cpu_us_per_packet"]["median"] for name, it in condensed.items()}
        times = ratio(cpu.get("conclave"), cpu.get("livekit"))
        results[scenario] = {
            "client": SCENARIOS[scenario].client,
            "arguments": SCENARIOS[scenario].arguments,
            **condensed,
            "cpu_ratio": times,
            "is_target_met": times <= TARGET_RATIO if times is not None else None,
        }
    return results


def rows(results: dict[str, Json], names: Sequence[str]) -> list[list[object]]:
    found: list[list[object]] = []
    for scenario, result in results.items():
        for name in names:
            it = result[name]
            spent = it["cpu_us_per_packet"]
            found.append([
                scenario, name, spent["median"], f"{spent['min']}-{spent['max']}",
                result["cpu_ratio"] if name == "conclave" else None,
                it["packets_per_second"]["median"], it["subscriber_mbits"]["median"],
                f"{it['lost']}/{it['expected']}", it["latency_p50_ms"]["median"],
                it["latency_p99_ms"]["median"], it["idle_mb"]["median"],
                it["resident_mb"]["median"], it["per_participant_mb"]["median"],
            ])  # fmt: skip
    return found


HEAD = [
    "scenario", "server", "us/packet", "range", "ratio", "packets/s", "Mbit/s each", "lost",
    "p50 ms", "p99 ms", "idle MB", "MB", "MB each",
]  # fmt: skip


def verdicts(results: dict[str, Json]) -> list[str]:
    """What is not as it should be, a line each."""
    lines = []
    for scenario, result in results.items():
        times = result["cpu_ratio"]
        if times is None:
            continue
        is_met = result["is_target_met"]
        text = f"{scenario}: {times} of livekit-server's CPU per packet, aim {TARGET_RATIO}"
        print(f"{'holds' if is_met else 'FAILS'}: {text}")
        if not is_met:
            lines.append(text)
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--duration", type=float, default=10.0)
    parser.add_argument("--settle", type=float, default=3.0, help="seconds before idle counts")
    parser.add_argument("--scenario", action="append", choices=sorted(SCENARIOS))
    parser.add_argument("--server", action="append", choices=["conclave", "livekit"])
    parser.add_argument("--name", default="compare")
    parser.add_argument(
        "--apart", action="store_true", help="receivers on another core, as on another machine"
    )
    options = parser.parse_args()
    if options.apart:
        apart.enter()
    names = options.server or ["conclave", "livekit"]
    if "livekit" in names and livekit_binary() is None:
        print("livekit-server is not installed (LIVEKIT_SERVER): measuring ours alone")
        names = [name for name in names if name != "livekit"]
    scenarios = options.scenario or list(SCENARIOS)
    if any(SCENARIOS[it].client == "go" for it in scenarios) and go_binary() is None:
        print("Go or its modules are not there: without the client on LiveKit's Go SDK")
        scenarios = [it for it in scenarios if SCENARIOS[it].client != "go"]
    found = measure(names, scenarios, Pace(options.runs, options.duration, options.settle))
    results = compared(found)
    print(table(HEAD, rows(results, names)))
    figures: Json = {"runs": options.runs, "duration_s": options.duration}
    figures |= {"receivers_apart": options.apart}
    figures |= {"target_ratio": TARGET_RATIO, "scenarios": results}
    print(f"written: {record(options.name, figures, names)}")
    failed = [it for result in results.values() for name in names for it in _checks(result, name)]
    return 1 if verdicts(results) or failed else 0


def _checks(result: Json, name: str) -> list[str]:
    return list(result[name]["failed_checks"])


if __name__ == "__main__":
    sys.exit(main())
