"""Signing in by passkey: the authenticator shows what it has for this site, and signs."""

from __future__ import annotations

from typing import Any

from conclave.accounts import organisations
from conclave.accounts.credentials import ceremonies, challenges, proofs
from conclave.accounts.credentials.ceremonies import RelyingParty
from conclave.accounts.people import user_for_update
from conclave.accounts.sessions.start import Caller, Started, start
from conclave.kernel.app import App
from conclave.kernel.errors import NotFound


async def offer(app: App, party: RelyingParty) -> tuple[str, dict[str, Any]]:
    """(id of the challenge, options), for nobody in particular."""
    async with app.db.transaction() as tx:
        org_id = await organisations.the_organisation(tx)
        challenge_id, challenge = await challenges.issue(app, tx, org_id, "sign_in", None)
    return challenge_id, ceremonies.request_options(party, challenge)


async def sign_in(
    app: App, caller: Caller, party: RelyingParty, challenge_id: str, answer: dict[str, Any]
) -> Started:
    challenge = await challenges.take(app, challenge_id, "sign_in", None)
    found = None
    if challenge is not None:
        found = await proofs.passkey_of(app, party, challenge, answer)
    if found is None:
        async with app.db.read() as session:
            org_id = await organisations.the_organisation(session)
        raise await proofs.refuse(app, org_id, None, "passkey")
    passkey, proof = found
    async with app.db.transaction() as tx:
        try:
            user = await user_for_update(tx, passkey.org_id, passkey.user_id)
        except NotFound:
            raise proofs.refusal() from None
        is_counted = await proofs.count_use(app, tx, passkey, proof)
        if user.suspended_at is not None or not is_counted:
            raise proofs.refusal()
        return await start(app, tx, user, caller, "passkey")
