"""Much coming and going in groups of ts-mls and openmls members, for hundreds of epochs.

Every commit is checked as in tests/sealing: everybody has the same epoch, roster, policy,
authenticator and exported secret, and late joiners of both kinds get in.

.venv/bin/python bench/churn.py --seeds 10 --epochs 300 --members 24
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from figures import record, table

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.sealing.churn import churn
from tests.sealing.engines import NodeProcess


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=6, choices=range(1, 1_000), metavar="N")
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=300)
    parser.add_argument("--members", type=int, default=16)
    parser.add_argument("--name", default="churn")
    options = parser.parse_args()
    rows = []
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        node = NodeProcess()
        started = time.monotonic()
        try:
            tally = churn(node, seed, options.epochs, options.members)
        finally:
            node.stop()
        rows.append(
            {
                "seed": seed,
                "commits": tally.commits,
                "most members": tally.most,
                "joined, ts-mls": tally.joins["ts-mls"],
                "joined, openmls": tally.joins["openmls"],
                "seconds": round(time.monotonic() - started, 1),
            }
        )
        print(rows[-1], flush=True)
    print(table(list(rows[0]), [list(row.values()) for row in rows]))
    print(f"written: {record(options.name, {'runs': rows}, [])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
