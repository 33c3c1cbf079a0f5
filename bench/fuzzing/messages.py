"""Protobuf messages as seeds: their bytes damaged, or well formed with values that are odd."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from conclave.media.protojson import from_json
from fuzzing.dice import Dice


def value_of(message: Message) -> dict[str, Any]:
    """As JSON has it."""
    value: dict[str, Any] = json.loads(json_format.MessageToJson(message))
    return value


class Messages:
    def __init__(self, messages: Sequence[Message]) -> None:
        self._kinds = [type(message) for message in messages]
        self.written = [message.SerializeToString() for message in messages]
        self.values = [value_of(message) for message in messages]

    def damaged(self, dice: Dice, at: int | None = None) -> bytes:
        """Of any of them, or of the one at this place."""
        at = dice.roll(len(self.written)) if at is None else at
        way = dice.roll(3)
        if way == 0:
            return dice.damaged([self.written[at]] * 4 + self.written)
        kind, value = self._kinds[at], self.values[at]
        with suppress(ValueError):
            if way == 1:
                return from_json(kind(), dice.leaf(value)).SerializeToString()
        message = kind()
        for name, inner in value.items():
            # One field after the other: what does not fit keeps nothing else out.
            with suppress(ValueError):
                odd = dice.value(inner) if dice.one_in(2) else inner
                message.MergeFrom(from_json(kind(), {name: odd}))
        return message.SerializeToString()

    def damaged_json(self, dice: Dice, at: int | None = None) -> bytes:
        if at is None:
            return dice.json(self.values)
        return dice.json([self.values[at]] * 9 + self.values)
