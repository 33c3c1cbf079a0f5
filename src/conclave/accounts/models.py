"""Tables of accounts.

Tokens and recovery codes are stored as SHA-256 only: 100 random bits and more need no slow hash.
Passwords are argon2id (`credentials/hashing.py`). The secret of a one-time code is stored as it is,
since the server has to compute the codes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Boolean, Index, Integer, LargeBinary, String, false
from sqlalchemy.orm import Mapped, mapped_column

from conclave.kernel.db import Base
from conclave.kernel.models import Timestamp

_ID = String(40)


class Organisation(Base):
    __tablename__ = "organisations"

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(Timestamp)


class User(Base):
    __tablename__ = "users"
    __table_args__ = (Index(None, "org_id", "login_folded", unique=True),)

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    role: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    login: Mapped[str | None] = mapped_column(String(254))
    """As its owner writes it."""
    login_folded: Mapped[str | None] = mapped_column(String(254))
    """As it is compared."""
    suspended_at: Mapped[datetime | None] = mapped_column(Timestamp)
    last_seen_at: Mapped[datetime | None] = mapped_column(Timestamp)


class Session(Base):
    __tablename__ = "sessions"
    __table_args__ = (
        Index(None, "token_hash"),
        Index(None, "expires_at"),
        Index(None, "org_id", "user_id"),
    )

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    extended_at: Mapped[datetime] = mapped_column(Timestamp)
    expires_at: Mapped[datetime] = mapped_column(Timestamp)
    browser: Mapped[str] = mapped_column(String(80), server_default="")
    place: Mapped[str] = mapped_column(String(64), server_default="")
    method: Mapped[str] = mapped_column(String(20), server_default="operator_link")
    authenticated_at: Mapped[datetime | None] = mapped_column(Timestamp)
    """When its owner was last proven; None for sessions older than that column."""
    last_seen_at: Mapped[datetime | None] = mapped_column(Timestamp)
    families: Mapped[str] = mapped_column(String(40), server_default="")
    """Address families it was proven in, separated by blanks; empty: not known yet."""
    is_rotation_due: Mapped[bool] = mapped_column(Boolean, server_default=false())
    """The next page that its owner loads gets another token."""


class OperatorLink(Base):
    __tablename__ = "operator_links"
    __table_args__ = (Index(None, "token_hash"),)

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    expires_at: Mapped[datetime] = mapped_column(Timestamp)
    used_at: Mapped[datetime | None] = mapped_column(Timestamp)


class Vault(Base):
    """What a user's browsers keep for each other, encrypted there; never looked at here."""

    __tablename__ = "vaults"

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    updated_at: Mapped[datetime] = mapped_column(Timestamp)


class Passkey(Base):
    """A WebAuthn credential: the browser's, or its owner's hardware, holds the private key."""

    __tablename__ = "passkeys"
    __table_args__ = (
        Index(None, "org_id", "credential_id", unique=True),
        Index(None, "credential_id"),
        Index(None, "org_id", "user_id"),
    )

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023))
    public_key: Mapped[bytes] = mapped_column(LargeBinary(2048))
    """COSE_Key (RFC 9052, section 7)."""
    sign_count: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(64))
    is_backup_eligible: Mapped[bool] = mapped_column(Boolean)
    is_backed_up: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    last_used_at: Mapped[datetime | None] = mapped_column(Timestamp)


class Password(Base):
    __tablename__ = "passwords"

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    password_hash: Mapped[str] = mapped_column(String(255))
    totp_secret: Mapped[bytes] = mapped_column(LargeBinary(32))
    totp_step: Mapped[int] = mapped_column(BigInteger)
    """The time step of the last code that was taken: none is taken twice."""
    changed_at: Mapped[datetime] = mapped_column(Timestamp)


class PasswordSetup(Base):
    """A password that waits for the first code of its one-time-code app."""

    __tablename__ = "password_setups"

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(_ID)
    password_hash: Mapped[str] = mapped_column(String(255))
    totp_secret: Mapped[bytes] = mapped_column(LargeBinary(32))
    expires_at: Mapped[datetime] = mapped_column(Timestamp)


class RecoveryCode(Base):
    __tablename__ = "recovery_codes"
    __table_args__ = (Index(None, "code_hash"), Index(None, "org_id", "user_id"))

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime] = mapped_column(Timestamp)


class Challenge(Base):
    """What an authenticator is asked to sign: once, within five minutes, for one purpose."""

    __tablename__ = "challenges"
    __table_args__ = (Index(None, "expires_at"),)

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    purpose: Mapped[str] = mapped_column(String(20))
    user_id: Mapped[str | None] = mapped_column(_ID)
    challenge: Mapped[bytes] = mapped_column(LargeBinary(32))
    expires_at: Mapped[datetime] = mapped_column(Timestamp)


class KnownDevice(Base):
    """A browser that a user has signed in with before."""

    __tablename__ = "known_devices"
    __table_args__ = (Index(None, "token_hash"),)

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    last_seen_at: Mapped[datetime] = mapped_column(Timestamp)


class WelcomeLink(Base):
    """A one-time link that makes an account, or leads back to one (`user_id`)."""

    __tablename__ = "welcome_links"
    __table_args__ = (Index(None, "token_hash"),)

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    role: Mapped[str] = mapped_column(String(20))
    login: Mapped[str | None] = mapped_column(String(254))
    user_id: Mapped[str | None] = mapped_column(_ID)
    made_by: Mapped[str] = mapped_column(_ID)
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    expires_at: Mapped[datetime] = mapped_column(Timestamp)


class Notice(Base):
    """What a user should hear of their account. Details hold no login and no full address."""

    __tablename__ = "notices"
    __table_args__ = (Index(None, "org_id", "user_id", "at"),)

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID)
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(Timestamp)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    is_seen: Mapped[bool] = mapped_column(Boolean)


class DeviceLink(Base):
    """A mailbox between two browsers of one user; what they leave there is theirs to judge."""

    __tablename__ = "device_links"
    __table_args__ = (Index(None, "org_id", "user_id"), Index(None, "expires_at"))

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    user_id: Mapped[str] = mapped_column(_ID)
    session_id: Mapped[str] = mapped_column(_ID)
    """Of the new device, which has made it."""
    browser: Mapped[str] = mapped_column(String(80))
    place: Mapped[str] = mapped_column(String(64))
    state: Mapped[int] = mapped_column(Integer)
    """How many of offer, reveal and parcel are there."""
    commitment: Mapped[bytes] = mapped_column(LargeBinary(32))
    offer: Mapped[bytes | None] = mapped_column(LargeBinary(2048))
    reveal: Mapped[bytes | None] = mapped_column(LargeBinary(2048))
    parcel: Mapped[bytes | None] = mapped_column(LargeBinary(2048))
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    expires_at: Mapped[datetime] = mapped_column(Timestamp)
