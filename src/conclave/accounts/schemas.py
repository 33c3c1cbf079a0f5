"""Shapes of the accounts API."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class UserOut(BaseModel):
    id: str
    role: Literal["operator"]
    created_at: datetime


class SessionOut(BaseModel):
    user: UserOut | None


class SignedInOut(BaseModel):
    user: UserOut


class OperatorLinkIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=200)
