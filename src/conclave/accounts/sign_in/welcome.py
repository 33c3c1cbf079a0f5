"""One-time links of operators: an invitation makes an account, a reset leads back to one."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts import people
from conclave.accounts.actors import OPERATOR
from conclave.accounts.credentials import logins
from conclave.accounts.models import User, WelcomeLink
from conclave.accounts.sessions.start import Caller, Started, start
from conclave.accounts.sign_in.schemas import WelcomeOut
from conclave.kernel.app import App
from conclave.kernel.errors import NotFound
from conclave.kernel.tokens import hash_of


async def look(app: App, token: str) -> WelcomeOut:
    """What the link is for; `NotFound` for unknown, used, revoked and expired alike."""
    async with app.db.read() as session:
        link, user = await _open(app, session, token)
    role = link.role if user is None else user.role
    return WelcomeOut(
        kind="invitation" if user is None else "reset",
        role="operator" if role == OPERATOR else "member",
        login=link.login if user is None else user.login,
        expires_at=link.expires_at,
    )


async def redeem(app: App, caller: Caller, token: str) -> Started:
    """`NotFound` as above; `Conflict` (`members_full`) when there is no room for an account."""
    async with app.db.transaction() as tx:
        await people.hold(app, tx)
        link, user = await _open(app, tx, token)
        # Compare and set: of two that come at once, one finds it.
        used = await tx.scalar(
            delete(WelcomeLink)
            .where(WelcomeLink.org_id == link.org_id, WelcomeLink.id == link.id)
            .returning(WelcomeLink.id)
        )
        if used is None:
            raise NotFound
        if user is not None:
            return await start(app, tx, user, caller, "reset")
        user = await people.new_user(app, tx, link.org_id, link.role, "invitation")
        # Whoever has taken the login since then keeps it; the guest chooses another one.
        if link.login is not None and not await logins.is_taken(tx, link.org_id, link.login):
            await logins.claim(tx, user, link.login)
        return await start(app, tx, user, caller, "invitation")


async def _open(app: App, session: AsyncSession, token: str) -> tuple[WelcomeLink, User | None]:
    """(the link, whom it leads back to: None for an invitation)."""
    token_hash = hash_of(token)
    link = None
    if token_hash is not None:
        link = await session.scalar(
            select(WelcomeLink).where(
                WelcomeLink.token_hash == token_hash, WelcomeLink.expires_at > app.clock.now()
            )
        )
    if link is None:
        raise NotFound
    if link.user_id is None:
        return link, None
    user = await session.scalar(
        select(User).where(
            User.org_id == link.org_id, User.id == link.user_id, User.suspended_at.is_(None)
        )
    )
    if user is None:
        raise NotFound
    return link, user
