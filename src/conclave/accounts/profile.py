"""What a user's own pages show of them at all times."""

from __future__ import annotations

from conclave.accounts import notices
from conclave.accounts.actors import OPERATOR, Actor
from conclave.accounts.credentials.ways import ways_of
from conclave.accounts.schemas import UserOut
from conclave.kernel.app import App


async def of(app: App, actor: Actor) -> UserOut:
    async with app.db.read() as session:
        ways = await ways_of(session, actor.org_id, actor.user_id)
        unseen = await notices.unseen(session, actor)
    return UserOut(
        id=actor.user_id,
        role="operator" if actor.role == OPERATOR else "member",
        login=actor.login,
        created_at=actor.created_at,
        has_sign_in=ways.has_any,
        unseen_notices=unseen,
    )
