"""Who asks, as far as a session proves it. Only reads; sessions are made by `sessions`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from conclave.accounts.models import Session, User
from conclave.accounts.visitors import LOOPBACK, UNKNOWN
from conclave.kernel.app import App
from conclave.kernel.ids import OrgId, UserId
from conclave.kernel.tokens import hash_of

SESSION_LIFETIME = timedelta(days=30)
FRESH_FOR = timedelta(minutes=10)
OPERATOR = "operator"
MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Actor:
    org_id: OrgId
    user_id: UserId
    role: str
    session_id: str
    created_at: datetime
    """When the account was made."""
    login: str | None
    fresh_until: datetime | None
    """Until when dangerous acts need no new proof; may have passed."""
    families: frozenset[str]
    """Address families in which the session was proven; empty: not known yet."""
    is_rotation_due: bool

    def is_fresh(self, now: datetime) -> bool:
        return self.fresh_until is not None and self.fresh_until > now

    def is_at_home_in(self, family: str) -> bool:
        """Whoever asks from this machine itself, or without an address, has not moved."""
        return not self.families or family in {*self.families, LOOPBACK, UNKNOWN}


async def actor_of(app: App, session_token: str) -> Actor | None:
    """Whose session this is; None for unknown, revoked, expired and malformed tokens, and for
    who is suspended."""
    token_hash = hash_of(session_token)
    if token_hash is None:
        return None
    async with app.db.read() as session:
        row = (
            await session.execute(
                select(Session, User)
                .join(User, (User.org_id == Session.org_id) & (User.id == Session.user_id))
                .where(
                    Session.token_hash == token_hash,
                    Session.expires_at > app.clock.now(),
                    User.suspended_at.is_(None),
                )
            )
        ).first()
    return None if row is None else actor_from(row.Session, row.User)


def actor_from(session: Session, user: User) -> Actor:
    proven_at = session.authenticated_at
    return Actor(
        OrgId(user.org_id),
        UserId(user.id),
        user.role,
        session.id,
        user.created_at,
        user.login,
        None if proven_at is None else proven_at + FRESH_FOR,
        frozenset(session.families.split()),
        session.is_rotation_due,
    )
