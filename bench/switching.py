"""How soon another layer of a video comes after asking: ours and livekit-server, in turns.

Subscribers change between the low and the high layer, each at its own time. Measured from the
request until the first packet of a key frame of the other layer. What a receiver sees of the change
must be whole: no layer begins without a key frame, no two share a timestamp, no number is missing.

    .venv/bin/python bench/switching.py --runs 5
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from figures import Json, load_binary, load_summary, record, spread, table
from servers import livekit_binary, start

ROOM = ["--publishers", "1", "--subscribers", "10", "--media", "video", "--simulcast"]
TORN = ("without_keyframe", "mixed", "sequence_holes", "picture_id_holes")
COUNTS = ("asked", "unanswered", "changes", "torn", *TORN, "cut_short")
QUANTILES = ("p50", "p95", "max")


def condense(runs: Sequence[Json]) -> Json:
    found = [run["switching"] for run in runs]
    condensed: Json = {
        way: {at: spread([it[way][at] for it in found]) for at in QUANTILES}
        for way in ("up_ms", "down_ms")
    }
    condensed |= {name: sum(it[name] for it in found) for name in COUNTS}
    condensed["loss"] = spread([run["packets"]["loss"] for run in runs])
    checks = [check for run in runs for check in run["checks"]]
    condensed["failed_checks"] = [check["name"] for check in checks if not check["holds"]]
    return condensed


def rows(results: Json) -> list[list[object]]:
    found: list[list[object]] = []
    for name, it in results.items():
        times = [it[way][at]["median"] for way in ("up_ms", "down_ms") for at in QUANTILES]
        found.append([name, *times, *(it[count] for count in COUNTS)])
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--duration", type=float, default=30.0)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two changes")
    parser.add_argument("--connection", default="single", choices=["single", "dual"])
    parser.add_argument("--name", default="switching")
    options = parser.parse_args()
    names = ["conclave", *(["livekit"] if livekit_binary() else [])]
    binary = load_binary()
    found: dict[str, list[Json]] = {name: [] for name in names}
    for run in range(options.runs):
        for name in names:
            arguments = [*ROOM, "--duration", str(options.duration), "--seed", str(run + 1)]
            arguments += ["--switch-every", str(options.every)]
            arguments += ["--connection", options.connection]
            with start(name) as server:
                summary = load_summary(binary, server, arguments)
            found[name].append(summary)
            it = summary["switching"]
            up, down = it["up_ms"]["p50"], it["down_ms"]["p50"]
            print(f"  {run} {name:9} up {up} ms, down {down} ms, torn {it['torn']}", flush=True)
    results: Json = {name: condense(runs) for name, runs in found.items()}
    head = ["server", *(f"{way} {at}" for way in ("up", "down") for at in QUANTILES)]
    print(table([*head, *COUNTS], rows(results)))
    figures: Json = {"runs": options.runs, "duration_s": options.duration, "room": ROOM}
    figures |= {"every_s": options.every, "connection": options.connection, "servers": results}
    print(f"written: {record(options.name, figures, names)}")
    ours = results["conclave"]
    holds = {
        "no picture of ours is torn": ours["torn"] == 0,
        "every change of ours comes": ours["unanswered"] == 0,
        "everybody was served": not any(it["failed_checks"] for it in results.values()),
    }
    for text, is_kept in holds.items():
        print(f"{'holds' if is_kept else 'FAILS'}: {text}")
    return 0 if all(holds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
