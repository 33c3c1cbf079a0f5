"""The delivery service's rules under many random interleavings: `python bench/sittings.py 100000`.

The same world as in tests/sealing/delivery/test_model.py, for longer. Prints what has happened.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.sealing.delivery.world import World  # noqa: E402

STEPS = 60


def main() -> None:
    interleavings = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    seen: Counter[str] = Counter()
    for seed in range(first, first + interleavings):
        world = World(seed)
        for _ in range(STEPS):
            world.step()
            if world.sitting.ended:
                break
        world.settle()
        seen.update(row.kind for row in world.log)
    print(interleavings, "interleavings:", dict(seen))


if __name__ == "__main__":
    main()
