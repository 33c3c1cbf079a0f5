"""Damage that a seed repeats, the loop around a parser, and what is told of an input that harms."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import structlog

T = TypeVar("T")

MAX_GROWTH = 192 * 1024 * 1024
"""What a run may take more than at its beginning."""
MAX_SECONDS = 2.0
"""Of the processor, for one input."""
WARM_UP = 5.0
"""Seconds after which memory is looked at for the first time."""
TOLD = 4096
PAGE = 4096
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**32, 10**12, 2**62, 2**63 - 1, -(2**63), 2**63, 2**64,
    10**30, 10**400, 0.5, 1e308, float("nan"), float("inf"), float("-inf"), "", "0", "-1", "1e9",
    "NaN", "Infinity", "\0", "\ud800", "é", "\U0001f600" * 50, "x" * 300, "1" * 5000, "room",
    "alice", "bob", [], {}, [[]], [None], {"": ""}, {"a": None}, "camera", "CAMERA",
    "2026-01-01T00:00:00Z", "AA==", "3.5s",
)  # fmt: skip


class Dice:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeated by its seed, and no secret

    def roll(self, sides: int) -> int:
        return self.random.randrange(max(sides, 1))

    def one_in(self, sides: int) -> bool:
        return self.roll(sides) == 0

    def pick(self, of: Sequence[T]) -> T:
        return of[self.roll(len(of))]

    def damaged(self, seeds: Sequence[bytes]) -> bytes:
        """A damaged copy of one of the seeds."""
        data = bytearray(self.pick(seeds))
        for _ in range(1 + self.roll(6)):
            at = self.roll(len(data))
            length = self.roll(24)
            match self.roll(8):
                case 0 if data:
                    data[at] ^= 1 << self.roll(8)
                case 1 if data:
                    data[at] = self.pick((0, 0xFF, 0x7F, 0x80))
                case 2:
                    del data[at : at + length]
                case 3:
                    data[at:at] = data[at : at + length]
                case 4:
                    other = self.pick(seeds)
                    start = self.roll(len(other))
                    data[at : at + length] = other[start : start + length]
                case 5:
                    del data[at:]
                case 6:
                    # A length that lies: the varint of something large.
                    data[at : at + 1] = self.pick((b"\xff\xff\xff\x7f", b"\x80\x01", b"\xff" * 10))
                case _:
                    data += self.random.randbytes(length)
        return bytes(data)

    def text(self, seeds: Sequence[str]) -> str:
        """Damaged as bytes are, with whatever characters come of it."""
        damaged = self.damaged([seed.encode("utf-8", "surrogatepass") for seed in seeds])
        return damaged.decode("utf-8", self.pick(("replace", "ignore", "surrogateescape")))

    def value(self, value: Any, depth: int = 0) -> Any:
        """A value of JSON with some of its parts replaced, doubled, renamed or gone."""
        if self.one_in(6) or depth > 12:
            return self.odd(depth)
        if isinstance(value, dict):
            items = [
                (self.pick(("", "x", f"{key}_", key.upper())) if self.one_in(30) else key, inner)
                for key, inner in value.items()
                if not self.one_in(12)
            ]
            damaged = {key: self.value(inner, depth + 1) for key, inner in items}
            if value and self.one_in(8):
                damaged[self.pick(list(value))] = self.odd(depth)
            return damaged
        if isinstance(value, list):
            many = [self.value(inner, depth + 1) for inner in value]
            return many * self.pick((1, 1, 1, 0, 2, 40 if depth < 2 else 3))
        if isinstance(value, str) and self.one_in(4):
            return self.text([value])
        return value

    def leaf(self, value: Any) -> Any:
        """A value of JSON with one thing in it replaced; the rest still fits."""
        if isinstance(value, dict) and value:
            chosen = self.pick(list(value))
            return {**value, chosen: self.leaf(value[chosen])}
        if isinstance(value, list) and value:
            at = self.roll(len(value))
            return [*value[:at], self.leaf(value[at]), *value[at + 1 :]]
        return self.odd()

    def odd(self, depth: int = 0) -> Any:
        chosen = copy.deepcopy(self.pick(ODD))
        if depth < 4 and self.one_in(30):
            for _ in range(self.pick((3, 30, 300))):
                chosen = [chosen] if self.one_in(2) else {"a": chosen}
        return chosen

    def json(self, values: Sequence[Any]) -> bytes:
        """Written of a damaged value, and now and then damaged again."""
        try:
            damage = self.pick((self.value, self.leaf))
            written = json.dumps(damage(self.pick(values)), ensure_ascii=self.one_in(2))
        except RecursionError:
            written = "[" * 5000
        data = written.encode("utf-8", "surrogatepass")
        return self.damaged([data]) if self.one_in(5) else data


class Parser(ABC):
    """One of those that are tried; fresh ones are made in between."""

    INPUTS = 2000
    """Of one parser's life."""

    @abstractmethod
    def damaged(self, dice: Dice) -> bytes:
        """The next input."""

    @abstractmethod
    async def take(self, dice: Dice, data: bytes) -> bool:
        """Was it taken, or refused in a documented way? Raises everything else."""

    async def start(self) -> None:
        """Before the first input."""
        return

    async def stop(self) -> None:
        """After the last one; what must not be left behind is looked for here."""
        return


class Harm(Exception):
    """A log record that says of a failure inside."""


_harms: list[str] = []


def _listen(_logger: object, method: str, record: structlog.typing.EventDict) -> str:
    """Nothing is written; what was caught inside and only logged is harm too."""
    if "exception" in record or method in ("exception", "critical"):
        _harms.append(f"{record.get('event')}\n{record.get('exception', '')}")
    raise structlog.DropEvent


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


async def run(name: str, kind: type[Parser]) -> None:
    """Seconds and seed from the environment."""
    structlog.configure(
        processors=[structlog.processors.format_exc_info, _listen], cache_logger_on_first_use=False
    )
    seconds = float(os.environ.get("CONCLAVE_FUZZ_SECONDS", "1"))
    dice = Dice(int(os.environ.get("CONCLAVE_FUZZ_SEED", "1")))
    started = looked = time.monotonic()
    before: int | None = None
    inputs = size = taken = 0
    while time.monotonic() - started < seconds:
        parser = kind()
        await parser.start()
        for _ in range(kind.INPUTS):
            data = parser.damaged(dice)
            inputs, size = inputs + 1, size + len(data)
            try:
                taken += await _try(parser, dice, data)
            except BaseException:
                print(*_harms, f"input {inputs} ({len(data)} bytes): {data[:TOLD].hex()}", sep="\n")
                raise
            now = time.monotonic()
            if now - looked > 1.0:
                looked = now
                if before is None and now - started > WARM_UP:
                    before = _memory()
                grown = _memory() - before if before is not None else 0
                assert grown < MAX_GROWTH, f"{grown} bytes more than before"
                if now - started > seconds:
                    break
        await parser.stop()
    print(f"fuzzed {name} {inputs} {size} {time.monotonic() - started:.0f}; taken {taken}")


async def _try(parser: Parser, dice: Dice, data: bytes) -> bool:
    used = time.process_time()
    is_taken = await parser.take(dice, data)
    if _harms:
        raise Harm(_harms[0].partition("\n")[0])
    took = time.process_time() - used
    assert took < MAX_SECONDS, f"one input took {took:.1f} s"
    return is_taken


def start(name: str, kind: type[Parser]) -> None:
    asyncio.run(run(name, kind))
