"""Personal invitations, and how people get into a meeting."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.String(40)


def _time(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.add_column(
        "meetings", sa.Column("entry", sa.String(10), nullable=False, server_default="open")
    )
    op.create_table(
        "meeting_invitations",
        sa.Column("org_id", _ID, nullable=False),
        sa.Column("meeting_id", _ID, nullable=False),
        sa.Column("id", sa.String(22), nullable=False),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        _time("created_at", nullable=False),
        _time("expires_at"),
        _time("revoked_at"),
        sa.Column("device", sa.LargeBinary(32), nullable=True),
        _time("bound_at"),
        _time("refused_at"),
        sa.PrimaryKeyConstraint("org_id", "meeting_id", "id", name="pk_meeting_invitations"),
    )
    op.create_index(
        "ix_meeting_invitations_meeting_id_id", "meeting_invitations", ["meeting_id", "id"]
    )
