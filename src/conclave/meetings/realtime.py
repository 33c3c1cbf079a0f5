"""Which meeting events the page of who opened it sees, in the list's shape but for what is
sealed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conclave.kernel.realtime import Realtime
from conclave.meetings.events import (
    MeetingEnded,
    MeetingOpened,
    MeetingParticipantsChanged,
    MeetingPlanned,
    MeetingRenamed,
)
from conclave.meetings.schemas import MeetingChange


def show(realtime: Realtime) -> None:
    for event in (
        MeetingOpened,
        MeetingEnded,
        MeetingParticipantsChanged,
        MeetingRenamed,
        MeetingPlanned,
    ):
        realtime.show(event.type, _shape, _host)


def _host(payload: Mapping[str, Any]) -> str:
    # Events from before there were members name nobody.
    return str(payload.get("opened_by", ""))


def _shape(payload: Mapping[str, Any], base_url: str) -> Mapping[str, Any]:
    meeting = MeetingChange(
        id=payload["id"],
        opened_at=payload["opened_at"],
        participants=payload["participants"],
        url=f"{base_url}/m/{payload['id']}",
    )
    return meeting.model_dump(mode="json")
