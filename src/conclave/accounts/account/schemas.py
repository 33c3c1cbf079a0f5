"""Shapes of one's own account."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from conclave.accounts.schemas import Attestation, Body, PasskeyName, UserOut


class PasskeyOut(BaseModel):
    id: str
    name: str
    created_at: datetime
    last_used_at: datetime | None
    is_backed_up: bool


class PasswordOut(BaseModel):
    is_set: bool
    changed_at: datetime | None


class OwnSessionOut(BaseModel):
    id: str
    browser: str
    place: str
    method: str
    created_at: datetime
    last_seen_at: datetime | None
    is_current: bool


class NoticeOut(BaseModel):
    id: str
    kind: str
    at: datetime
    details: dict[str, Any]
    is_seen: bool


class AccountOut(BaseModel):
    user: UserOut
    passkeys: list[PasskeyOut]
    password: PasswordOut
    recovery_codes_left: int
    sessions: list[OwnSessionOut]
    notices: list[NoticeOut]
    fresh_until: datetime | None
    """None when dangerous acts need a new proof first."""


class FreshOut(BaseModel):
    fresh_until: datetime


class ProofIn(Body):
    password: str = Field(max_length=256)
    code: str = Field(max_length=64)


class NewPasskeyIn(Body):
    challenge_id: str = Field(max_length=64)
    credential: Attestation
    name: PasskeyName


class PasskeyNameIn(Body):
    name: PasskeyName


class LoginIn(Body):
    login: str = Field(max_length=400)


class NewPasswordIn(Body):
    password: str = Field(max_length=256)


class SetupOut(BaseModel):
    setup_id: str
    secret: str
    uri: str


class ConfirmIn(Body):
    setup_id: str = Field(max_length=64)
    code: str = Field(max_length=16)


class CodesOut(BaseModel):
    codes: list[str]
