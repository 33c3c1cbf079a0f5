"""Challenges: random bytes that an authenticator signs once, for one purpose and one user.

Bounded: expired ones go when new ones are made, and past `OPEN` the oldest give way, so that a
flood from many sources shortens the time for signing in, but takes no room.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Literal

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts.credentials.ceremonies import CHALLENGE_BYTES
from conclave.accounts.models import Challenge
from conclave.kernel.app import App
from conclave.kernel.ids import unguessable_id

LIFETIME = timedelta(minutes=5)
OPEN = 10_000
Purpose = Literal["sign_in", "reauthenticate", "register"]


async def issue(
    app: App, tx: AsyncSession, org_id: str, purpose: Purpose, user_id: str | None
) -> tuple[str, bytes]:
    """(id, bytes) of a new challenge."""
    now = app.clock.now()
    await tx.execute(delete(Challenge).where(Challenge.expires_at <= now))
    there = await tx.scalar(select(func.count()).select_from(Challenge)) or 0
    if there >= OPEN:
        oldest = select(Challenge.id).order_by(Challenge.expires_at).limit(there - OPEN + 1)
        await tx.execute(delete(Challenge).where(Challenge.id.in_(oldest)))
    made = Challenge(
        org_id=org_id,
        id=unguessable_id("chl"),
        purpose=purpose,
        user_id=user_id,
        challenge=secrets.token_bytes(CHALLENGE_BYTES),
        expires_at=now + LIFETIME,
    )
    tx.add(made)
    return made.id, made.challenge


async def take(app: App, challenge_id: str, purpose: Purpose, user_id: str | None) -> bytes | None:
    """Its bytes, used up now whatever comes of them. None for unknown, used and expired ones, and
    for those of another purpose or user."""
    async with app.db.transaction() as tx:
        found = (
            await tx.execute(
                delete(Challenge)
                .where(Challenge.id == challenge_id)
                .returning(
                    Challenge.purpose,
                    Challenge.user_id,
                    Challenge.challenge,
                    Challenge.expires_at,
                )
            )
        ).first()
    if (
        found is None
        or (found.purpose, found.user_id) != (purpose, user_id)
        or found.expires_at <= app.clock.now()
    ):
        return None
    challenge: bytes = found.challenge
    return challenge
