"""The one exception for what a stranger sent and what is not taken."""

from __future__ import annotations

from typing import Literal

Reason = Literal[
    "malformed",
    "wrong-group",
    "wrong-epoch",
    "forged",
    "forbidden",
    "no-psk",
    "not-for-us",
    "own",
]
"""The closed list of the engine contract."""


class Refused(Exception):
    """Not taken; the state is as it was. `detail` is for tests, never shown."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason: Reason = reason
        self.detail = detail
