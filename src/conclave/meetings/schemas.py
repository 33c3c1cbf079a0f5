"""Shapes of the meetings API."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from conclave.meetings.machine import Keep

TITLE_LIMIT = 1_024
"""Bytes of a sealed title."""
PLAN_LIMIT = 4_096
"""Bytes of a sealed plan."""


def to_base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def from_base64url(value: str) -> bytes:
    """`ValueError` for anything but the one way in which these bytes are written."""
    decoded = urlsafe_b64decode(value + "=" * (-len(value) % 4))
    if to_base64url(decoded) != value:
        msg = "not base64url without padding"
        raise ValueError(msg)
    return decoded


def _is_title(value: str) -> str:
    if not 0 < len(from_base64url(value)) <= TITLE_LIMIT:
        msg = f"not 1 to {TITLE_LIMIT} bytes"
        raise ValueError(msg)
    return value


SealedTitle = Annotated[str, Field(max_length=1_400), AfterValidator(_is_title)]
"""base64url. Sealed by a key in the link, so never readable here."""


def _is_plan(value: str) -> str:
    if not 0 < len(from_base64url(value)) <= PLAN_LIMIT:
        msg = f"not 1 to {PLAN_LIMIT} bytes"
        raise ValueError(msg)
    return value


SealedPlan = Annotated[str, Field(max_length=5_500), AfterValidator(_is_plan)]
"""base64url. Sealed by a key in the link, like the title."""


EntryKind = Literal["open", "invited"]
"""`open`: whoever has the link; `invited`: once a host is there, whoever has a personal link, and
whom a host lets in."""


class MeetingChange(BaseModel):
    """A running meeting in realtime events."""

    id: str
    opened_at: datetime
    participants: int
    url: str


class MeetingOut(MeetingChange):
    """An open meeting as its host sees it in the list."""

    entry: EntryKind
    sealed_title: SealedTitle | None
    keep: Keep
    keep_until: datetime | None
    sealed_plan: SealedPlan | None
    is_own_room: bool


class MeetingsOut(BaseModel):
    meetings: list[MeetingOut]
    can_mail: bool
    """Whether letters about them can be sent."""


class MeetingView(BaseModel):
    """What anybody with the link learns."""

    id: str
    is_open: Literal[True] = True
    opened_at: datetime
    is_host: bool
    entry: EntryKind
    sealed_title: SealedTitle | None
    keep: Keep
    keep_until: datetime | None
    sealed_plan: SealedPlan | None


class TitleIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sealed_title: SealedTitle | None


class EntryIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    entry: EntryKind


class PlanIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sealed_plan: SealedPlan | None
    keep: Keep
    keep_until: AwareDatetime | None
    """With `until`, and with nothing else."""
    is_own_room: bool = False
    """The room with a link that stays; with `always` alone."""

    @model_validator(mode="after")
    def _goes_together(self) -> PlanIn:
        if (self.keep == "until") != (self.keep_until is not None):
            msg = "keep_until goes with keep: until"
            raise ValueError(msg)
        if self.is_own_room and self.keep != "always":
            msg = "is_own_room goes with keep: always"
            raise ValueError(msg)
        if self.keep == "while-used" and self.sealed_plan is not None:
            msg = "sealed_plan goes with a meeting that is kept"
            raise ValueError(msg)
        return self


def _is_certificate(value: str) -> str:
    from_base64url(value)
    return value


Certificate = Annotated[str, Field(max_length=1_400), AfterValidator(_is_certificate)]
"""base64url of an Invitation (docs/reference/sealing-protocol.md, 2)."""


class InvitationsIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    invitations: Annotated[list[Certificate], Field(min_length=1, max_length=40)]


class InvitationView(BaseModel):
    """What whoever holds a personal link learns."""

    id: str
    certificate: str
    state: Literal["unused", "used", "expired", "revoked"]
    device: str | None
    """base64url of the device key to which it is bound."""


class InvitationOut(InvitationView):
    created_at: datetime
    bound_at: datetime | None
    passed_on_at: datetime | None
    """When another device last came with it."""


class InvitationsOut(BaseModel):
    invitations: list[InvitationOut]


class InvitationChangeIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    change: Literal["revoke", "restore", "release"]
    """`release`: the next device that comes with it keeps it."""
