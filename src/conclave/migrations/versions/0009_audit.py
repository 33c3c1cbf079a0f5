"""The audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.String(40)


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("org_id", _ID, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("event_id", _ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("type", sa.String(80), nullable=False),
        sa.Column("user_id", _ID, nullable=True),
        sa.Column("meeting_id", _ID, nullable=True),
        sa.Column("details", sa.JSON, nullable=False),
        sa.Column("previous", sa.LargeBinary(32), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("org_id", "number", name="pk_audit_log"),
    )
    op.create_index(
        "ix_audit_log_org_id_event_id", "audit_log", ["org_id", "event_id"], unique=True
    )
    op.create_index(
        "ix_audit_log_org_id_meeting_id_number", "audit_log", ["org_id", "meeting_id", "number"]
    )
