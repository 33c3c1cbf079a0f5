"""One-time links that operators hand over or have mailed: into a new account, or back to one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts import limits, people
from conclave.accounts.actors import MEMBER, Actor
from conclave.accounts.credentials import logins
from conclave.accounts.events import InvitationRevoked, MemberInvited, MemberReset
from conclave.accounts.models import WelcomeLink
from conclave.kernel.app import App
from conclave.kernel.errors import Forbidden, NotFound
from conclave.kernel.ids import new_id
from conclave.kernel.tokens import hash_of, new_token

LIFETIME = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class NewLink:
    id: str
    token: str
    expires_at: datetime
    login: str | None


async def invite(app: App, actor: Actor, role: str, login: str | None) -> NewLink:
    """`Forbidden` (`reauthenticate`) for an operator's invitation by who is not fresh,
    `Conflict` (`login_taken`, `members_full`)."""
    if role != MEMBER and not actor.is_fresh(app.clock.now()):
        raise Forbidden("Please confirm first that it is you.", code="reauthenticate")
    app.limiter.hit("invite", actor.user_id, limits.INVITATIONS)
    wanted = logins.checked(login) if login else None
    async with app.db.transaction() as tx:
        await people.require_room(app, tx, actor.org_id)
        if wanted is not None and await logins.is_taken(tx, actor.org_id, wanted):
            raise logins.taken()
        link = await _new(app, tx, actor, role=role, login=wanted, user_id=None)
        await app.outbox.emit(tx, MemberInvited(actor.org_id, actor.user_id, link.id, role))
    return link


async def reset(app: App, actor: Actor, user_id: str) -> NewLink:
    """A link that leads `user_id` back to the account; older ones stop working. `NotFound` for who
    is unknown or suspended."""
    app.limiter.hit("invite", actor.user_id, limits.INVITATIONS)
    async with app.db.transaction() as tx:
        user = await people.user_for_update(tx, actor.org_id, user_id)
        if user.suspended_at is not None:
            raise NotFound
        await revoke_resets(tx, actor.org_id, user_id)
        link = await _new(app, tx, actor, role=user.role, login=None, user_id=user_id)
        await app.outbox.emit(tx, MemberReset(actor.org_id, user_id, actor.user_id))
    return link


async def revoke(app: App, actor: Actor, invitation_id: str) -> None:
    async with app.db.transaction() as tx:
        found = await tx.scalar(
            delete(WelcomeLink)
            .where(
                WelcomeLink.org_id == actor.org_id,
                WelcomeLink.id == invitation_id,
                WelcomeLink.user_id.is_(None),
            )
            .returning(WelcomeLink.id)
        )
        if found is None:
            raise NotFound
        await app.outbox.emit(tx, InvitationRevoked(actor.org_id, actor.user_id, found))


async def revoke_resets(tx: AsyncSession, org_id: str, user_id: str) -> None:
    await tx.execute(
        delete(WelcomeLink).where(WelcomeLink.org_id == org_id, WelcomeLink.user_id == user_id)
    )


async def list_open(app: App, actor: Actor) -> list[WelcomeLink]:
    """Invitations that wait, newest first."""
    async with app.db.read() as session:
        found = await session.scalars(
            select(WelcomeLink)
            .where(
                WelcomeLink.org_id == actor.org_id,
                WelcomeLink.user_id.is_(None),
                WelcomeLink.expires_at > app.clock.now(),
            )
            .order_by(WelcomeLink.created_at.desc(), WelcomeLink.id.desc())
        )
        return list(found)


async def _new(
    app: App,
    tx: AsyncSession,
    actor: Actor,
    *,
    role: str,
    login: str | None,
    user_id: str | None,
) -> NewLink:
    now = app.clock.now()
    await tx.execute(delete(WelcomeLink).where(WelcomeLink.expires_at <= now))
    token = new_token()
    link = WelcomeLink(
        org_id=actor.org_id,
        id=new_id("wel", now),
        token_hash=hash_of(token),
        role=role,
        login=login,
        user_id=user_id,
        made_by=actor.user_id,
        created_at=now,
        expires_at=now + LIFETIME,
    )
    tx.add(link)
    return NewLink(link.id, token, link.expires_at, login)
