"""Who asks, as far as a session proves it. Only reads; sessions are made by the service."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from conclave.accounts.models import Session, User
from conclave.kernel.app import App
from conclave.kernel.ids import OrgId, UserId
from conclave.kernel.tokens import hash_of

SESSION_LIFETIME = timedelta(days=30)
OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Actor:
    org_id: OrgId
    user_id: UserId
    role: str
    session_id: str
    created_at: datetime
    """When the account was made."""


async def actor_of(app: App, session_token: str) -> Actor | None:
    """Whose session this is; None for unknown, revoked, expired and malformed tokens."""
    token_hash = hash_of(session_token)
    if token_hash is None:
        return None
    async with app.db.read() as session:
        row = (
            await session.execute(
                select(Session, User)
                .join(User, (User.org_id == Session.org_id) & (User.id == Session.user_id))
                .where(Session.token_hash == token_hash, Session.expires_at > app.clock.now())
            )
        ).first()
    return None if row is None else actor_from(row.Session, row.User)


def actor_from(session: Session, user: User) -> Actor:
    return Actor(OrgId(user.org_id), UserId(user.id), user.role, session.id, user.created_at)
