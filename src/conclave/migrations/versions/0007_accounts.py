"""Accounts: logins, passkeys, passwords, recovery codes, known browsers, links, notices."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.String(40)


def _id(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, _ID, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _bytes(name: str, length: int, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(length), nullable=nullable)


def _table(name: str, *columns: sa.Column[Any], key: tuple[str, ...]) -> None:
    op.create_table(name, *columns, sa.PrimaryKeyConstraint(*key, name=f"pk_{name}"))


def _index(table: str, *columns: str, unique: bool = False) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), unique=unique)


def upgrade() -> None:
    _extend_users_and_sessions()
    _create_credentials()
    _create_the_rest()


def _extend_users_and_sessions() -> None:
    for column in (
        sa.Column("login", sa.String(254), nullable=True),
        sa.Column("login_folded", sa.String(254), nullable=True),
        _time("suspended_at", nullable=True),
        _time("last_seen_at", nullable=True),
    ):
        op.add_column("users", column)
    _index("users", "org_id", "login_folded", unique=True)
    for text, length, default in (
        ("browser", 80, ""),
        ("place", 64, ""),
        ("method", 20, "operator_link"),
        ("families", 40, ""),
    ):
        op.add_column(
            "sessions",
            sa.Column(text, sa.String(length), server_default=default, nullable=False),
        )
    op.add_column("sessions", _time("authenticated_at", nullable=True))
    op.add_column("sessions", _time("last_seen_at", nullable=True))
    op.add_column(
        "sessions",
        sa.Column("is_rotation_due", sa.Boolean, server_default=sa.false(), nullable=False),
    )
    _index("sessions", "org_id", "user_id")


def _create_credentials() -> None:
    _table(
        "passkeys",
        _id("org_id"),
        _id("id"),
        _id("user_id"),
        _bytes("credential_id", 1023),
        _bytes("public_key", 2048),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("is_backup_eligible", sa.Boolean, nullable=False),
        sa.Column("is_backed_up", sa.Boolean, nullable=False),
        _time("created_at"),
        _time("last_used_at", nullable=True),
        key=("org_id", "id"),
    )
    _index("passkeys", "org_id", "credential_id", unique=True)
    _index("passkeys", "credential_id")
    _index("passkeys", "org_id", "user_id")
    _table(
        "passwords",
        _id("org_id"),
        _id("user_id"),
        sa.Column("password_hash", sa.String(255), nullable=False),
        _bytes("totp_secret", 32),
        sa.Column("totp_step", sa.BigInteger, nullable=False),
        _time("changed_at"),
        key=("org_id", "user_id"),
    )
    _table(
        "password_setups",
        _id("org_id"),
        _id("user_id"),
        _id("id"),
        sa.Column("password_hash", sa.String(255), nullable=False),
        _bytes("totp_secret", 32),
        _time("expires_at"),
        key=("org_id", "user_id"),
    )
    _table(
        "recovery_codes",
        _id("org_id"),
        _id("id"),
        _id("user_id"),
        _bytes("code_hash", 32),
        _time("created_at"),
        key=("org_id", "id"),
    )
    _index("recovery_codes", "code_hash")
    _index("recovery_codes", "org_id", "user_id")
    _table(
        "challenges",
        _id("org_id"),
        _id("id"),
        sa.Column("purpose", sa.String(20), nullable=False),
        _id("user_id", nullable=True),
        _bytes("challenge", 32),
        _time("expires_at"),
        key=("org_id", "id"),
    )
    _index("challenges", "expires_at")


def _create_the_rest() -> None:
    _table(
        "known_devices",
        _id("org_id"),
        _id("user_id"),
        _bytes("token_hash", 32),
        _time("last_seen_at"),
        key=("org_id", "user_id", "token_hash"),
    )
    _index("known_devices", "token_hash")
    _table(
        "welcome_links",
        _id("org_id"),
        _id("id"),
        _bytes("token_hash", 32),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("login", sa.String(254), nullable=True),
        _id("user_id", nullable=True),
        _id("made_by"),
        _time("created_at"),
        _time("expires_at"),
        key=("org_id", "id"),
    )
    _index("welcome_links", "token_hash")
    _table(
        "notices",
        _id("org_id"),
        _id("id"),
        _id("user_id"),
        sa.Column("kind", sa.String(40), nullable=False),
        _time("at"),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("is_seen", sa.Boolean, nullable=False),
        key=("org_id", "id"),
    )
    _index("notices", "org_id", "user_id", "at")
    _table(
        "device_links",
        _id("org_id"),
        _id("id"),
        _id("user_id"),
        _id("session_id"),
        sa.Column("browser", sa.String(80), nullable=False),
        sa.Column("place", sa.String(64), nullable=False),
        sa.Column("state", sa.Integer, nullable=False),
        _bytes("commitment", 32),
        _bytes("offer", 2048, nullable=True),
        _bytes("reveal", 2048, nullable=True),
        _bytes("parcel", 2048, nullable=True),
        _time("created_at"),
        _time("expires_at"),
        key=("org_id", "id"),
    )
    _index("device_links", "org_id", "user_id")
    _index("device_links", "expires_at")
