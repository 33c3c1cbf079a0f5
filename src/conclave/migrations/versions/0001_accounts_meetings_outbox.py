"""Accounts, meetings and the event log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.String(40)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "schema_version",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("compat", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schema_version"),
    )
    op.create_table(
        "outbox_events",
        sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("org_id", _ID, nullable=False),
        sa.Column("type", sa.String(80), nullable=False),
        sa.Column("payload", sa.JSON, nullable=False),
        _time("occurred_at"),
        sa.PrimaryKeyConstraint("seq", name="pk_outbox_events"),
        sa.UniqueConstraint("id", name="uq_outbox_events_id"),
    )
    op.create_index("ix_outbox_events_org_id_seq", "outbox_events", ["org_id", "seq"])
    cursors = op.create_table(
        "outbox_cursors",
        sa.Column("consumer", sa.String(80), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("consumer", name="pk_outbox_cursors"),
    )
    op.bulk_insert(cursors, [{"consumer": "head", "seq": 0}])
    op.create_table(
        "organisations",
        sa.Column("org_id", _ID, nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("org_id", name="pk_organisations"),
    )
    op.create_table(
        "users",
        sa.Column("org_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        _time("created_at"),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_users"),
    )
    op.create_table(
        "sessions",
        sa.Column("org_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("user_id", _ID, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        _time("created_at"),
        _time("extended_at"),
        _time("expires_at"),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_token_hash", "sessions", ["token_hash"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "operator_links",
        sa.Column("org_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        _time("created_at"),
        _time("expires_at"),
        _time("used_at", nullable=True),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_operator_links"),
    )
    op.create_index("ix_operator_links_token_hash", "operator_links", ["token_hash"])
    op.create_table(
        "meetings",
        sa.Column("org_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("opened_by", _ID, nullable=False),
        _time("opened_at"),
        _time("ended_at", nullable=True),
        sa.Column("participants", sa.Integer, nullable=False),
        _time("joined_at", nullable=True),
        _time("empty_since_at", nullable=True),
        sa.PrimaryKeyConstraint("org_id", "id", name="pk_meetings"),
    )
    op.create_index("ix_meetings_id", "meetings", ["id"])
    op.create_index(
        "ix_meetings_org_id_ended_at_opened_at", "meetings", ["org_id", "ended_at", "opened_at"]
    )
    op.create_table(
        "meeting_removals",
        sa.Column("org_id", _ID, nullable=False),
        sa.Column("meeting_id", _ID, nullable=False),
        sa.Column("identity", sa.String(128), nullable=False),
        _time("removed_at"),
        sa.PrimaryKeyConstraint("org_id", "meeting_id", "identity", name="pk_meeting_removals"),
    )
