"""The vault: one opaque value for each user, replaced only by who has seen the present one.

Two browsers of one user that write at once must not undo each other: a write names the version it
was made from, and the loser reads, merges and writes again. The content is encrypted in the browser
(docs/reference/sealing-protocol.md, 9); here it must never be read, logged or put into an event.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from conclave.accounts.actors import Actor
from conclave.accounts.models import Vault
from conclave.kernel.app import App
from conclave.kernel.errors import Invalid, NotFound, PreconditionFailed, TooLarge

MAX_BYTES = 1024 * 1024
NEW = 0
"""The version before the first."""
_ETAG = re.compile(r'"([1-9][0-9]{0,17})"')


@dataclass(frozen=True, slots=True)
class StoredVault:
    version: int
    content: bytes


def etag(version: int) -> str:
    return f'"{version}"'


def seen_version(if_match: str | None, if_none_match: str | None) -> int:
    """The version that a write was made from; `Invalid` (`precondition`) unless it says one."""
    if if_match is None and if_none_match == "*":
        return NEW
    found = _ETAG.fullmatch(if_match or "")
    if found is None or if_none_match is not None:
        raise Invalid(
            "Say which version this replaces: If-Match with the ETag that was read, or "
            "If-None-Match: * for the first.",
            code="precondition",
        )
    return int(found[1])


async def read(app: App, actor: Actor) -> StoredVault:
    async with app.db.read() as session:
        row = (
            await session.execute(
                select(Vault.version, Vault.content).where(
                    Vault.org_id == actor.org_id, Vault.user_id == actor.user_id
                )
            )
        ).first()
    if row is None:
        raise NotFound("Nothing has been stored yet.")
    return StoredVault(row.version, row.content)


async def write(app: App, actor: Actor, seen: int, content: bytes) -> int:
    """The new version. `PreconditionFailed` when `seen` is not the present one."""
    if not content:
        raise Invalid("An empty vault would be a lost one.")
    if len(content) > MAX_BYTES:
        raise TooLarge("A vault may hold at most 1 MB.")
    values = {"version": seen + 1, "content": content, "updated_at": app.clock.now()}
    if seen == NEW:
        try:
            async with app.db.transaction() as tx:
                await tx.execute(
                    insert(Vault).values(org_id=actor.org_id, user_id=actor.user_id, **values)
                )
        except IntegrityError:
            raise PreconditionFailed from None
        return seen + 1
    async with app.db.transaction() as tx:
        stored = await tx.scalar(
            update(Vault)
            .where(
                Vault.org_id == actor.org_id,
                Vault.user_id == actor.user_id,
                Vault.version == seen,
            )
            .values(**values)
            .returning(Vault.version)
        )
        if stored is None:
            raise PreconditionFailed
    return seen + 1
