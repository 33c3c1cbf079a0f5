"""Planned meetings: what is planned, sealed in the browser, and how long links stay."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_OWN = sa.text("is_own_room AND ended_at IS NULL")


def upgrade() -> None:
    op.add_column(
        "meetings", sa.Column("keep", sa.String(10), nullable=False, server_default="while-used")
    )
    op.add_column("meetings", sa.Column("keep_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("meetings", sa.Column("sealed_plan", sa.LargeBinary, nullable=True))
    op.add_column(
        "meetings",
        sa.Column("is_own_room", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    # One room of one's own, however many browsers ask for it at once.
    op.create_index(
        "ix_meetings_own_room",
        "meetings",
        ["org_id", "opened_by"],
        unique=True,
        sqlite_where=_OWN,
        postgresql_where=_OWN,
    )
