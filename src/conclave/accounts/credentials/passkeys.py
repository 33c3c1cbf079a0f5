"""One's own passkeys: add, name, remove."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from conclave.accounts import notices
from conclave.accounts.actors import Actor
from conclave.accounts.credentials import ceremonies, challenges
from conclave.accounts.credentials.ceremonies import RelyingParty
from conclave.accounts.credentials.ways import require_one_left
from conclave.accounts.events import PasskeyAdded, PasskeyRemoved
from conclave.accounts.models import Passkey
from conclave.accounts.people import user_for_update
from conclave.kernel.app import App
from conclave.kernel.errors import Conflict, Invalid, NotFound
from conclave.kernel.ids import new_id

MOST = 20


async def list_own(app: App, actor: Actor) -> Sequence[Passkey]:
    """Oldest first."""
    async with app.db.read() as session:
        found = await session.scalars(
            select(Passkey)
            .where(Passkey.org_id == actor.org_id, Passkey.user_id == actor.user_id)
            .order_by(Passkey.created_at, Passkey.id)
        )
        return list(found)


async def offer(app: App, actor: Actor, party: RelyingParty) -> tuple[str, dict[str, Any]]:
    """(id of the challenge, options) for a new one."""
    known = [own.credential_id for own in await list_own(app, actor)]
    async with app.db.transaction() as tx:
        challenge_id, challenge = await challenges.issue(
            app, tx, actor.org_id, "register", actor.user_id
        )
    options = ceremonies.creation_options(
        party,
        challenge,
        user_id=actor.user_id,
        user_name=actor.login or ceremonies.NAME,
        known=known,
    )
    return challenge_id, options


async def add(
    app: App,
    actor: Actor,
    party: RelyingParty,
    *,
    challenge_id: str,
    answer: dict[str, Any],
    name: str,
) -> Passkey:
    """`Invalid` (`passkey`) for whatever is wrong with the answer."""
    challenge = await challenges.take(app, challenge_id, "register", actor.user_id)
    try:
        if challenge is None:
            raise ceremonies.Refused
        made = ceremonies.registered(party, challenge, answer)
    except ceremonies.Refused:
        raise Invalid(
            "This passkey could not be added. Please try again.", code="passkey"
        ) from None
    now = app.clock.now()
    passkey = Passkey(
        org_id=actor.org_id,
        id=new_id("pky", now),
        user_id=actor.user_id,
        credential_id=made.credential_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        name=name,
        is_backup_eligible=made.is_backup_eligible,
        is_backed_up=made.is_backed_up,
        created_at=now,
        last_used_at=None,
    )
    try:
        async with app.db.transaction() as tx:
            await user_for_update(tx, actor.org_id, actor.user_id)
            there = await tx.scalar(
                select(func.count())
                .select_from(Passkey)
                .where(Passkey.org_id == actor.org_id, Passkey.user_id == actor.user_id)
            )
            if (there or 0) >= MOST:
                raise Conflict(f"An account may have {MOST} passkeys.", code="passkeys_full")
            tx.add(passkey)
            await notices.add(tx, actor.org_id, actor.user_id, "passkey_added", now, name=name)
            await app.outbox.emit(tx, PasskeyAdded(actor.org_id, actor.user_id, passkey.id))
    except IntegrityError:
        raise Conflict("This passkey is known already.", code="passkey_known") from None
    return passkey


async def rename(app: App, actor: Actor, passkey_id: str, name: str) -> None:
    async with app.db.transaction() as tx:
        found = await tx.scalar(
            update(Passkey).where(*_own(actor, passkey_id)).values(name=name).returning(Passkey.id)
        )
    if found is None:
        raise NotFound


async def remove(app: App, actor: Actor, passkey_id: str) -> None:
    """`Conflict` (`last_way_in`) when nothing else is left."""
    async with app.db.transaction() as tx:
        await user_for_update(tx, actor.org_id, actor.user_id)
        name = await tx.scalar(
            delete(Passkey).where(*_own(actor, passkey_id)).returning(Passkey.name)
        )
        if name is None:
            raise NotFound
        await require_one_left(tx, actor.org_id, actor.user_id)
        now = app.clock.now()
        await notices.add(tx, actor.org_id, actor.user_id, "passkey_removed", now, name=name)
        await app.outbox.emit(tx, PasskeyRemoved(actor.org_id, actor.user_id, passkey_id))


def _own(actor: Actor, passkey_id: str) -> Sequence[Any]:
    return (
        Passkey.org_id == actor.org_id,
        Passkey.user_id == actor.user_id,
        Passkey.id == passkey_id,
    )
