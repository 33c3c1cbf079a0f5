"""The parsers on damaged input, ten minutes each: an input that does harm is named, with its seed.

Those of the engine are ordinary tests in `media/sfu/src/fuzz`, those of the control plane are in
`bench/fuzzing`. Each has a process of its own; results are kept by name, so that a part can be run
again alone.

    .venv/bin/python bench/fuzz.py --minutes 10
    .venv/bin/python bench/fuzz.py --minutes 1 --jobs 2 --only offer,twirp
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from figures import RESULTS, Json, record, table
from servers import BENCH, ROOT

ENGINE = {
    "offer": "descriptions::offer",
    "answer": "descriptions::answer",
    "dependency_descriptor": "dependency_descriptor",
    "payload_descriptor": "payload_descriptor",
    "outgoing": "outgoing::outgoing",
    "feedback": "feedback",
    "data_packet": "data_packet",
    "packets": "packets::packets",
}
CONTROL = [
    "twirp", "webhook", "parameters", "join_request", "signal", "token", "room_config",
    "cluster_answer",
]  # fmt: skip
_DONE = re.compile(r"fuzzed \w+ (\d+) (\d+) (\d+)(?:; taken (\d+))?")
_FAULT = 4000


def engine_tests(folder: Path) -> Path:
    """Build the engine's tests once, and keep them from whoever builds meanwhile."""
    command = ["cargo", "test", "--release", "--no-run", "-p", "conclave-sfu", "--lib"]
    built = subprocess.run(
        [*command, "--message-format", "json"],
        cwd=ROOT / "media",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said = [json.loads(line) for line in built.stdout.splitlines()]
    found = [message["executable"] for message in said if message.get("executable")]
    return Path(shutil.copy(found[-1], folder / "engine-tests"))


def fuzz(parser: str, seconds: int, seed: int, tests: Path | None) -> Json:
    environment = os.environ | {
        "CONCLAVE_FUZZ_SECONDS": str(seconds),
        "CONCLAVE_FUZZ_SEED": str(seed),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(BENCH)]),
    }
    if parser in ENGINE:
        command = [str(tests), "--ignored", "--exact", "--nocapture", f"fuzz::{ENGINE[parser]}"]
    else:
        command = [sys.executable, "-m", "fuzzing", parser]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    row: Json = {"parser": parser, "seed": seed}
    if found := _DONE.search(done.stdout):
        names = ("inputs", "bytes", "seconds", "taken")
        figures = zip(names, found.groups(), strict=True)
        row |= {name: int(figure) for name, figure in figures if figure is not None}
    if done.returncode != 0 or found is None:
        row["fault"] = f"{done.stdout[-_FAULT:]}\n{done.stderr[-_FAULT:]}"
    return row


def keep(name: str, row: Json) -> Path:
    """Into the record, in place of what an earlier run says of the same parser."""
    path = RESULTS / f"{name}.json"
    with Path(tempfile.gettempdir(), "conclave-fuzz.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = json.loads(path.read_text())["parsers"] if path.exists() else []
        rows = {each["parser"]: each for each in known} | {row["parser"]: row}
        order = [*ENGINE, *CONTROL]
        kept = [rows[each] for each in order if each in rows]
        return record(name, {"parsers": kept}, [])


def run(parsers: Sequence[str], seconds: int, seed: int, jobs: int, name: str) -> list[Json]:
    """In the order in which they end."""
    rows = []
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        tests = engine_tests(Path(folder)) if ENGINE.keys() & set(parsers) else None
        running = [pool.submit(fuzz, each, seconds, seed, tests) for each in parsers]
        for done in as_completed(running):
            row = done.result()
            outcome = f"FAULT, seed {seed}\n{row['fault']}" if "fault" in row else "ok"
            print(f"{row['parser']}: {row.get('inputs', '?')} inputs, {outcome}", flush=True)
            keep(name, row)
            rows.append(row)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--jobs", type=int, default=1, help="parsers at a time")
    parser.add_argument("--only", default="", help="names, with commas between them")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--name", default="fuzz")
    options = parser.parse_args()
    every = [*ENGINE, *CONTROL]
    chosen = options.only.split(",") if options.only else every
    if unknown := set(chosen) - set(every):
        parser.error(f"no such parser: {', '.join(sorted(unknown))}; there are {', '.join(every)}")
    seconds = int(options.minutes * 60)
    rows = run(chosen, seconds, options.seed, options.jobs, options.name)
    head = ("inputs", "bytes", "seconds")
    print(table(["", *head], [[each["parser"], *(each.get(k) for k in head)] for each in rows]))
    return 1 if any("fault" in row for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
