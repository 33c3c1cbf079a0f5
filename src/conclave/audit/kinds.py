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


_OWN = ("session_id", "method", "passkey_id", "link_id", "family", "left", "is_new_device")
_MEMBERS = ("invitation_id", "role", "way", "by")

KINDS: Mapping[str, Kind] = {
    **{
        f"account.{act}": Kind(user="user_id", keeps=_OWN)
        for act in (
            "signed_in",
            "sign_in_refused",
            "reauthenticated",
            "signed_out",
            "session_revoked",
            "session_moved",
            "passkey_added",
            "passkey_removed",
            "passkey_refused",
            "password_set",
            "password_removed",
            "recovery_codes_made",
            "recovery_code_used",
            "login_changed",
            "device_link_opened",
            "device_linked",
        )
    },
    **{
        f"member.{act}": Kind(user="user_id", keeps=_MEMBERS)
        for act in (
            "invited",
            "invitation_revoked",
            "joined",
            "reset",
            "suspended",
            "restored",
            "removed",
            "role_changed",
        )
    },
    "meeting.opened": Kind(user="opened_by", meeting="id"),
    "meeting.ended": Kind(meeting="id", keeps=("reason",)),
    "invitation.bound": Kind(meeting="meeting_id", keeps=("invitation_id",)),
    "invitation.passed_on": Kind(meeting="meeting_id", keeps=("invitation_id",)),
    **{
        f"invitation.{act}": Kind(user="user_id", meeting="meeting_id", keeps=("invitation_id",))
        for act in ("revoked", "restored", "released")
    },
    "sealing.member_gone": Kind(meeting="meeting_id", keeps=("identity", "why")),
    "sealing.instance_ended": Kind(meeting="meeting_id", keeps=("why",)),
}
