"""Sessions while they live: seen, moved, listed, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select, update

from conclave.accounts import limits, notices
from conclave.accounts.actors import SESSION_LIFETIME, Actor
from conclave.accounts.events import SessionMoved, SessionRevoked, SignedOut
from conclave.accounts.models import Session, User
from conclave.accounts.sessions.start import rotate
from conclave.accounts.visitors import Visitor
from conclave.kernel.app import App
from conclave.kernel.errors import LimitReached, NotFound, Unavailable
from conclave.kernel.tokens import hash_of

# A session's end moves at most once in this time: reading must not mean writing.
EXTEND_AFTER = timedelta(days=1)
SEEN_AFTER = timedelta(hours=1)

log = structlog.get_logger()


async def note_seen(app: App, actor: Actor, visitor: Visitor, token: str) -> str | None:
    """Its owner has loaded a page: note when and where, at most once an hour, and move its end, at
    most once a day. The token that the cookie is to be set to, if it is to be set anew."""
    now = app.clock.now()
    mine = (Session.org_id == actor.org_id, Session.id == actor.session_id)
    async with app.db.read() as session:
        seen = await session.scalar(select(Session).where(*mine))
    if seen is None or not _is_worth_noting(seen, now):
        return None
    try:
        async with app.db.transaction() as tx:
            row = await tx.scalar(select(Session).where(*mine).with_for_update())
            if row is None:
                return None
            row.last_seen_at = now
            row.browser, row.place = visitor.browser, visitor.place
            row.families = row.families or visitor.family
            await tx.execute(
                update(User)
                .where(User.org_id == actor.org_id, User.id == actor.user_id)
                .values(last_seen_at=now)
            )
            is_longer = row.extended_at <= now - EXTEND_AFTER
            if is_longer:
                row.extended_at, row.expires_at = now, now + SESSION_LIFETIME
            if row.is_rotation_due:
                return await rotate(tx, actor)
            return token if is_longer else None
    except Unavailable:
        return None  # who you are does not depend on being able to write


def _is_worth_noting(seen: Session, now: datetime) -> bool:
    return (
        seen.is_rotation_due
        or not seen.families
        or seen.extended_at <= now - EXTEND_AFTER
        or seen.last_seen_at is None
        or seen.last_seen_at <= now - SEEN_AFTER
    )


async def is_alive(app: App, actor: Actor) -> bool:
    """Has the session neither ended nor been revoked, nor its user suspended?"""
    async with app.db.read() as session:
        found = await session.scalar(
            select(Session.id)
            .join(User, (User.org_id == Session.org_id) & (User.id == Session.user_id))
            .where(
                Session.org_id == actor.org_id,
                Session.id == actor.session_id,
                Session.expires_at > app.clock.now(),
                User.suspended_at.is_(None),
            )
        )
    return found is not None


async def tell_moved(app: App, actor: Actor, visitor: Visitor) -> None:
    """Somebody holds this session's token who is not where its owner was: told once an hour."""
    try:
        app.limiter.hit("session_moved", actor.session_id, limits.MOVED)
    except LimitReached:
        return
    log.warning("session refused: used from another address family", family=visitor.family)
    try:
        async with app.db.transaction() as tx:
            await notices.add(
                tx,
                actor.org_id,
                actor.user_id,
                "session_moved",
                app.clock.now(),
                browser=visitor.browser,
                place=visitor.place,
            )
            await app.outbox.emit(
                tx, SessionMoved(actor.org_id, actor.user_id, actor.session_id, visitor.family)
            )
    except Unavailable:
        log.warning("a notice could not be stored")


async def list_all(app: App, actor: Actor) -> Sequence[Session]:
    """The user's sessions, newest first."""
    async with app.db.read() as session:
        found = await session.scalars(
            select(Session)
            .where(
                Session.org_id == actor.org_id,
                Session.user_id == actor.user_id,
                Session.expires_at > app.clock.now(),
            )
            .order_by(Session.created_at.desc(), Session.id.desc())
        )
        return list(found)


async def revoke(app: App, actor: Actor, session_id: str) -> None:
    """End one of the user's sessions. `NotFound` for unknown and other people's alike."""
    async with app.db.transaction() as tx:
        found = await tx.scalar(
            delete(Session)
            .where(
                Session.org_id == actor.org_id,
                Session.user_id == actor.user_id,
                Session.id == session_id,
            )
            .returning(Session.id)
        )
        if found is None:
            raise NotFound
        await app.outbox.emit(tx, SessionRevoked(actor.org_id, actor.user_id, found))


async def revoke_others(app: App, actor: Actor) -> None:
    async with app.db.transaction() as tx:
        ended = await tx.scalars(
            delete(Session)
            .where(
                Session.org_id == actor.org_id,
                Session.user_id == actor.user_id,
                Session.id != actor.session_id,
            )
            .returning(Session.id)
        )
        for session_id in ended.all():
            await app.outbox.emit(tx, SessionRevoked(actor.org_id, actor.user_id, session_id))


async def sign_out(app: App, session_token: str) -> None:
    token_hash = hash_of(session_token)
    if token_hash is None:
        return
    async with app.db.transaction() as tx:
        ended = (
            await tx.execute(
                delete(Session)
                .where(Session.token_hash == token_hash)
                .returning(Session.org_id, Session.user_id, Session.id)
            )
        ).first()
        if ended is not None:
            await app.outbox.emit(tx, SignedOut(ended.org_id, ended.user_id, ended.id))
