"""Proving oneself again, before dangerous acts or where a session was refused. The session becomes
fresh, at home in the present address family, and its token another one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from conclave.accounts import limits
from conclave.accounts.actors import Actor
from conclave.accounts.credentials import ceremonies, challenges, passkeys, passwords, proofs
from conclave.accounts.credentials.ceremonies import RelyingParty
from conclave.accounts.models import User
from conclave.accounts.people import user_for_update
from conclave.accounts.sessions.start import prove_again
from conclave.accounts.visitors import Visitor
from conclave.kernel.app import App


async def offer(app: App, actor: Actor, party: RelyingParty) -> tuple[str, dict[str, Any]]:
    """(id of the challenge, options) for one's own passkeys."""
    own = [passkey.credential_id for passkey in await passkeys.list_own(app, actor)]
    async with app.db.transaction() as tx:
        challenge_id, challenge = await challenges.issue(
            app, tx, actor.org_id, "reauthenticate", actor.user_id
        )
    return challenge_id, ceremonies.request_options(party, challenge, allowed=own)


async def by_passkey(
    app: App,
    actor: Actor,
    visitor: Visitor,
    party: RelyingParty,
    *,
    challenge_id: str,
    answer: dict[str, Any],
) -> tuple[datetime, str]:
    """(fresh until, new session token)."""
    challenge = await challenges.take(app, challenge_id, "reauthenticate", actor.user_id)
    found = None
    if challenge is not None:
        found = await proofs.passkey_of(app, party, challenge, answer, user_id=actor.user_id)
    if found is None:
        raise await proofs.refuse(app, actor.org_id, actor.user_id, "passkey")
    async with app.db.transaction() as tx:
        await user_for_update(tx, actor.org_id, actor.user_id)
        if not await proofs.count_use(app, tx, *found):
            raise proofs.refusal()
        return await prove_again(app, tx, actor, visitor, "passkey")


async def by_password(
    app: App, actor: Actor, visitor: Visitor, *, password: str, code: str
) -> tuple[datetime, str]:
    """(fresh until, new session token)."""
    # Apart from what is tried elsewhere: who holds a copied cookie there locks nobody out here.
    limits.try_account(app, f"{actor.user_id} {visitor.family}")
    stored = await passwords.of_user(app, actor)
    async with app.db.read() as session:
        user = await session.scalar(
            select(User).where(User.org_id == actor.org_id, User.id == actor.user_id)
        )
    if (
        not await proofs.are_right(app, user, stored, password, code)
        or user is None
        or stored is None
    ):
        raise await proofs.refuse(app, actor.org_id, actor.user_id, "password")
    async with app.db.transaction() as tx:
        await user_for_update(tx, actor.org_id, actor.user_id)
        if not await proofs.take_code(app, tx, user, stored, code):
            raise proofs.refusal()
        return await prove_again(app, tx, actor, visitor, "password")
