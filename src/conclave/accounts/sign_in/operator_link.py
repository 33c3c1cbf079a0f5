"""The operator's one-time link: works once, within a day.

The first one used makes the operator's account, later ones lead to it: whoever has the machine's
command line has the server.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select, update

from conclave.accounts import organisations, people
from conclave.accounts.actors import OPERATOR
from conclave.accounts.models import OperatorLink, User
from conclave.accounts.sessions.start import Caller, Started, start
from conclave.kernel.app import App
from conclave.kernel.clock import Clock
from conclave.kernel.db import Database
from conclave.kernel.errors import NotFound
from conclave.kernel.ids import new_id
from conclave.kernel.tokens import hash_of, new_token

LIFETIME = timedelta(hours=24)


async def new_operator_link(db: Database, clock: Clock) -> str:
    """A fresh token for `/operator#<token>`; older unused ones stop working."""
    token = new_token()
    now = clock.now()
    async with db.transaction() as tx:
        org_id = await organisations.ensure_in(db, tx, now)
        await tx.execute(delete(OperatorLink).where(OperatorLink.org_id == org_id))
        tx.add(
            OperatorLink(
                org_id=org_id,
                id=new_id("opl", now),
                token_hash=hash_of(token),
                created_at=now,
                expires_at=now + LIFETIME,
                used_at=None,
            )
        )
    return token


async def redeem(app: App, caller: Caller, token: str) -> Started:
    """`NotFound` for unknown, used and expired alike."""
    token_hash = hash_of(token)
    if token_hash is None:
        raise NotFound
    now = app.clock.now()
    async with app.db.transaction() as tx:
        await people.hold(app, tx)
        # Compare and set: of two that come at once, one finds it unused.
        org_id = await tx.scalar(
            update(OperatorLink)
            .where(
                OperatorLink.token_hash == token_hash,
                OperatorLink.used_at.is_(None),
                OperatorLink.expires_at > now,
            )
            .values(used_at=now)
            .returning(OperatorLink.org_id)
        )
        if org_id is None:
            raise NotFound
        user = await tx.scalar(
            select(User)
            .where(User.org_id == org_id, User.role == OPERATOR, User.suspended_at.is_(None))
            .order_by(User.created_at)
            .limit(1)
        )
        if user is None:
            user = await people.new_user(app, tx, org_id, OPERATOR, "operator_link")
        return await start(app, tx, user, caller, "operator_link")
