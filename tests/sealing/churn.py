"""A meeting with much coming and going, by numbers from a seed: the same in every run.

Also run for long by bench/churn.py.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from conclave_sealing.context import Policy
from tests.sealing.engines import NodeProcess, Who
from tests.sealing.sitting import KINDS, Sitting

HOST = "m0"


@dataclass(frozen=True, slots=True)
class Tally:
    commits: int
    joins: dict[str, int]
    most: int


def churn(
    node: NodeProcess, seed: int, epochs: int, members: int, most: int | None = None
) -> Tally:
    """From `members` members on; every commit is checked by `Sitting`. At least half stay."""
    numbers = random.Random(seed)  # noqa: S311
    most = most or members + members // 2
    sitting = Sitting(node)
    made = 0
    joins = dict.fromkeys(KINDS, 0)
    largest = 0

    def newcomers(count: int) -> list[Who]:
        nonlocal made
        made += count
        return [Who(f"m{made - count + at}", "owner" if made == count and at == 0 else None)
                for at in range(count)]  # fmt: skip

    first, *others = newcomers(members)
    sitting.start(sitting.person(first, KINDS[seed % 2]))
    kinds = [KINDS[at % 2] for at in range(len(others))]
    sitting.step(
        HOST, joiners=[sitting.person(who, kind) for who, kind in zip(others, kinds, strict=True)]
    )
    while sitting.commits < epochs:
        present = list(sitting.members)
        by = numbers.choice(present)
        removable = [name for name in present if name not in {HOST, by}]
        removes: list[str] = []
        joiners: list[tuple[Who, str]] = []
        policy = None
        match numbers.choice(
            ("remove", "remove", "add", "add", "replace", "policy", "empty", "all")
        ):
            case "remove":
                spare = max(0, len(present) - members // 2)
                removes = numbers.sample(removable, min(spare, numbers.randint(1, 3)))
            case "add":
                count = max(0, min(most - len(present), numbers.randint(1, 3)))
                joiners = [(who, numbers.choice(KINDS)) for who in newcomers(count)]
            case "replace":
                removes = [numbers.choice(removable)]
                joiners = [(sitting.members[removes[0]].who, numbers.choice(KINDS))]
            case "policy":
                by = HOST
                policy = Policy(history=numbers.randint(0, 500))
            case "all":
                by = HOST
                removes = [numbers.choice([name for name in present if name != HOST])]
                joiners = [(who, numbers.choice(KINDS)) for who in newcomers(1)]
                joiners.append((sitting.members[removes[0]].who, numbers.choice(KINDS)))
                policy = Policy(history=numbers.randint(0, 500))
        for _, kind in joiners:
            joins[kind] += 1
        is_bound = bool(joiners) or numbers.random() < 0.3
        sitting.step(
            by,
            joiners=[sitting.person(who, kind) for who, kind in joiners],
            removes=removes,
            policy=policy,
            with_psk=is_bound,
        )
        largest = max(largest, len(sitting.members))
        if numbers.random() < 0.1:
            sitting.everybody_hears_everybody()
    sitting.everybody_hears_everybody()
    return Tally(sitting.commits, joins, largest)
