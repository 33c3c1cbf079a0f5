"""The rules of sealed meetings under many random interleavings, for longer than the tests do.

The meeting machine of the web client (`web/scripts/meeting-model.ts`: frames, sockets, engines and
tabs that fail in random order, then a calm in which all must come into one group), and the delivery
service (the world of `tests/sealing/delivery/test_model.py`), one process on each core.

    .venv/bin/python bench/interleavings.py --meetings 100000 --sittings 100000
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path

from figures import Json, record, table

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

STEPS = 60
MOST = 10_000_000
_SUMMARY = re.compile(r"(\d+) meetings, (\d+) steps, (\d+) epochs, (\d+) failed")


def meetings(first: int, count: int) -> Json:
    command = [str(ROOT / ".venv" / "bin" / "node"), "scripts/meeting-model.ts"]
    done = subprocess.run(
        [*command, str(count), str(first)],
        cwd=ROOT / "web",
        capture_output=True,
        text=True,
        check=False,
    )
    found = _SUMMARY.search(done.stdout)
    if found is None:
        message = f"the model gave no summary: {done.stdout[-500:]} {done.stderr[-500:]}"
        raise RuntimeError(message)
    print(done.stdout[: found.start()], end="")
    return dict(zip(("runs", "steps", "epochs", "failed"), map(int, found.groups()), strict=True))


def sittings(first: int, count: int) -> Json:
    # Its checks are assertions: the first that fails ends the run and names the seed.
    from tests.sealing.delivery.world import World

    steps = 0
    seen: Counter[str] = Counter()
    for seed in range(first, first + count):
        world = World(seed)
        try:
            for _ in range(STEPS):
                world.step()
                steps += 1
                if world.sitting.ended:
                    break
            world.settle()
        except AssertionError as error:
            error.add_note(f"seed {seed}")
            raise
        seen.update(row.kind for row in world.log)
    return {"runs": count, "steps": steps, "failed": 0, **{f"{k}s": n for k, n in seen.items()}}


def spread_over_cores(run: Callable[[int, int], Json], first: int, count: int) -> Json:
    """The same seeds as one process would take, in as many processes as there are cores."""
    cores = os.cpu_count() or 1
    edges = [first + count * part // cores for part in range(cores + 1)]
    parts = [(low, high - low) for low, high in pairwise(edges) if high > low]
    started = time.monotonic()
    total: Counter[str] = Counter()
    with ProcessPoolExecutor(cores) as pool:
        for found in pool.map(run, *zip(*parts, strict=True)):
            total.update(found)
    return {**total, "seconds": round(time.monotonic() - started, 1)}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--meetings", type=int, default=100_000)
    parser.add_argument("--sittings", type=int, default=100_000)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--name", default="interleavings")
    options = parser.parse_args()
    for count in (options.meetings, options.sittings):
        if not 0 < count <= MOST:
            parser.error(f"between 1 and {MOST} interleavings")
    found = {
        "meeting machine": spread_over_cores(meetings, options.first_seed, options.meetings),
        "delivery service": spread_over_cores(sittings, options.first_seed, options.sittings),
    }
    head = ("runs", "steps", "failed", "seconds")
    print(table(["", *head], [[name, *(each[k] for k in head)] for name, each in found.items()]))
    print(f"written: {record(options.name, found, [])}")
    return 1 if any(each["failed"] for each in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
