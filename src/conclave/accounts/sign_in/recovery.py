"""Signing in by a recovery code alone: 100 random bits, used up by it."""

from __future__ import annotations

from conclave.accounts import organisations
from conclave.accounts.credentials import proofs, recovery
from conclave.accounts.sessions.start import Caller, Started, start
from conclave.kernel.app import App


async def sign_in(app: App, caller: Caller, code: str) -> Started:
    async with app.db.transaction() as tx:
        used = await recovery.use(app, tx, code)
        if used is not None:
            return await start(app, tx, used.user, caller, "recovery")
        org_id = await organisations.the_organisation(tx)
    raise await proofs.refuse(app, org_id, None, "recovery")
