"""Shapes of the meetings API."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

TITLE_LIMIT = 1_024
"""Bytes of a sealed title."""


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


class MeetingChange(BaseModel):
    """A running meeting in realtime events."""

    id: str
    opened_at: datetime
    participants: int
    url: str


class MeetingOut(MeetingChange):
    """A running meeting as its host sees it in the list."""

    sealed_title: SealedTitle | None


class MeetingsOut(BaseModel):
    meetings: list[MeetingOut]


class MeetingView(BaseModel):
    """What anybody with the link learns."""

    id: str
    is_open: Literal[True] = True
    opened_at: datetime
    is_host: bool
    sealed_title: SealedTitle | None


class TitleIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sealed_title: SealedTitle | None
