"""All benchmarks one after the other: `--quick` takes some minutes, `--full` about an hour.

Results go to `bench/results`; with `--quick` to `bench/out`, so that they do not replace figures
that were taken with care. Must run on a quiet machine to mean anything, and never in the tests.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from servers import BENCH, OUT

QUICK = [
    ["compare.py", "--runs", "2", "--duration", "5"],
    ["switching.py", "--runs", "1", "--duration", "10"],
    ["latency.py", "--most-rooms", "3", "--duration", "5"],
    ["startup.py", "--runs", "3", "--settle", "3"],
    ["join_time.py", "--rounds", "4"],
    ["soak.py", "--minutes", "1", "--rooms", "5"],
    ["sealed_join.py", "--rounds", "3", "--members", "10"],
    ["sealed_churn.py", "--times", "3"],
    ["sealed_cost.py", "--runs", "1", "--seconds", "10"],
    ["churn.py", "--seeds", "2", "--epochs", "100"],
    ["interleavings.py", "--meetings", "5000", "--sittings", "5000"],
    ["fuzz.py", "--minutes", "0.2"],
    ["password_hash.py", "--runs", "10"],
    ["work_cost.py", "--rounds", "5"],
    ["probing.py", "--rounds", "300"],
    ["admit.py", "--rounds", "3"],
    ["clean_room.py", "--rounds", "1"],
    ["door.py", "--seconds", "10"],
]
FULL = [
    ["compare.py", "--runs", "5", "--duration", "10"],
    ["switching.py"],
    ["latency.py"],
    ["startup.py", "--runs", "7"],
    ["join_time.py", "--rounds", "15"],
    ["soak.py", "--minutes", "10"],
    ["sealed_join.py"],
    ["sealed_churn.py"],
    ["sealed_cost.py"],
    ["churn.py"],
    ["interleavings.py"],
    ["fuzz.py"],
    ["password_hash.py"],
    ["work_cost.py"],
    ["probing.py"],
    ["admit.py"],
    ["clean_room.py"],
    ["door.py"],
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--quick", action="store_true", help="few runs, the default")
    kind.add_argument("--full", action="store_true", help="as the recorded figures were taken")
    options = parser.parse_args()
    OUT.mkdir(exist_ok=True)
    failed = []
    for script, *arguments in FULL if options.full else QUICK:
        name = script.removesuffix(".py")
        if not options.full:
            arguments += ["--name", str(OUT / f"quick-{name}")]
        print(f"== {script} {' '.join(arguments)}", flush=True)
        started = time.monotonic()
        command = [sys.executable, str(BENCH / script), *arguments]
        code = subprocess.run(command, check=False).returncode
        print(f"== {script}: exit code {code} after {time.monotonic() - started:.0f} s", flush=True)
        if code != 0:
            failed.append(script)
    if failed:
        print(f"not as expected: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
