"""Accounts that people make themselves, where the settings allow it."""

from __future__ import annotations

from conclave.accounts import limits, organisations, people
from conclave.accounts.actors import MEMBER
from conclave.accounts.sessions.start import Caller, Started, start
from conclave.kernel.app import App
from conclave.kernel.errors import Forbidden


async def register(app: App, caller: Caller) -> Started:
    """`Forbidden` (`registration_closed`), `LimitReached`, `Conflict` (`members_full`)."""
    if app.settings.accounts.registration != "open":
        raise Forbidden(
            "Accounts are made by invitation here. Please ask whoever runs this server.",
            code="registration_closed",
        )
    limits.register(app, caller.visitor.source)
    async with app.db.transaction() as tx:
        org_id = await organisations.the_organisation(tx)
        user = await people.new_user(app, tx, org_id, MEMBER, "registration")
        return await start(app, tx, user, caller, "registration")
