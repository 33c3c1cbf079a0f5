"""Who was removed is a matter of the meeting's group: the list of them goes."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("meeting_removals")
