"""HTTP of one's own account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from starlette.requests import Request

from conclave.accounts import cookies, limits, notices, people, policy
from conclave.accounts.account import overview, reauthenticate
from conclave.accounts.account.schemas import (
    AccountOut,
    CodesOut,
    ConfirmIn,
    FreshOut,
    LoginIn,
    NewPasskeyIn,
    NewPasswordIn,
    PasskeyNameIn,
    PasskeyOut,
    ProofIn,
    SetupOut,
)
from conclave.accounts.actors import Actor
from conclave.accounts.credentials import ceremonies, logins, passkeys, passwords, recovery
from conclave.accounts.schemas import AssertionIn, ChallengeOut, Nothing
from conclave.accounts.sessions import keeping
from conclave.accounts.visitors import visitor_of
from conclave.kernel.app import App, current_app
from conclave.kernel.http import source

CurrentApp = Annotated[App, Depends(current_app)]
Member = Annotated[Actor, Depends(policy.require_member)]
Fresh = Annotated[Actor, Depends(policy.require_fresh)]
Claim = Annotated[Actor, Depends(policy.require_claim)]


async def _count(
    app: CurrentApp, here: Annotated[policy.Presence, Depends(policy.presence)]
) -> None:
    if here.actor is not None:
        app.limiter.hit("account_calls", here.actor.user_id, limits.ACCOUNT)


router = APIRouter(prefix="/api/v1/account", tags=["account"], dependencies=[Depends(_count)])


@router.get("")
async def get_account(app: CurrentApp, actor: Member) -> AccountOut:
    return await overview.of(app, actor)


@router.delete("", status_code=204)
async def delete_account(
    app: CurrentApp, request: Request, response: Response, actor: Fresh
) -> None:
    async with app.db.transaction() as tx:
        await people.hold(app, tx)
        user = await people.user_for_update(tx, actor.org_id, actor.user_id)
        await people.remove(app, tx, user, by=actor.user_id)
    cookies.clear_session(app, request, response)


@router.post("/reauthenticate/passkey/options")
async def reauthenticate_options(
    app: CurrentApp, request: Request, actor: Claim, _body: Nothing
) -> ChallengeOut:
    limits.ask_for_challenge(app, source(request))
    party = ceremonies.relying_party(app, request)
    challenge_id, options = await reauthenticate.offer(app, actor, party)
    return ChallengeOut(challenge_id=challenge_id, options=options)


@router.post("/reauthenticate/passkey")
async def reauthenticate_by_passkey(
    app: CurrentApp, request: Request, response: Response, actor: Claim, body: AssertionIn
) -> FreshOut:
    limits.try_sign_in(app, source(request))
    fresh_until, token = await reauthenticate.by_passkey(
        app,
        actor,
        visitor_of(request),
        ceremonies.relying_party(app, request),
        challenge_id=body.challenge_id,
        answer=body.credential.model_dump(exclude_none=True),
    )
    cookies.set_session(app, request, response, token)
    return FreshOut(fresh_until=fresh_until)


@router.post("/reauthenticate/password")
async def reauthenticate_by_password(
    app: CurrentApp, request: Request, response: Response, actor: Claim, body: ProofIn
) -> FreshOut:
    limits.try_sign_in(app, source(request))
    fresh_until, token = await reauthenticate.by_password(
        app, actor, visitor_of(request), password=body.password, code=body.code
    )
    cookies.set_session(app, request, response, token)
    return FreshOut(fresh_until=fresh_until)


@router.post("/passkeys/options")
async def new_passkey_options(
    app: CurrentApp, request: Request, actor: Fresh, _body: Nothing
) -> ChallengeOut:
    party = ceremonies.relying_party(app, request)
    challenge_id, options = await passkeys.offer(app, actor, party)
    return ChallengeOut(challenge_id=challenge_id, options=options)


@router.post("/passkeys", status_code=201)
async def add_passkey(
    app: CurrentApp, request: Request, actor: Fresh, body: NewPasskeyIn
) -> PasskeyOut:
    added = await passkeys.add(
        app,
        actor,
        ceremonies.relying_party(app, request),
        challenge_id=body.challenge_id,
        answer=body.credential.model_dump(exclude_none=True),
        name=body.name,
    )
    return overview.shape(added)


@router.patch("/passkeys/{passkey_id}", status_code=204)
async def rename_passkey(
    app: CurrentApp, actor: Member, passkey_id: str, body: PasskeyNameIn
) -> None:
    await passkeys.rename(app, actor, passkey_id, body.name)


@router.delete("/passkeys/{passkey_id}", status_code=204)
async def remove_passkey(app: CurrentApp, actor: Fresh, passkey_id: str) -> None:
    await passkeys.remove(app, actor, passkey_id)


@router.put("/login", status_code=204)
async def put_login(app: CurrentApp, actor: Fresh, body: LoginIn) -> None:
    await logins.change(app, actor, body.login)


@router.post("/password/begin")
async def begin_password(app: CurrentApp, actor: Fresh, body: NewPasswordIn) -> SetupOut:
    setup = await passwords.begin(app, actor, body.password)
    return SetupOut(setup_id=setup.id, secret=setup.secret, uri=setup.uri)


@router.post("/password/confirm", status_code=204)
async def confirm_password(app: CurrentApp, actor: Member, body: ConfirmIn) -> None:
    await passwords.confirm(app, actor, body.setup_id, body.code)


@router.delete("/password", status_code=204)
async def remove_password(app: CurrentApp, actor: Fresh) -> None:
    await passwords.remove(app, actor)


@router.post("/recovery-codes")
async def make_recovery_codes(app: CurrentApp, actor: Fresh, _body: Nothing) -> CodesOut:
    return CodesOut(codes=await recovery.make(app, actor))


@router.delete("/sessions/{session_id}", status_code=204)
async def revoke_session(app: CurrentApp, actor: Member, session_id: str) -> None:
    await keeping.revoke(app, actor, session_id)


@router.delete("/sessions", status_code=204)
async def revoke_other_sessions(app: CurrentApp, actor: Member) -> None:
    await keeping.revoke_others(app, actor)


@router.post("/notices/seen", status_code=204)
async def mark_notices_seen(app: CurrentApp, actor: Member) -> None:
    await notices.mark_seen(app, actor)
