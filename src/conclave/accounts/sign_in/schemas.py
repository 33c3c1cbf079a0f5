"""Shapes of signing in."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from conclave.accounts.schemas import Body, Role


class TokenIn(Body):
    token: str = Field(max_length=200)


class PasswordIn(Body):
    login: str = Field(max_length=254)
    password: str = Field(max_length=256)
    code: str = Field(max_length=64)


class RecoveryIn(Body):
    code: str = Field(max_length=64)


class WelcomeOut(BaseModel):
    kind: Literal["invitation", "reset"]
    role: Role
    login: str | None
    expires_at: datetime
