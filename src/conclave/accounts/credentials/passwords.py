"""One's own password: set together with one-time codes, or removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select

from conclave.accounts import limits, notices
from conclave.accounts.actors import Actor
from conclave.accounts.credentials import totp
from conclave.accounts.credentials.ceremonies import NAME
from conclave.accounts.credentials.common_passwords import is_common
from conclave.accounts.credentials.hashing import PasswordHashing
from conclave.accounts.credentials.logins import folded
from conclave.accounts.credentials.proofs import prepared
from conclave.accounts.credentials.ways import require_one_left
from conclave.accounts.events import PasswordRemoved, PasswordSet
from conclave.accounts.models import Password, PasswordSetup
from conclave.accounts.people import user_for_update
from conclave.kernel.app import App
from conclave.kernel.errors import Conflict, Invalid, NotFound
from conclave.kernel.ids import unguessable_id

LEAST = 12
MOST = 256
SETUP_LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Setup:
    id: str
    secret: str
    """base32, for typing it in."""
    uri: str


async def begin(app: App, actor: Actor, password: str) -> Setup:
    """Keep the password until the app for one-time codes has shown that it has the secret."""
    if actor.login is None:
        raise Conflict("Choose a login first: a password goes with one.", code="no_login")
    app.limiter.hit("password", actor.user_id, limits.HASHES)
    text = prepared(password)
    _require_strong(text, actor.login)
    encoded = await app.use(PasswordHashing).hash(text)
    secret = totp.new_secret()
    setup = PasswordSetup(
        org_id=actor.org_id,
        user_id=actor.user_id,
        id=unguessable_id("pws"),
        password_hash=encoded,
        totp_secret=secret,
        expires_at=app.clock.now() + SETUP_LIFETIME,
    )
    async with app.db.transaction() as tx:
        await user_for_update(tx, actor.org_id, actor.user_id)
        await tx.execute(delete(PasswordSetup).where(PasswordSetup.expires_at <= app.clock.now()))
        await tx.merge(setup)
    return Setup(setup.id, totp.secret_text(secret), totp.uri(secret, actor.login, NAME))


async def confirm(app: App, actor: Actor, setup_id: str, code: str) -> None:
    """`Invalid` (`code`) when the code is not that of the secret; `NotFound` without a set-up."""
    now = app.clock.now()
    async with app.db.transaction() as tx:
        await user_for_update(tx, actor.org_id, actor.user_id)
        setup = await tx.scalar(
            select(PasswordSetup).where(
                PasswordSetup.org_id == actor.org_id,
                PasswordSetup.user_id == actor.user_id,
                PasswordSetup.id == setup_id,
                PasswordSetup.expires_at > now,
            )
        )
        if setup is None:
            raise NotFound
        step = totp.step_of(setup.totp_secret, code.strip(), now)
        if step is None:
            raise Invalid("This code is not right. Is the clock of your device?", code="code")
        await tx.merge(
            Password(
                org_id=actor.org_id,
                user_id=actor.user_id,
                password_hash=setup.password_hash,
                totp_secret=setup.totp_secret,
                totp_step=step,
                changed_at=now,
            )
        )
        await tx.delete(setup)
        await notices.add(tx, actor.org_id, actor.user_id, "password_set", now)
        await app.outbox.emit(tx, PasswordSet(actor.org_id, actor.user_id))


async def remove(app: App, actor: Actor) -> None:
    """`NotFound` without one; `Conflict` (`last_way_in`) when nothing else is left."""
    async with app.db.transaction() as tx:
        await user_for_update(tx, actor.org_id, actor.user_id)
        found = await tx.scalar(
            delete(Password)
            .where(Password.org_id == actor.org_id, Password.user_id == actor.user_id)
            .returning(Password.user_id)
        )
        if found is None:
            raise NotFound
        await require_one_left(tx, actor.org_id, actor.user_id)
        now = app.clock.now()
        await notices.add(tx, actor.org_id, actor.user_id, "password_removed", now)
        await app.outbox.emit(tx, PasswordRemoved(actor.org_id, actor.user_id))


async def of_user(app: App, actor: Actor) -> Password | None:
    async with app.db.read() as session:
        found: Password | None = await session.scalar(
            select(Password).where(
                Password.org_id == actor.org_id, Password.user_id == actor.user_id
            )
        )
    return found


def _require_strong(password: str, login: str) -> None:
    if len(password) < LEAST:
        raise Invalid(f"A password has at least {LEAST} characters.", code="password")
    if folded(password) in {folded(login), folded(login).partition("@")[0]} or is_common(password):
        raise Invalid("This password is too easy to guess.", code="password")
