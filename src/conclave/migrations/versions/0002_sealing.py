"""The delivery service's instances, seats and log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.String(40)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def upgrade() -> None:
    op.create_table(
        "sealing_instances",
        sa.Column("org_id", _ID, nullable=False),
        sa.Column("meeting_id", _ID, nullable=False),
        sa.Column("id", sa.String(22), nullable=False),
        _time("created_at"),
        _count("epoch"),
        _count("seq"),
        _count("pos"),
        _count("floor_seq"),
        _count("floor_pos"),
        _count("settled"),
        _time("empty_since_at", nullable=True),
        sa.Column("open_commits", sa.JSON, nullable=False),
        _count("version"),
        sa.PrimaryKeyConstraint("org_id", "meeting_id", name="pk_sealing_instances"),
    )
    op.create_index(
        "ix_sealing_instances_meeting_id", "sealing_instances", ["meeting_id"], unique=True
    )
    op.create_index("ix_sealing_instances_empty_since_at", "sealing_instances", ["empty_since_at"])
    op.create_table(
        "sealing_seats",
        sa.Column("org_id", _ID, nullable=False),
        sa.Column("meeting_id", _ID, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("resume_hash", sa.LargeBinary(32), nullable=True),
        sa.Column("role", sa.String(10), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("worker", _ID, nullable=True),
        _time("seen_at"),
        _time("lost_at", nullable=True),
        sa.Column("connection", sa.Integer, nullable=False),
        _count("since_pos"),
        _count("since_seq"),
        sa.Column("granted", sa.String(10), nullable=True),
        sa.Column("identity", sa.String(22), nullable=True),
        _count("acked"),
        sa.Column("nacked", sa.String(43), nullable=True),
        sa.Column("knock", sa.JSON, nullable=True),
        sa.PrimaryKeyConstraint("org_id", "meeting_id", "id", name="pk_sealing_seats"),
    )
    op.create_index(
        "ix_sealing_seats_meeting_id_identity", "sealing_seats", ["meeting_id", "identity"]
    )
    op.create_index("ix_sealing_seats_worker_seen_at", "sealing_seats", ["worker", "seen_at"])
    op.create_index("ix_sealing_seats_state_lost_at", "sealing_seats", ["state", "lost_at"])
    op.create_table(
        "sealing_log",
        sa.Column("org_id", _ID, nullable=False),
        sa.Column("meeting_id", _ID, nullable=False),
        sa.Column("pos", sa.BigInteger, autoincrement=False, nullable=False),
        _count("seq"),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("seat", _ID, nullable=True),
        sa.Column("sender", _ID, nullable=True),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("frame", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("org_id", "meeting_id", "pos", name="pk_sealing_log"),
    )
    op.create_index("ix_sealing_log_org_id_meeting_id_seq", "sealing_log", [
        "org_id", "meeting_id", "seq",
    ])  # fmt: skip
