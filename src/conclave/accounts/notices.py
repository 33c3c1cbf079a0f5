"""Notices: what a user should hear of their account, at the next look.

Written in the transaction of what they tell of. Bounded by user; what can be provoked from outside
is counted in one notice instead of filling the list.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts.actors import Actor
from conclave.accounts.models import Notice
from conclave.kernel.app import App
from conclave.kernel.ids import new_id

KEPT = 100
_COUNTED_FOR = timedelta(days=1)


async def add(
    tx: AsyncSession, org_id: str, user_id: str, kind: str, now: datetime, **details: Any
) -> None:
    tx.add(
        Notice(
            org_id=org_id,
            id=new_id("ntc", now),
            user_id=user_id,
            kind=kind,
            at=now,
            details=details,
            is_seen=False,
        )
    )
    await tx.flush()
    surplus = (
        select(Notice.id)
        .where(Notice.org_id == org_id, Notice.user_id == user_id)
        .order_by(Notice.at.desc(), Notice.id.desc())
        .offset(KEPT)
    )
    await tx.execute(delete(Notice).where(Notice.org_id == org_id, Notice.id.in_(surplus)))


async def count(
    tx: AsyncSession, org_id: str, user_id: str, kind: str, now: datetime, *, start: int
) -> None:
    """One more of `kind`: into the unseen notice of the last day, or a new one from `start`."""
    found = await tx.scalar(
        select(Notice)
        .where(
            Notice.org_id == org_id,
            Notice.user_id == user_id,
            Notice.kind == kind,
            Notice.is_seen.is_(False),
            Notice.at > now - _COUNTED_FOR,
        )
        .order_by(Notice.at.desc())
        .limit(1)
    )
    if found is None:
        await add(tx, org_id, user_id, kind, now, count=start)
        return
    found.details = {**found.details, "count": int(found.details.get("count", 0)) + 1}
    found.at = now


async def newest(session: AsyncSession, actor: Actor) -> Sequence[Notice]:
    found = await session.scalars(
        select(Notice)
        .where(Notice.org_id == actor.org_id, Notice.user_id == actor.user_id)
        .order_by(Notice.at.desc(), Notice.id.desc())
        .limit(KEPT)
    )
    return list(found)


async def unseen(session: AsyncSession, actor: Actor) -> int:
    found = await session.scalar(
        select(func.count())
        .select_from(Notice)
        .where(
            Notice.org_id == actor.org_id,
            Notice.user_id == actor.user_id,
            Notice.is_seen.is_(False),
        )
    )
    return found or 0


async def mark_seen(app: App, actor: Actor) -> None:
    async with app.db.transaction() as tx:
        await tx.execute(
            update(Notice)
            .where(Notice.org_id == actor.org_id, Notice.user_id == actor.user_id)
            .values(is_seen=True)
        )
