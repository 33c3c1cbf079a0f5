"""A session begins, is proven again, or gets another token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import HTTPConnection
from starlette.responses import Response

from conclave.accounts import cookies, notices
from conclave.accounts.actors import FRESH_FOR, SESSION_LIFETIME, Actor, actor_from
from conclave.accounts.events import Reauthenticated, SignedIn
from conclave.accounts.models import KnownDevice, Session, User
from conclave.accounts.visitors import Visitor, visitor_of
from conclave.kernel.app import App
from conclave.kernel.errors import Unauthenticated
from conclave.kernel.ids import new_id
from conclave.kernel.tokens import hash_of, new_token

DEVICES_KEPT = 50


@dataclass(frozen=True, slots=True)
class Caller:
    """The browser that wants in, with what it has brought along."""

    visitor: Visitor
    session_token: str | None
    device_token: str | None


@dataclass(frozen=True, slots=True)
class Started:
    actor: Actor
    token: str
    device_token: str


def caller_of(app: App, connection: HTTPConnection) -> Caller:
    return Caller(
        visitor_of(connection),
        cookies.session_token(app, connection),
        cookies.device_token(app, connection),
    )


def hand_out(app: App, connection: HTTPConnection, response: Response, started: Started) -> None:
    cookies.set_session(app, connection, response, started.token)
    cookies.set_device(app, connection, response, started.device_token)


async def start(app: App, tx: AsyncSession, user: User, caller: Caller, method: str) -> Started:
    """A fresh session for `user`, whose proof the caller of this has seen. Revokes the session that
    came along; if that was the same user's, the new one is at home where it was."""
    now = app.clock.now()
    families = {caller.visitor.family}
    replaced = await _revoke_token(tx, caller.session_token)
    if replaced is not None and replaced.user_id == user.id:
        families |= set(replaced.families.split())
    await tx.execute(delete(Session).where(Session.expires_at <= now))
    token = new_token()
    session = Session(
        org_id=user.org_id,
        id=new_id("ses", now),
        user_id=user.id,
        token_hash=hash_of(token),
        created_at=now,
        extended_at=now,
        expires_at=now + SESSION_LIFETIME,
        browser=caller.visitor.browser,
        place=caller.visitor.place,
        method=method,
        authenticated_at=now,
        last_seen_at=now,
        families=" ".join(sorted(families)),
        is_rotation_due=False,
    )
    tx.add(session)
    user.last_seen_at = now
    device_token, is_new = await _device(tx, user, caller.device_token, now)
    if is_new or method == "reset":
        await notices.add(
            tx,
            user.org_id,
            user.id,
            "new_device",
            now,
            browser=session.browser,
            place=session.place,
            method=method,
        )
    await app.outbox.emit(
        tx, SignedIn(user.org_id, user.id, session.id, method, is_new_device=is_new)
    )
    return Started(actor_from(session, user), token, device_token)


async def prove_again(
    app: App, tx: AsyncSession, actor: Actor, visitor: Visitor, method: str
) -> tuple[datetime, str]:
    """(until when the session is fresh, its new token): its owner was seen here and now."""
    now = app.clock.now()
    families = {*actor.families, visitor.family}
    token = await _rotate(
        tx, actor, authenticated_at=now, families=" ".join(sorted(families)), last_seen_at=now
    )
    await app.outbox.emit(
        tx, Reauthenticated(actor.org_id, actor.user_id, actor.session_id, method)
    )
    return now + FRESH_FOR, token


async def rotate(tx: AsyncSession, actor: Actor) -> str:
    """Another token for the same session."""
    return await _rotate(tx, actor)


async def ask_for_rotation(tx: AsyncSession, org_id: str, user_id: str) -> None:
    """The user's rights have changed: each session gets another token with its next page."""
    await tx.execute(
        update(Session)
        .where(Session.org_id == org_id, Session.user_id == user_id)
        .values(is_rotation_due=True)
    )


async def _rotate(tx: AsyncSession, actor: Actor, **values: object) -> str:
    token = new_token()
    found = await tx.scalar(
        update(Session)
        .where(Session.org_id == actor.org_id, Session.id == actor.session_id)
        .values(token_hash=hash_of(token), is_rotation_due=False, **values)
        .returning(Session.id)
    )
    if found is None:  # revoked in the meantime
        raise Unauthenticated
    return token


async def _revoke_token(tx: AsyncSession, session_token: str | None) -> Session | None:
    token_hash = None if session_token is None else hash_of(session_token)
    if token_hash is None:
        return None
    found = await tx.scalar(select(Session).where(Session.token_hash == token_hash))
    if found is not None:
        await tx.execute(
            delete(Session).where(Session.org_id == found.org_id, Session.id == found.id)
        )
    return found


async def _device(
    tx: AsyncSession, user: User, token: str | None, now: datetime
) -> tuple[str, bool]:
    """(the browser's token, whether it is new to a user who has signed in elsewhere before)."""
    token_hash = None if token is None else hash_of(token)
    mine = (KnownDevice.org_id == user.org_id, KnownDevice.user_id == user.id)
    if token is not None and token_hash is not None:
        known = await tx.scalar(
            update(KnownDevice)
            .where(*mine, KnownDevice.token_hash == token_hash)
            .values(last_seen_at=now)
            .returning(KnownDevice.token_hash)
        )
        if known is not None:
            return token, False
        # Somebody else's as well: one browser, two people. What nobody knows is not taken over.
        shared = await tx.scalar(
            select(KnownDevice.token_hash).where(KnownDevice.token_hash == token_hash).limit(1)
        )
        if shared is None:
            token = token_hash = None
    if token is None or token_hash is None:
        token = new_token()
        token_hash = hash_of(token)
    others = await tx.scalar(select(func.count()).select_from(KnownDevice).where(*mine)) or 0
    if others >= DEVICES_KEPT:
        oldest = (
            select(KnownDevice.token_hash)
            .where(*mine)
            .order_by(KnownDevice.last_seen_at)
            .limit(others - DEVICES_KEPT + 1)
        )
        await tx.execute(delete(KnownDevice).where(*mine, KnownDevice.token_hash.in_(oldest)))
    tx.add(
        KnownDevice(org_id=user.org_id, user_id=user.id, token_hash=token_hash, last_seen_at=now)
    )
    return token, others > 0


async def users_of_device(session: AsyncSession, token: str | None) -> frozenset[str]:
    """Ids of those who have signed in with this browser before. One look-up, whoever is asked
    for."""
    token_hash = (None if token is None else hash_of(token)) or bytes(32)
    found = await session.scalars(
        select(KnownDevice.user_id).where(KnownDevice.token_hash == token_hash)
    )
    return frozenset(found)
