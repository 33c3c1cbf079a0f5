"""All that a user is shown of their own account."""

from __future__ import annotations

from conclave.accounts import notices, profile
from conclave.accounts.account.schemas import (
    AccountOut,
    NoticeOut,
    OwnSessionOut,
    PasskeyOut,
    PasswordOut,
)
from conclave.accounts.actors import Actor
from conclave.accounts.credentials import passkeys, passwords, recovery
from conclave.accounts.models import Passkey
from conclave.accounts.sessions import keeping
from conclave.kernel.app import App


async def of(app: App, actor: Actor) -> AccountOut:
    password = await passwords.of_user(app, actor)
    async with app.db.read() as session:
        codes = await recovery.count(session, actor.org_id, actor.user_id)
        told = await notices.newest(session, actor)
    return AccountOut(
        user=await profile.of(app, actor),
        passkeys=[shape(own) for own in await passkeys.list_own(app, actor)],
        password=PasswordOut(
            is_set=password is not None,
            changed_at=None if password is None else password.changed_at,
        ),
        recovery_codes_left=codes,
        sessions=[
            OwnSessionOut(
                id=own.id,
                browser=own.browser,
                place=own.place,
                method=own.method,
                created_at=own.created_at,
                last_seen_at=own.last_seen_at,
                is_current=own.id == actor.session_id,
            )
            for own in await keeping.list_all(app, actor)
        ],
        notices=[
            NoticeOut(
                id=notice.id,
                kind=notice.kind,
                at=notice.at,
                details=notice.details,
                is_seen=notice.is_seen,
            )
            for notice in told
        ],
        fresh_until=actor.fresh_until if actor.is_fresh(app.clock.now()) else None,
    )


def shape(passkey: Passkey) -> PasskeyOut:
    return PasskeyOut(
        id=passkey.id,
        name=passkey.name,
        created_at=passkey.created_at,
        last_used_at=passkey.last_used_at,
        is_backed_up=passkey.is_backed_up,
    )
