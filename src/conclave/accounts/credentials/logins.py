"""Logins: what somebody types to say who they are. An e-mail address, or a name.

Compared folded (NFKC and case), so that no two in an organisation look the same to a keyboard.
"""

from __future__ import annotations

import re
import unicodedata

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts.actors import Actor
from conclave.accounts.events import LoginChanged
from conclave.accounts.models import User
from conclave.accounts.people import user_for_update
from conclave.kernel.app import App
from conclave.kernel.errors import Conflict, Invalid

MOST = 254
# As browsers take it for <input type=email> (HTML, "valid e-mail address").
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ADDRESS = re.compile(rf"[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})*")


def folded(login: str) -> str:
    """As logins are compared. Folding twice changes nothing more."""
    once = unicodedata.normalize("NFKC", login).casefold()
    return unicodedata.normalize("NFKC", once).strip()


def is_address(login: str) -> bool:
    return _ADDRESS.fullmatch(folded(login)) is not None


def checked(login: str) -> str:
    """`login` without blanks around it; `Invalid` (`login`) when it can be none."""
    text = login.strip()
    compared = folded(login)
    is_name = 3 <= len(compared) <= 64 and all(
        character.isalnum() or character in ".-_" for character in compared
    )
    if len(text) > MOST or len(compared) > MOST or not (is_name or is_address(text)):
        raise Invalid(
            "Use an e-mail address, or a name of 3 to 64 letters, digits, dots, hyphens and "
            "underscores.",
            code="login",
        )
    return text


async def claim(tx: AsyncSession, user: User, login: str) -> None:
    """Give the checked `login` to `user`; `Conflict` (`login_taken`)."""
    if await is_taken(tx, user.org_id, login, but_by=user.id):
        raise taken()
    user.login, user.login_folded = login, folded(login)
    try:
        await tx.flush()
    except IntegrityError:  # somebody was faster
        raise taken() from None


async def is_taken(
    session: AsyncSession, org_id: str, login: str, *, but_by: str | None = None
) -> bool:
    wanted = select(User.id).where(User.org_id == org_id, User.login_folded == folded(login))
    if but_by is not None:
        wanted = wanted.where(User.id != but_by)
    return await session.scalar(wanted) is not None


async def change(app: App, actor: Actor, login: str) -> None:
    text = checked(login)
    async with app.db.transaction() as tx:
        user = await user_for_update(tx, actor.org_id, actor.user_id)
        await claim(tx, user, text)
        await app.outbox.emit(tx, LoginChanged(actor.org_id, actor.user_id))


def taken() -> Conflict:
    return Conflict("Somebody here has this login already.", code="login_taken")
