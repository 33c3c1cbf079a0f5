"""Which domain events are security acts, and which of their fields an entry keeps.

A field that is not named here is not kept: what somebody adds to an event later does not leak into
a log that is made to last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    user: str | None = None
    """The payload's field that says whose act it was, or whose account it is about."""
    meeting: str | None = None
    """The field that names the meeting."""
    keeps: tuple[str, ...] = ()
    """Fields that an entry keeps: ids, fixed words, numbers."""


KINDS: Mapping[str, Kind] = {
    "operator.signed_in": Kind(user="user_id", keeps=("is_new",)),
    "meeting.opened": Kind(meeting="id"),
    "meeting.ended": Kind(meeting="id", keeps=("reason",)),
    "invitation.bound": Kind(meeting="meeting_id", keeps=("invitation_id",)),
    "invitation.passed_on": Kind(meeting="meeting_id", keeps=("invitation_id",)),
    "invitation.revoked": Kind(user="user_id", meeting="meeting_id", keeps=("invitation_id",)),
    "sealing.member_gone": Kind(meeting="meeting_id", keeps=("identity", "why")),
    "sealing.instance_ended": Kind(meeting="meeting_id", keeps=("why",)),
}
