"""Who may do what with a meeting. The only way for the service to get one.

Unknown, malformed, ended, and (for its host's calls) somebody else's: one answer.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts import Actor
from conclave.kernel.errors import NotFound
from conclave.kernel.ids import is_id
from conclave.meetings.models import Meeting

PREFIX = "mtg"


async def require_open(tx: AsyncSession, meeting_id: str) -> Meeting:
    """An open meeting, for anybody who has its link."""
    meeting = None
    if is_id(PREFIX, meeting_id):
        meeting = await tx.scalar(
            select(Meeting).where(Meeting.id == meeting_id, Meeting.ended_at.is_(None))
        )
    if meeting is None:
        raise NotFound("This meeting does not exist, or it has ended.")
    return meeting


async def require_host(tx: AsyncSession, actor: Actor, meeting_id: str) -> Meeting:
    """An open meeting that the actor has opened."""
    meeting = await require_open(tx, meeting_id)
    if not is_host(actor, meeting):
        raise NotFound("This meeting does not exist, or it has ended.")
    return meeting


def is_host(actor: Actor | None, meeting: Meeting) -> bool:
    """Who has opened it; no other operator either."""
    return actor is not None and (actor.org_id, actor.user_id) == (
        meeting.org_id,
        meeting.opened_by,
    )
