"""Domain events of accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class OperatorSignedIn:
    """An operator link was used: by the person it was meant for, or by whoever found it."""

    type: ClassVar[str] = "operator.signed_in"
    org_id: str
    user_id: str
    is_new: bool

    def payload(self) -> Mapping[str, Any]:
        return {"user_id": self.user_id, "is_new": self.is_new}
