"""Signing in by login, password and one-time code.

Unknown login, no password, wrong password, wrong code, suspended: the same answer after the same
work (one look-up, one hash, one event), and the same limits, which are counted by what was typed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, select, update

from conclave.accounts import limits, organisations
from conclave.accounts.credentials import proofs
from conclave.accounts.credentials.logins import folded
from conclave.accounts.models import Password, User
from conclave.accounts.people import user_for_update
from conclave.accounts.sessions.start import Caller, Started, start, users_of_device
from conclave.kernel.app import App
from conclave.kernel.errors import NotFound
from conclave.kernel.tokens import digest_of


@dataclass(frozen=True, slots=True)
class _Candidate:
    org_id: str
    user: User | None
    password: Password | None


async def sign_in(app: App, caller: Caller, *, login: str, password: str, code: str) -> Started:
    compared = folded(login)
    candidate = await _look_up(app, caller, compared)
    user, stored = candidate.user, candidate.password
    is_right = await proofs.are_right(app, user, stored, password, code)
    if not is_right or user is None or stored is None or user.suspended_at is not None:
        user_id = None if user is None else user.id
        raise await proofs.refuse(app, candidate.org_id, user_id, "password")
    renewed = await proofs.renewed_hash(app, stored, password)
    async with app.db.transaction() as tx:
        try:
            user = await user_for_update(tx, user.org_id, user.id)
        except NotFound:
            raise proofs.refusal() from None
        is_taken = await proofs.take_code(app, tx, user, stored, code)
        if user.suspended_at is not None or not is_taken:
            raise proofs.refusal()
        if renewed is not None:
            await tx.execute(
                update(Password)
                .where(Password.org_id == user.org_id, Password.user_id == user.id)
                .values(password_hash=renewed)
            )
        return await start(app, tx, user, caller, "password")


async def _look_up(app: App, caller: Caller, compared: str) -> _Candidate:
    """Who it may be. Counts the attempt: by login, and apart from it for a browser that its owner
    has used before, so that a stranger's guesses do not lock the owner out at home."""
    async with app.db.read() as session:
        org_id = await organisations.the_organisation(session)
        row = (
            await session.execute(
                select(User, Password)
                .outerjoin(
                    Password,
                    and_(Password.org_id == User.org_id, Password.user_id == User.id),
                )
                .where(User.org_id == org_id, User.login_folded == compared)
            )
        ).first()
        user, password = (None, None) if row is None else (row.User, row.Password)
        at_home = await users_of_device(session, caller.device_token)
    key = digest_of(compared.encode()).hex()
    is_known = user is not None and user.id in at_home
    limits.try_account(app, f"{key} at home" if is_known else key)
    return _Candidate(org_id, user, password)
