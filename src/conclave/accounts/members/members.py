"""Members as a list, and what operators change of them."""

from __future__ import annotations

from sqlalchemy import delete, func, select

from conclave.accounts import notices, people
from conclave.accounts.actors import MEMBER, OPERATOR, Actor
from conclave.accounts.events import (
    MemberRestored,
    MemberRoleChanged,
    MemberSuspended,
)
from conclave.accounts.members.invitations import revoke_resets
from conclave.accounts.members.schemas import MemberOut
from conclave.accounts.models import Passkey, Password, Session, User
from conclave.accounts.sessions.start import ask_for_rotation
from conclave.kernel.app import App


async def list_all(app: App, actor: Actor) -> list[MemberOut]:
    """Everybody with an account, oldest first."""
    passkeys = (
        select(Passkey.user_id, func.count().label("number"))
        .where(Passkey.org_id == actor.org_id)
        .group_by(Passkey.user_id)
        .subquery()
    )
    async with app.db.read() as session:
        rows = await session.execute(
            select(User, passkeys.c.number, Password.user_id.label("password"))
            .outerjoin(passkeys, passkeys.c.user_id == User.id)
            .outerjoin(Password, (Password.org_id == User.org_id) & (Password.user_id == User.id))
            .where(User.org_id == actor.org_id)
            .order_by(User.created_at, User.id)
        )
        return [
            MemberOut(
                id=row.User.id,
                role="operator" if row.User.role == OPERATOR else "member",
                login=row.User.login,
                created_at=row.User.created_at,
                last_seen_at=row.User.last_seen_at,
                is_suspended=row.User.suspended_at is not None,
                passkeys=row.number or 0,
                has_password=row.password is not None,
            )
            for row in rows
        ]


async def set_role(app: App, actor: Actor, user_id: str, role: str) -> None:
    """`Conflict` (`last_operator`). The person's sessions get another token with the next page."""
    async with app.db.transaction() as tx:
        await people.hold(app, tx)
        user = await people.user_for_update(tx, actor.org_id, user_id)
        if user.role == role:
            return
        if role == MEMBER:
            await people.require_another_operator(tx, user)
            await people.revoke_links_by(tx, user)
        user.role = role
        await ask_for_rotation(tx, actor.org_id, user_id)
        await notices.add(tx, actor.org_id, user_id, "role_changed", app.clock.now(), role=role)
        await app.outbox.emit(tx, MemberRoleChanged(actor.org_id, user_id, actor.user_id, role))


async def suspend(app: App, actor: Actor, user_id: str) -> None:
    """Sessions, ways back and links made end; credentials rest. `Conflict` (`last_operator`)."""
    async with app.db.transaction() as tx:
        await people.hold(app, tx)
        user = await people.user_for_update(tx, actor.org_id, user_id)
        if user.suspended_at is not None:
            return
        await people.require_another_operator(tx, user)
        await people.revoke_links_by(tx, user)
        user.suspended_at = app.clock.now()
        await tx.execute(
            delete(Session).where(Session.org_id == actor.org_id, Session.user_id == user_id)
        )
        await revoke_resets(tx, actor.org_id, user_id)
        await app.outbox.emit(tx, MemberSuspended(actor.org_id, user_id, actor.user_id))


async def restore(app: App, actor: Actor, user_id: str) -> None:
    async with app.db.transaction() as tx:
        await people.hold(app, tx)
        user = await people.user_for_update(tx, actor.org_id, user_id)
        if user.suspended_at is None:
            return
        user.suspended_at = None
        await app.outbox.emit(tx, MemberRestored(actor.org_id, user_id, actor.user_id))


async def remove(app: App, actor: Actor, user_id: str) -> None:
    """`Conflict` (`last_operator`)."""
    async with app.db.transaction() as tx:
        await people.hold(app, tx)
        user = await people.user_for_update(tx, actor.org_id, user_id)
        await people.remove(app, tx, user, by=actor.user_id)
