"""The checks that signing in and proving oneself again share. Whatever is wrong, the answer is the
same; what is told of it goes to the owner, never to whoever asked."""

from __future__ import annotations

import unicodedata
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts import notices
from conclave.accounts.credentials import ceremonies, recovery, totp
from conclave.accounts.credentials.ceremonies import RelyingParty, StoredCredential
from conclave.accounts.credentials.hashing import PasswordHashing
from conclave.accounts.events import PasskeyRefused, SignInRefused
from conclave.accounts.models import Passkey, Password, User
from conclave.kernel.app import App
from conclave.kernel.errors import Unauthenticated

_NO_SECRET = bytes(totp.SECRET_BYTES)

log = structlog.get_logger()


def refusal() -> Unauthenticated:
    """The one answer to every sign-in that is not good."""
    return Unauthenticated("That did not work. Please check it and try again.", code="sign_in")


async def refuse(app: App, org_id: str, user_id: str | None, method: str) -> Unauthenticated:
    """The answer, once it is written down that somebody tried."""
    async with app.db.transaction() as tx:
        await app.outbox.emit(tx, SignInRefused(org_id, user_id, method))
    return refusal()


def prepared(password: str) -> str:
    """One form for what looks the same (RFC 8265, 4.2: OpaqueString)."""
    return unicodedata.normalize("NFC", password)


async def passkey_of(
    app: App,
    party: RelyingParty,
    challenge: bytes,
    answer: dict[str, Any],
    *,
    user_id: str | None = None,
) -> tuple[Passkey, ceremonies.Proof] | None:
    """The passkey that has signed, and its proof; with `user_id`, one of that user's alone."""
    try:
        credential_id, handle = ceremonies.named(answer)
    except ceremonies.Refused:
        return None
    async with app.db.read() as session:
        stored = await session.scalar(
            select(Passkey)
            .join(User, (User.org_id == Passkey.org_id) & (User.id == Passkey.user_id))
            .where(Passkey.credential_id == credential_id, User.suspended_at.is_(None))
        )
    if stored is None or (user_id is not None and stored.user_id != user_id):
        return None
    # 7.2, step 6: a discoverable credential says whose it is; that must be its owner.
    if handle != stored.user_id.encode() and (user_id is None or handle is not None):
        return None
    try:
        proof = ceremonies.asserted(
            party,
            challenge,
            answer,
            StoredCredential(stored.credential_id, stored.public_key, stored.is_backup_eligible),
        )
    except ceremonies.Refused:
        return None
    if ceremonies.has_gone_back(stored.sign_count, proof.sign_count):
        await _tell_of_copy(app, stored)
        return None
    return stored, proof


async def count_use(app: App, tx: AsyncSession, passkey: Passkey, proof: ceremonies.Proof) -> bool:
    """Store the counter. False when it has been passed in the meantime, or the passkey is gone."""
    used = await tx.scalar(
        update(Passkey)
        .where(
            Passkey.org_id == passkey.org_id,
            Passkey.id == passkey.id,
            Passkey.sign_count == passkey.sign_count,
        )
        .values(
            sign_count=proof.sign_count,
            is_backed_up=proof.is_backed_up,
            last_used_at=app.clock.now(),
        )
        .returning(Passkey.id)
    )
    return used is not None


async def are_right(
    app: App, user: User | None, password: Password | None, text: str, code: str
) -> bool:
    """Do password and code both fit? Takes the same work whatever is missing or wrong; using the
    code up is left to `take_code`."""
    code = code.strip()
    if totp.is_code(code):
        secret = _NO_SECRET if password is None else password.totp_secret
        after = -1 if password is None else password.totp_step
        fits = totp.step_of(secret, code, app.clock.now(), after=after) is not None
    else:
        async with app.db.read() as session:
            owner = await recovery.owner_of(session, code)
        fits = user is not None and owner == user.id
    hashing = app.use(PasswordHashing)
    encoded = None if password is None else password.password_hash
    return await hashing.is_right(encoded, prepared(text)) and fits and password is not None


async def take_code(app: App, tx: AsyncSession, user: User, password: Password, code: str) -> bool:
    """Use up a one-time code that was not taken before, or one of the user's recovery codes."""
    code = code.strip()
    if not totp.is_code(code):
        return await recovery.use(app, tx, code, user=user) is not None
    step = totp.step_of(password.totp_secret, code, app.clock.now(), after=password.totp_step)
    if step is None:
        return False
    # Compare and set: of two that come at once, one is the first. A password that was changed in
    # between is another one.
    taken = await tx.scalar(
        update(Password)
        .where(
            Password.org_id == user.org_id,
            Password.user_id == user.id,
            Password.password_hash == password.password_hash,
            Password.totp_step < step,
        )
        .values(totp_step=step)
        .returning(Password.user_id)
    )
    return taken is not None


async def renewed_hash(app: App, password: Password, text: str) -> str | None:
    """After a good sign-in: a new hash, if the stored one is of older parameters."""
    hashing = app.use(PasswordHashing)
    if not hashing.is_outdated(password.password_hash):
        return None
    return await hashing.hash(prepared(text))


async def _tell_of_copy(app: App, passkey: Passkey) -> None:
    log.warning("passkey refused: its counter went back", passkey_id=passkey.id)
    async with app.db.transaction() as tx:
        now = app.clock.now()
        await notices.add(
            tx, passkey.org_id, passkey.user_id, "passkey_refused", now, name=passkey.name
        )
        await app.outbox.emit(tx, PasskeyRefused(passkey.org_id, passkey.user_id, passkey.id))
