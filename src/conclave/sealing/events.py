"""Domain events of the delivery service, for the slices above. No bytes, names or tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

GoneReason = Literal["left", "lost", "removed", "reopened"]
EndReason = Literal["left", "empty", "meeting"]


@dataclass(frozen=True, slots=True)
class SealingMemberGone:
    """The group goes on without this identity: its media connection has to end."""

    type: ClassVar[str] = "sealing.member_gone"
    org_id: str
    meeting_id: str
    identity: str
    why: GoneReason

    def payload(self) -> Mapping[str, Any]:
        return {"meeting_id": self.meeting_id, "identity": self.identity, "why": self.why}


@dataclass(frozen=True, slots=True)
class SealingInstanceEnded:
    """The sitting is over and its rows are gone; nobody is a member of this meeting's group."""

    type: ClassVar[str] = "sealing.instance_ended"
    org_id: str
    meeting_id: str
    instance_id: str
    why: EndReason

    def payload(self) -> Mapping[str, Any]:
        return {
            "meeting_id": self.meeting_id,
            "instance_id": self.instance_id,
            "why": self.why,
        }
