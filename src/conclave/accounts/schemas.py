"""Shapes that several rooms of the accounts API share."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Role = Literal["operator", "member"]


class Body(BaseModel):
    """What is sent to us: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Nothing(Body):
    """`{}`"""


class UserOut(BaseModel):
    id: str
    role: Role
    login: str | None
    created_at: datetime
    has_sign_in: bool
    """A passkey or a password exists; without one, the session is the only way in."""
    unseen_notices: int


class SessionOut(BaseModel):
    user: UserOut | None
    registration: Literal["closed", "open"]


class SignedInOut(BaseModel):
    user: UserOut


class ChallengeOut(BaseModel):
    challenge_id: str
    options: dict[str, Any]
    """WebAuthn Level 3, 5.1.8: the JSON that the browser's own parser takes."""


class _Loose(BaseModel):
    # Browsers send more than is needed here, and may send yet more tomorrow.
    model_config = ConfigDict(extra="allow")


class AssertionResponse(_Loose):
    clientDataJSON: str = Field(max_length=8_192)
    authenticatorData: str = Field(max_length=8_192)
    signature: str = Field(max_length=4_096)
    userHandle: str | None = Field(default=None, max_length=128)


class Assertion(_Loose):
    """AuthenticationResponseJSON (WebAuthn Level 3, 5.1.8)."""

    id: str = Field(max_length=1_400)
    rawId: str = Field(max_length=1_400)
    type: Literal["public-key"]
    response: AssertionResponse


class AttestationResponse(_Loose):
    clientDataJSON: str = Field(max_length=8_192)
    attestationObject: str = Field(max_length=32_768)


class Attestation(_Loose):
    """RegistrationResponseJSON (WebAuthn Level 3, 5.1.8)."""

    id: str = Field(max_length=1_400)
    rawId: str = Field(max_length=1_400)
    type: Literal["public-key"]
    response: AttestationResponse


class AssertionIn(Body):
    challenge_id: str = Field(max_length=64)
    credential: Assertion


def from_base64url(value: str) -> bytes:
    """`ValueError` for anything but the one way in which these bytes are written."""
    if re.fullmatch(r"[A-Za-z0-9_-]*", value) is None:
        msg = "not base64url without padding"
        raise ValueError(msg)
    decoded = urlsafe_b64decode(value + "=" * (-len(value) % 4))
    if to_base64url(decoded) != value:
        msg = "not base64url without padding"
        raise ValueError(msg)
    return decoded


def to_base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def _is_name(value: str) -> str:
    text = value.strip()
    if not text or not text.isprintable():
        msg = "empty, or not printable"
        raise ValueError(msg)
    return text


PasskeyName = Annotated[str, Field(max_length=64), AfterValidator(_is_name)]
