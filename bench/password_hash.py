"""What a password costs the server: time and memory of argon2id with the parameters in use.

.venv/bin/python bench/password_hash.py
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import time
from dataclasses import asdict

from figures import Json, record, spread, table
from prometheus_client import CollectorRegistry

from conclave.accounts.credentials.hashing import AT_ONCE, Parameters, PasswordHashing

SLOW_ENOUGH_S = 0.05
QUICK_ENOUGH_S = 0.5
PASSWORD = "correct horse battery staple"  # noqa: S105  nobody's


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def alone(hashing: PasswordHashing, runs: int) -> tuple[list[float | None], float]:
    """(seconds of each hash, processor seconds of one)."""
    times: list[float | None] = []
    before = time.process_time()
    for _ in range(runs):
        started = time.perf_counter()
        await hashing.hash(PASSWORD)
        times.append(time.perf_counter() - started)
    return times, (time.process_time() - before) / runs


async def crowd(hashing: PasswordHashing, people: int) -> float:
    """Hashes a second when many sign in at once."""
    started = time.perf_counter()
    await asyncio.gather(*(hashing.is_right(None, PASSWORD) for _ in range(people)))
    return people / (time.perf_counter() - started)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--name", default="password_hash")
    options = parser.parse_args()
    hashing = PasswordHashing(CollectorRegistry())
    idle = peak_mb()
    times, processor = asyncio.run(alone(hashing, options.runs))
    one = peak_mb()
    rate = asyncio.run(crowd(hashing, 32))
    flood = peak_mb()
    hashing.stop()
    figures: Json = {
        "parameters": asdict(Parameters()),
        "at_once": AT_ONCE,
        "seconds": spread(times),
        "processor_s": round(processor, 3),
        "per_second_in_a_crowd": round(rate, 1),
        "one_takes_mb": round(one - idle, 1),
        "a_crowd_takes_mb": round(flood - idle, 1),
    }
    median = figures["seconds"]["median"]
    print(
        table(
            ["s", "processor s", "a second", "MB, one", "MB, 32 at once"],
            [
                [
                    median,
                    figures["processor_s"],
                    figures["per_second_in_a_crowd"],
                    figures["one_takes_mb"],
                    figures["a_crowd_takes_mb"],
                ]
            ],
        )
    )
    print(f"written: {record(options.name, figures, ['conclave'])}")
    bound = AT_ONCE * Parameters().memory_kib / 1024 * 1.25
    holds = {
        f"at least {SLOW_ENOUGH_S} s": median >= SLOW_ENOUGH_S,
        f"at most {QUICK_ENOUGH_S} s": median <= QUICK_ENOUGH_S,
        f"a crowd takes at most {bound:.0f} MB": figures["a_crowd_takes_mb"] <= bound,
    }
    for text, is_kept in holds.items():
        print(f"{'holds' if is_kept else 'FAILS'}: {text}")
    return 0 if all(holds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
