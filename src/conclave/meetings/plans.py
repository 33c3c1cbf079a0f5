"""Planned meetings: how long a meeting is kept, and the sealed plan that its host's browser wrote.

The server learns until when to keep a meeting and nothing else of when it takes place. Must never
look into a plan.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts import Actor
from conclave.kernel.app import App
from conclave.kernel.errors import Conflict, Invalid, NotFound
from conclave.meetings import policy
from conclave.meetings.events import MeetingPlanned
from conclave.meetings.machine import Keeping, unkept
from conclave.meetings.models import Meeting

MOST = 200
"""Meetings that are kept for one account."""
FARTHEST = timedelta(days=2 * 365 + 1)


async def set_plan(
    app: App,
    actor: Actor,
    meeting_id: str,
    keeping: Keeping,
    sealed: bytes | None,
    *,
    is_own_room: bool,
) -> None:
    """Keep a meeting with this plan, change it, or (`while-used`) take the plan back."""
    now = app.clock.now()
    _check(keeping.until, now)
    try:
        async with app.db.transaction() as tx:
            meeting = await policy.require_host(tx, actor, meeting_id)
            if keeping.keep != "while-used" and meeting.keep == "while-used":
                await _require_room(tx, meeting)
            await _store(tx, meeting, keeping, sealed, now, is_own_room=is_own_room)
            await app.outbox.emit(
                tx,
                MeetingPlanned(
                    meeting.org_id,
                    meeting.id,
                    meeting.opened_by,
                    meeting.opened_at,
                    meeting.participants,
                ),
            )
    except IntegrityError:
        raise Conflict("There is a room of your own already.", code="own_room") from None


def _check(until: datetime | None, now: datetime) -> None:
    if until is None:
        return
    if until <= now:
        raise Invalid("A meeting can be kept only until a time to come.", code="keep_until")
    if until > now + FARTHEST:
        raise Invalid("A meeting can be kept for two years at most.", code="keep_until")


async def _require_room(tx: AsyncSession, meeting: Meeting) -> None:
    kept = await tx.scalar(
        select(func.count()).where(
            Meeting.org_id == meeting.org_id,
            Meeting.opened_by == meeting.opened_by,
            Meeting.ended_at.is_(None),
            Meeting.keep != "while-used",
        )
    )
    if (kept or 0) >= MOST:
        raise Conflict(f"At most {MOST} meetings can be planned.", code="too_many_planned")


async def _store(
    tx: AsyncSession,
    meeting: Meeting,
    keeping: Keeping,
    sealed: bytes | None,
    now: datetime,
    *,
    is_own_room: bool,
) -> None:
    occupancy = meeting.occupancy
    if keeping.keep == "while-used" and meeting.keep != "while-used":
        occupancy = unkept(occupancy, now)
    # Compare and set: one that ends at the same moment keeps no plan.
    stored = await tx.scalar(
        update(Meeting)
        .where(
            Meeting.org_id == meeting.org_id,
            Meeting.id == meeting.id,
            Meeting.ended_at.is_(None),
        )
        .values(
            keep=keeping.keep,
            keep_until=keeping.until,
            sealed_plan=sealed,
            is_own_room=is_own_room,
            empty_since_at=occupancy.empty_since_at,
        )
        .returning(Meeting.id)
    )
    if stored is None:
        raise NotFound("This meeting does not exist, or it has ended.")
