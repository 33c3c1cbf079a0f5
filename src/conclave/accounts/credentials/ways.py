"""Ways in: an account that has one keeps one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts.models import Passkey, Password
from conclave.kernel.errors import Conflict


@dataclass(frozen=True, slots=True)
class Ways:
    passkeys: int
    has_password: bool

    @property
    def has_any(self) -> bool:
        return self.passkeys > 0 or self.has_password


async def ways_of(session: AsyncSession, org_id: str, user_id: str) -> Ways:
    passkeys = await session.scalar(
        select(func.count())
        .select_from(Passkey)
        .where(Passkey.org_id == org_id, Passkey.user_id == user_id)
    )
    password = await session.scalar(
        select(Password.user_id).where(Password.org_id == org_id, Password.user_id == user_id)
    )
    return Ways(passkeys or 0, password is not None)


async def require_one_left(session: AsyncSession, org_id: str, user_id: str) -> None:
    """`Conflict` (`last_way_in`) after the last one was taken away: nothing of it is stored then.
    Recovery codes do not count: they run out. Call with the user's row locked."""
    if not (await ways_of(session, org_id, user_id)).has_any:
        raise Conflict(
            "This is the only way into your account. Set up another one first.",
            code="last_way_in",
        )
