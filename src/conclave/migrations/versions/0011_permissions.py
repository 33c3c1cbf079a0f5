"""What members of a sitting may send, as the media server has to know it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "sealing_instances", sa.Column("media", sa.Integer, nullable=False, server_default="7")
    )
    op.add_column("sealing_seats", sa.Column("media", sa.Integer, nullable=True))
