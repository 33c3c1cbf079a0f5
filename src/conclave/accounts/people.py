"""Accounts as such: made, counted, led back to, removed with all that is theirs.

Holds the rule that at least one operator who can act remains. Must never remove an account's parts
in any other order than all at once.
"""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts.actors import OPERATOR
from conclave.accounts.events import MemberJoined, MemberRemoved
from conclave.accounts.models import (
    Challenge,
    DeviceLink,
    KnownDevice,
    Notice,
    Passkey,
    Password,
    PasswordSetup,
    RecoveryCode,
    Session,
    User,
    Vault,
    WelcomeLink,
)
from conclave.kernel.app import App
from conclave.kernel.db import Database
from conclave.kernel.errors import Conflict, NotFound
from conclave.kernel.ids import new_id

_PEOPLE_LOCK = 0x636F6E63_00000003
_OWNED = (
    Challenge,
    DeviceLink,
    KnownDevice,
    Notice,
    Passkey,
    Password,
    PasswordSetup,
    RecoveryCode,
    Session,
    Vault,
    WelcomeLink,
)
"""Tables whose rows go with their user."""


async def has_operator(db: Database) -> bool:
    async with db.read() as session:
        found = await session.scalar(select(User.id).where(User.role == OPERATOR).limit(1))
    return found is not None


async def hold(app: App, tx: AsyncSession) -> None:
    """Changes of who is here, and as what, come one after the other."""
    await app.db.lock(tx, _PEOPLE_LOCK)


async def new_user(app: App, tx: AsyncSession, org_id: str, role: str, way: str) -> User:
    """`Conflict` (`members_full`) past the settings' number of accounts."""
    await hold(app, tx)
    await require_room(app, tx, org_id)
    now = app.clock.now()
    user = User(
        org_id=org_id,
        id=new_id("usr", now),
        role=role,
        created_at=now,
        login=None,
        login_folded=None,
        suspended_at=None,
        last_seen_at=None,
    )
    tx.add(user)
    await app.outbox.emit(tx, MemberJoined(org_id, user.id, role, way))
    return user


async def require_room(app: App, tx: AsyncSession, org_id: str) -> None:
    there = await tx.scalar(select(func.count()).select_from(User).where(User.org_id == org_id))
    if (there or 0) >= app.settings.accounts.max_members:
        raise Conflict(
            "This server has as many accounts as it may have. Please ask whoever runs it.",
            code="members_full",
        )


async def user_for_update(tx: AsyncSession, org_id: str, user_id: str) -> User:
    """The user's row, locked until the transaction ends. `NotFound`."""
    found = await tx.scalar(
        select(User).where(User.org_id == org_id, User.id == user_id).with_for_update()
    )
    if found is None:
        raise NotFound
    return found


async def require_another_operator(tx: AsyncSession, user: User) -> None:
    """`Conflict` (`last_operator`) when nobody else could run this server; call under `hold`."""
    if user.role != OPERATOR or user.suspended_at is not None:
        return
    other = await tx.scalar(
        select(User.id)
        .where(
            User.org_id == user.org_id,
            User.id != user.id,
            User.role == OPERATOR,
            User.suspended_at.is_(None),
        )
        .limit(1)
    )
    if other is None:
        raise Conflict(
            "This is the last operator. Make somebody else an operator first.",
            code="last_operator",
        )


async def revoke_links_by(tx: AsyncSession, user: User) -> None:
    """Invitations and resets that `user` has made end with the right to make them."""
    await tx.execute(
        delete(WelcomeLink).where(WelcomeLink.org_id == user.org_id, WelcomeLink.made_by == user.id)
    )


async def remove(app: App, tx: AsyncSession, user: User, *, by: str) -> None:
    """The account and everything of it; call under `hold`."""
    await require_another_operator(tx, user)
    await revoke_links_by(tx, user)
    for table in _OWNED:
        await tx.execute(delete(table).where(table.org_id == user.org_id, table.user_id == user.id))
    await tx.execute(delete(User).where(User.org_id == user.org_id, User.id == user.id))
    await app.outbox.emit(tx, MemberRemoved(user.org_id, user.id, by))
