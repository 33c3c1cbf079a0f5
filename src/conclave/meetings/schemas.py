"""Shapes of the meetings API."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class MeetingOut(BaseModel):
    """A running meeting as its operator sees it, in the list and in realtime events."""

    id: str
    opened_at: datetime
    participants: int
    url: str


class MeetingsOut(BaseModel):
    meetings: list[MeetingOut]


class MeetingView(BaseModel):
    """What anybody with the link learns."""

    id: str
    is_open: Literal[True] = True
    opened_at: datetime
    is_host: bool


class JoinIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=1000)


class JoinOut(BaseModel):
    url: str
    token: str
    identity: str
    role: Literal["host", "guest"]


class MuteIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    track: str = Field(min_length=1, max_length=128)
