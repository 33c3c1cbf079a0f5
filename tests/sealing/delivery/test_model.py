"""Random interleavings of commits, refusals, losses and resumes; bench/interleavings.py runs on."""

from __future__ import annotations

import pytest

from tests.sealing.delivery.world import World

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("block", range(8))
def test_the_order_of_commits(block: int) -> None:
    reopened = resumed = 0
    for seed in range(block * 250, (block + 1) * 250):
        world = World(seed)
        for _ in range(60):
            world.step()
            if world.sitting.ended:
                break
        world.settle()
        kinds = [row.kind for row in world.log]
        reopened += "reopened" in kinds
        resumed += "taken" in kinds
    assert reopened > 10
    assert resumed > 50
