"""Shapes of device links. Values are base64url without padding."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from conclave.accounts.schemas import Body, from_base64url

COMMITMENT_BYTES = 32
VALUE_BYTES = 2_048


def _is_commitment(value: str) -> str:
    if len(from_base64url(value)) != COMMITMENT_BYTES:
        msg = f"not {COMMITMENT_BYTES} bytes"
        raise ValueError(msg)
    return value


def _is_value(value: str) -> str:
    if not 0 < len(from_base64url(value)) <= VALUE_BYTES:
        msg = f"not 1 to {VALUE_BYTES} bytes"
        raise ValueError(msg)
    return value


class CommitmentIn(Body):
    commitment: Annotated[str, Field(max_length=64), AfterValidator(_is_commitment)]


class ValueIn(Body):
    value: Annotated[str, Field(max_length=2_800), AfterValidator(_is_value)]


class NewLinkOut(BaseModel):
    id: str
    expires_at: datetime


class LinkOut(BaseModel):
    id: str
    commitment: str
    created_at: datetime
    expires_at: datetime
    browser: str
    place: str
    state: int
    """How many of the three values are there: 0, then `offer` (1), `reveal` (2), `parcel` (3)."""
    is_own: bool
    """Made by the session that asks: that of the new device."""


class LinkWithValuesOut(LinkOut):
    offer: str | None
    reveal: str | None
    parcel: str | None


class LinksOut(BaseModel):
    links: list[LinkOut]
