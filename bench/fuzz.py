"""The parsers of the engine on damaged input, ten minutes each: a panic ends the run with its seed.

.venv/bin/python bench/fuzz.py --minutes 10
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from pathlib import Path

from figures import Json, record, table

MEDIA = Path(__file__).parents[1] / "media"
PARSERS = [
    "offer", "dependency_descriptor", "payload_descriptor", "feedback", "data_packet",
]  # fmt: skip
_DONE = re.compile(r"fuzzed (\w+) (\d+) (\d+) (\d+)")


def fuzz(parser: str, seconds: int, seed: int) -> Json:
    environment = os.environ | {
        "CONCLAVE_FUZZ_SECONDS": str(seconds),
        "CONCLAVE_FUZZ_SEED": str(seed),
    }
    command = ["cargo", "test", "--release", "--quiet", "-p", "conclave-sfu", "--lib", "--"]
    done = subprocess.run(
        [*command, "--ignored", "--exact", "--nocapture", f"fuzz::{parser}"],
        cwd=MEDIA,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    found = _DONE.search(done.stdout)
    if done.returncode != 0 or found is None:
        print(done.stdout[-2000:], done.stderr[-2000:])
        message = f"{parser} fell over its input; seed {seed}"
        raise RuntimeError(message)
    inputs, size, took = (int(figure) for figure in found.groups()[1:])
    return {"parser": parser, "inputs": inputs, "bytes": size, "seconds": took, "seed": seed}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--name", default="fuzz")
    options = parser.parse_args()
    rows = [fuzz(each, int(options.minutes * 60), options.seed) for each in PARSERS]
    head = ("inputs", "bytes", "seconds")
    print(table(["", *head], [[each["parser"], *(each[k] for k in head)] for each in rows]))
    print(f"written: {record(options.name, {'parsers': rows}, [])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
