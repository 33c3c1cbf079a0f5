"""Which meeting events an operator's page sees, in the list's shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conclave.kernel.realtime import Realtime
from conclave.meetings.events import MeetingEnded, MeetingOpened, MeetingParticipantsChanged
from conclave.meetings.schemas import MeetingOut


def show(realtime: Realtime) -> None:
    for event in (MeetingOpened, MeetingEnded, MeetingParticipantsChanged):
        realtime.show(event.type, _shape)


def _shape(payload: Mapping[str, Any], base_url: str) -> Mapping[str, Any]:
    meeting = MeetingOut(
        id=payload["id"],
        opened_at=payload["opened_at"],
        participants=payload["participants"],
        url=f"{base_url}/m/{payload['id']}",
    )
    return meeting.model_dump(mode="json")
