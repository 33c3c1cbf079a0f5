"""Organisations: one for now, made at the first start. All keys are led by its id all the same."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts.models import Organisation
from conclave.kernel.clock import Clock
from conclave.kernel.db import Database
from conclave.kernel.ids import OrgId, new_id

_BOOTSTRAP_LOCK = 0x636F6E63_00000002


async def ensure_organisation(db: Database, clock: Clock) -> OrgId:
    """The one organisation of this installation, made at the first start."""
    async with db.transaction() as tx:
        return await ensure_in(db, tx, clock.now())


async def ensure_in(db: Database, tx: AsyncSession, now: datetime) -> OrgId:
    await db.lock(tx, _BOOTSTRAP_LOCK)  # two programs that start together make one
    found = await _first(tx)
    if found is not None:
        return found
    org_id = OrgId(new_id("org", now))
    tx.add(Organisation(org_id=org_id, created_at=now))
    return org_id


async def the_organisation(session: AsyncSession) -> OrgId:
    """That of whoever is not signed in yet."""
    found = await _first(session)
    if found is None:
        msg = "the organisation is made at the start"
        raise LookupError(msg)
    return found


async def _first(session: AsyncSession) -> OrgId | None:
    found = await session.scalar(
        select(Organisation.org_id).order_by(Organisation.created_at).limit(1)
    )
    return None if found is None else OrgId(found)
