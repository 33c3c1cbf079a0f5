"""Use cases of accounts, and the only writer of its tables but the vaults'.

An operator link works once, within a day. The first one used makes the operator's account, later
ones lead to it. A session is an opaque token with a sliding end; using a link always makes a fresh
one and revokes the one that came along, so that a token planted before is worth nothing after.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts.actors import OPERATOR, SESSION_LIFETIME, Actor, actor_from
from conclave.accounts.events import OperatorSignedIn
from conclave.accounts.models import OperatorLink, Organisation, Session, User
from conclave.kernel.app import App
from conclave.kernel.clock import Clock
from conclave.kernel.db import Database
from conclave.kernel.errors import NotFound, Unavailable
from conclave.kernel.ids import OrgId, new_id
from conclave.kernel.tokens import hash_of, new_token

LINK_LIFETIME = timedelta(hours=24)
# A session's end moves at most once in this time: reading must not mean writing.
EXTEND_AFTER = timedelta(days=1)
_BOOTSTRAP_LOCK = 0x636F6E63_00000002


async def ensure_organisation(db: Database, clock: Clock) -> OrgId:
    """The one organisation of this installation, made at the first start."""
    async with db.transaction() as tx:
        return await _organisation(db, tx, clock.now())


async def has_operator(db: Database) -> bool:
    async with db.read() as session:
        found = await session.scalar(select(User.id).where(User.role == OPERATOR).limit(1))
    return found is not None


async def new_operator_link(db: Database, clock: Clock) -> str:
    """A fresh token for `/operator#<token>`; older unused ones stop working."""
    token = new_token()
    now = clock.now()
    async with db.transaction() as tx:
        org_id = await _organisation(db, tx, now)
        await tx.execute(delete(OperatorLink).where(OperatorLink.org_id == org_id))
        tx.add(
            OperatorLink(
                org_id=org_id,
                id=new_id("opl", now),
                token_hash=hash_of(token),
                created_at=now,
                expires_at=now + LINK_LIFETIME,
                used_at=None,
            )
        )
    return token


async def redeem_operator_link(
    app: App, token: str, *, session_token: str | None
) -> tuple[Actor, str]:
    """(the operator, a new session token). `NotFound` for unknown, used and expired alike."""
    token_hash = hash_of(token)
    if token_hash is None:
        raise NotFound
    now = app.clock.now()
    async with app.db.transaction() as tx:
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
            .where(User.org_id == org_id, User.role == OPERATOR)
            .order_by(User.created_at)
            .limit(1)
        )
        is_new = user is None
        if user is None:
            user = User(org_id=org_id, id=new_id("usr", now), role=OPERATOR, created_at=now)
            tx.add(user)
        if session_token is not None:
            await _revoke(tx, session_token)
        await tx.execute(delete(Session).where(Session.expires_at <= now))
        fresh = new_token()
        session = Session(
            org_id=org_id,
            id=new_id("ses", now),
            user_id=user.id,
            token_hash=hash_of(fresh),
            created_at=now,
            extended_at=now,
            expires_at=now + SESSION_LIFETIME,
        )
        tx.add(session)
        await app.outbox.emit(tx, OperatorSignedIn(org_id=org_id, user_id=user.id, is_new=is_new))
        actor = actor_from(session, user)
    return actor, fresh


async def extend_session(app: App, actor: Actor) -> bool:
    """Move the session's end; True when it was moved (the cookie is then sent anew)."""
    now = app.clock.now()
    try:
        async with app.db.transaction() as tx:
            moved = await tx.scalar(
                update(Session)
                .where(
                    Session.org_id == actor.org_id,
                    Session.id == actor.session_id,
                    Session.extended_at <= now - EXTEND_AFTER,
                )
                .values(extended_at=now, expires_at=now + SESSION_LIFETIME)
                .returning(Session.id)
            )
    except Unavailable:
        return False  # who you are does not depend on being able to write
    return moved is not None


async def sign_out(app: App, session_token: str) -> None:
    async with app.db.transaction() as tx:
        await _revoke(tx, session_token)


async def _organisation(db: Database, tx: AsyncSession, now: datetime) -> OrgId:
    await db.lock(tx, _BOOTSTRAP_LOCK)  # two programs that start together make one
    found = await tx.scalar(select(Organisation.org_id).order_by(Organisation.created_at).limit(1))
    if found is not None:
        return OrgId(found)
    org_id = OrgId(new_id("org", now))
    tx.add(Organisation(org_id=org_id, created_at=now))
    return org_id


async def _revoke(tx: AsyncSession, session_token: str) -> None:
    token_hash = hash_of(session_token)
    if token_hash is not None:
        await tx.execute(delete(Session).where(Session.token_hash == token_hash))
