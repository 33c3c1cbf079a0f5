"""Domain events of meetings. Payloads hold no name, no link secret, and no sealed
title or plan either: the log keeps them for longer than the meeting lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

EndReason = Literal["host", "empty", "unused", "over"]


@dataclass(frozen=True, slots=True)
class _MeetingEvent:
    org_id: str
    meeting_id: str
    opened_by: str
    opened_at: datetime
    participants: int

    def payload(self) -> Mapping[str, Any]:
        return {
            "id": self.meeting_id,
            "opened_by": self.opened_by,
            "opened_at": self.opened_at.isoformat(),
            "participants": self.participants,
        }


@dataclass(frozen=True, slots=True)
class MeetingOpened(_MeetingEvent):
    type: ClassVar[str] = "meeting.opened"


@dataclass(frozen=True, slots=True)
class MeetingParticipantsChanged(_MeetingEvent):
    type: ClassVar[str] = "meeting.participants"


@dataclass(frozen=True, slots=True)
class MeetingRenamed(_MeetingEvent):
    """The sealed title is another one: read it from the list."""

    type: ClassVar[str] = "meeting.renamed"


@dataclass(frozen=True, slots=True)
class MeetingPlanned(_MeetingEvent):
    """The sealed plan, or how long the meeting is kept, is another one: read it from the list."""

    type: ClassVar[str] = "meeting.planned"


@dataclass(frozen=True, slots=True)
class MeetingSittingEnded(_MeetingEvent):
    """Its host has sent everybody home. The meeting is kept, and so are its links."""

    type: ClassVar[str] = "meeting.sitting_ended"


@dataclass(frozen=True, slots=True)
class MeetingEnded(_MeetingEvent):
    type: ClassVar[str] = "meeting.ended"
    reason: EndReason = "host"

    def payload(self) -> Mapping[str, Any]:
        return {**_MeetingEvent.payload(self), "reason": self.reason}


@dataclass(frozen=True, slots=True)
class _InvitationEvent:
    org_id: str
    meeting_id: str
    invitation_id: str

    def payload(self) -> Mapping[str, Any]:
        return {"meeting_id": self.meeting_id, "invitation_id": self.invitation_id}


@dataclass(frozen=True, slots=True)
class InvitationBound(_InvitationEvent):
    """A device came with it for the first time, and keeps it."""

    type: ClassVar[str] = "invitation.bound"


@dataclass(frozen=True, slots=True)
class InvitationPassedOn(_InvitationEvent):
    """Another device came with it than the one that keeps it; told once."""

    type: ClassVar[str] = "invitation.passed_on"


@dataclass(frozen=True, slots=True)
class _HostsAct(_InvitationEvent):
    user_id: str

    def payload(self) -> Mapping[str, Any]:
        return {**_InvitationEvent.payload(self), "user_id": self.user_id}


@dataclass(frozen=True, slots=True)
class InvitationRevoked(_HostsAct):
    type: ClassVar[str] = "invitation.revoked"


@dataclass(frozen=True, slots=True)
class InvitationRestored(_HostsAct):
    type: ClassVar[str] = "invitation.restored"


@dataclass(frozen=True, slots=True)
class InvitationReleased(_HostsAct):
    """It belongs to no device any more: the next one that comes with it keeps it."""

    type: ClassVar[str] = "invitation.released"
