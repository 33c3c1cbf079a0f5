"""Shapes of members and invitations."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from conclave.accounts.schemas import Body, Role
from conclave.kernel.mail import MailFault


class MemberOut(BaseModel):
    id: str
    role: Role
    login: str | None
    created_at: datetime
    last_seen_at: datetime | None
    is_suspended: bool
    passkeys: int
    has_password: bool


class InvitationOut(BaseModel):
    id: str
    role: Role
    login: str | None
    created_at: datetime
    expires_at: datetime


class MembersOut(BaseModel):
    members: list[MemberOut]
    invitations: list[InvitationOut]
    can_mail: bool


class InvitationIn(Body):
    role: Role
    login: str | None = Field(default=None, max_length=400)
    mail: bool = False
    language: Literal["en", "de"] = "en"


class NewInvitationOut(BaseModel):
    id: str
    url: str
    expires_at: datetime
    mailed: bool
    mail_error: MailFault | None


class RoleIn(Body):
    role: Role


class ResetOut(BaseModel):
    url: str
    expires_at: datetime
