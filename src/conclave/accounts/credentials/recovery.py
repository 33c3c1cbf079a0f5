"""Recovery codes: ten at a time, each for one sign-in when nothing else is at hand.

100 random bits in Crockford's base32, so that a plain digest is enough and letters that look alike
are one (https://www.crockford.com/base32.html).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts import notices
from conclave.accounts.actors import Actor
from conclave.accounts.events import RecoveryCodesMade, RecoveryCodeUsed
from conclave.accounts.models import RecoveryCode, User
from conclave.accounts.people import user_for_update
from conclave.kernel.app import App
from conclave.kernel.ids import new_id
from conclave.kernel.tokens import digest_of

COUNT = 10
_LENGTH = 20
_GROUP = 5
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LIKE = str.maketrans("OIL", "011", " -\u2010\u2011\u2013")


@dataclass(frozen=True, slots=True)
class Left:
    """A code was used: how many its owner has left."""

    user: User
    left: int


def new_code() -> str:
    """`XXXXX-XXXXX-XXXXX-XXXXX`."""
    text = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    return "-".join(text[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def digest_of_code(text: str) -> bytes | None:
    """None when `text` cannot be a recovery code, however it was typed."""
    if len(text) > 64:
        return None
    code = text.upper().translate(_LIKE)
    if len(code) != _LENGTH or not set(code) <= set(_ALPHABET):
        return None
    return digest_of(code.encode("ascii"))


async def make(app: App, actor: Actor) -> list[str]:
    """Ten new codes; older ones stop working."""
    now = app.clock.now()
    codes = [new_code() for _ in range(COUNT)]
    async with app.db.transaction() as tx:
        await user_for_update(tx, actor.org_id, actor.user_id)
        await tx.execute(delete(RecoveryCode).where(*_of(actor.org_id, actor.user_id)))
        for code in codes:
            tx.add(
                RecoveryCode(
                    org_id=actor.org_id,
                    id=new_id("rec", now),
                    user_id=actor.user_id,
                    code_hash=digest_of_code(code),
                    created_at=now,
                )
            )
        await notices.add(tx, actor.org_id, actor.user_id, "recovery_codes_made", now)
        await app.outbox.emit(tx, RecoveryCodesMade(actor.org_id, actor.user_id))
    return codes


async def use(app: App, tx: AsyncSession, code: str, *, user: User | None = None) -> Left | None:
    """Whose code it was, which is used up now; None for unknown and used ones, and for those of
    anybody but `user` or of who is suspended."""
    digest = digest_of_code(code)
    if digest is None:
        return None
    found = (
        await tx.execute(
            select(RecoveryCode, User)
            .join(User, (User.org_id == RecoveryCode.org_id) & (User.id == RecoveryCode.user_id))
            .where(RecoveryCode.code_hash == digest, User.suspended_at.is_(None))
        )
    ).first()
    if found is None or (user is not None and found.User.id != user.id):
        return None
    owner: User = found.User
    # Compare and set: of two that come at once, one finds it.
    used = await tx.scalar(
        delete(RecoveryCode)
        .where(RecoveryCode.org_id == owner.org_id, RecoveryCode.id == found.RecoveryCode.id)
        .returning(RecoveryCode.id)
    )
    if used is None:
        return None
    left = await count(tx, owner.org_id, owner.id)
    now = app.clock.now()
    await notices.add(tx, owner.org_id, owner.id, "recovery_code_used", now, left=left)
    await app.outbox.emit(tx, RecoveryCodeUsed(owner.org_id, owner.id, left))
    return Left(owner, left)


async def owner_of(session: AsyncSession, code: str) -> str | None:
    """Whose unused code this is; changes nothing."""
    digest = digest_of_code(code) or bytes(32)
    found: str | None = await session.scalar(
        select(RecoveryCode.user_id).where(RecoveryCode.code_hash == digest)
    )
    return found


async def count(session: AsyncSession, org_id: str, user_id: str) -> int:
    found = await session.scalar(
        select(func.count()).select_from(RecoveryCode).where(*_of(org_id, user_id))
    )
    return found or 0


def _of(org_id: str, user_id: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return RecoveryCode.org_id == org_id, RecoveryCode.user_id == user_id
