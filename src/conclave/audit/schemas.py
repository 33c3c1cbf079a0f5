"""Shapes of the audit log's API."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class EntryOut(BaseModel):
    number: int
    at: datetime
    type: str
    user_id: str | None
    meeting_id: str | None
    details: dict[str, Any]
    hash: str
    """Hexadecimal; over this entry and the hash of the one before."""


class EntriesOut(BaseModel):
    entries: list[EntryOut]
    """Newest first."""
    has_more: bool


class OwnMeetingOut(BaseModel):
    id: str
    opened_at: datetime
    ended_at: datetime | None


class OwnMeetingsOut(BaseModel):
    meetings: list[OwnMeetingOut]
    """Newest first."""
    has_more: bool
