"""HTTP of signing in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from starlette.requests import Request

from conclave.accounts import limits, profile
from conclave.accounts.credentials import ceremonies
from conclave.accounts.schemas import AssertionIn, ChallengeOut, Nothing, SignedInOut
from conclave.accounts.sessions.start import Started, caller_of, hand_out
from conclave.accounts.sign_in import (
    operator_link,
    passkey,
    password,
    recovery,
    registration,
    welcome,
)
from conclave.accounts.sign_in.schemas import PasswordIn, RecoveryIn, TokenIn, WelcomeOut
from conclave.kernel.app import App, current_app
from conclave.kernel.http import source
from conclave.kernel.policy import require_anyone

router = APIRouter(prefix="/api/v1", tags=["sign-in"], dependencies=[Depends(require_anyone)])

CurrentApp = Annotated[App, Depends(current_app)]


@router.post("/sign-in/passkey/options")
async def passkey_options(app: CurrentApp, request: Request, _body: Nothing) -> ChallengeOut:
    limits.ask_for_challenge(app, source(request))
    party = ceremonies.relying_party(app, request)
    challenge_id, options = await passkey.offer(app, party)
    return ChallengeOut(challenge_id=challenge_id, options=options)


@router.post("/sign-in/passkey")
async def sign_in_by_passkey(
    app: CurrentApp, request: Request, response: Response, body: AssertionIn
) -> SignedInOut:
    limits.try_sign_in(app, source(request))
    party = ceremonies.relying_party(app, request)
    answer = body.credential.model_dump(exclude_none=True)
    started = await passkey.sign_in(app, caller_of(app, request), party, body.challenge_id, answer)
    return await _signed_in(app, request, response, started)


@router.post("/sign-in/password")
async def sign_in_by_password(
    app: CurrentApp, request: Request, response: Response, body: PasswordIn
) -> SignedInOut:
    limits.try_sign_in(app, source(request))
    started = await password.sign_in(
        app,
        caller_of(app, request),
        login=body.login,
        password=body.password,
        code=body.code,
    )
    return await _signed_in(app, request, response, started)


@router.post("/sign-in/recovery")
async def sign_in_by_recovery_code(
    app: CurrentApp, request: Request, response: Response, body: RecoveryIn
) -> SignedInOut:
    limits.try_sign_in(app, source(request))
    started = await recovery.sign_in(app, caller_of(app, request), body.code)
    return await _signed_in(app, request, response, started)


@router.post("/operator-link")
async def redeem_operator_link(
    app: CurrentApp, request: Request, response: Response, body: TokenIn
) -> SignedInOut:
    limits.try_sign_in(app, source(request))
    started = await operator_link.redeem(app, caller_of(app, request), body.token)
    return await _signed_in(app, request, response, started)


@router.post("/welcome/look")
async def look_at_welcome(app: CurrentApp, request: Request, body: TokenIn) -> WelcomeOut:
    limits.try_sign_in(app, source(request))
    return await welcome.look(app, body.token)


@router.post("/welcome")
async def redeem_welcome(
    app: CurrentApp, request: Request, response: Response, body: TokenIn
) -> SignedInOut:
    limits.try_sign_in(app, source(request))
    started = await welcome.redeem(app, caller_of(app, request), body.token)
    return await _signed_in(app, request, response, started)


@router.post("/register")
async def register(
    app: CurrentApp, request: Request, response: Response, _body: Nothing
) -> SignedInOut:
    started = await registration.register(app, caller_of(app, request))
    return await _signed_in(app, request, response, started)


async def _signed_in(
    app: App, request: Request, response: Response, started: Started
) -> SignedInOut:
    hand_out(app, request, response, started)
    return SignedInOut(user=await profile.of(app, started.actor))
