"""A host's meetings, running and ended, newest first: when they were, and no more than that.

Reads only. What happened in one of them is the audit log's to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, tuple_

from conclave.accounts import Actor
from conclave.kernel.app import App
from conclave.meetings.models import Meeting


@dataclass(frozen=True, slots=True)
class OwnMeeting:
    id: str
    opened_at: datetime
    ended_at: datetime | None


async def list_opened_by(
    app: App, actor: Actor, *, since: datetime, before: str | None, limit: int
) -> Sequence[OwnMeeting]:
    """Those opened at `since` or later; `before`: behind this one, an id of an earlier answer."""
    own = (Meeting.org_id == actor.org_id, Meeting.opened_by == actor.user_id)
    wanted = select(Meeting).where(*own, Meeting.opened_at >= since)
    if before is not None:
        place = select(Meeting.opened_at, Meeting.id).where(*own, Meeting.id == before)
        wanted = wanted.where(tuple_(Meeting.opened_at, Meeting.id) < place.scalar_subquery())
    wanted = wanted.order_by(Meeting.opened_at.desc(), Meeting.id.desc()).limit(limit)
    async with app.db.read() as session:
        meetings = await session.scalars(wanted)
        return [OwnMeeting(one.id, one.opened_at, one.ended_at) for one in meetings]
