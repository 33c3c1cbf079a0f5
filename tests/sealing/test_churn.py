"""Much coming and going among members of both kinds. Longer runs: bench/churn.py."""

from __future__ import annotations

import pytest

from tests.sealing.churn import churn
from tests.sealing.engines import NodeProcess

pytestmark = pytest.mark.unit


@pytest.mark.parametrize("seed", [1, 2])
def test_everybody_keeps_the_same_keys(node: NodeProcess, seed: int) -> None:
    tally = churn(node, seed, epochs=40, members=12)
    assert tally.commits == 40
    assert min(tally.joins.values()) > 5, "late joiners of both kinds"
