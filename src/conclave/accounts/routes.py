"""HTTP of accounts: the session, and the operator's one-time link."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from starlette.requests import Request

from conclave.accounts import cookies, policy, service, vaults
from conclave.accounts.actors import Actor
from conclave.accounts.schemas import OperatorLinkIn, SessionOut, SignedInOut, UserOut
from conclave.kernel.app import App, current_app
from conclave.kernel.http import source
from conclave.kernel.policy import require_anyone
from conclave.kernel.ratelimit import Rate

router = APIRouter(prefix="/api/v1", tags=["accounts"])

CurrentApp = Annotated[App, Depends(current_app)]
_SIGN_IN_SECONDS = 600.0
_VAULT_CALLS = Rate(120, 60.0)
_OCTETS = "application/octet-stream"
_OCTETS_SCHEMA: dict[str, Any] = {_OCTETS: {"schema": {"type": "string", "format": "binary"}}}
Operator = Annotated[Actor, Depends(policy.require_operator)]


@router.get("/session", dependencies=[Depends(require_anyone)])
async def get_session(
    app: CurrentApp,
    request: Request,
    response: Response,
    actor: Annotated[Actor | None, Depends(policy.maybe_actor)],
) -> SessionOut:
    """Who is signed in. Also moves the session's end, at most once a day."""
    if actor is None:
        return SessionOut(user=None)
    token = cookies.session_token(app, request)
    if token is not None and await service.extend_session(app, actor):
        cookies.set_session(app, request, response, token)
    return SessionOut(user=_user(actor))


@router.delete("/session", status_code=204, dependencies=[Depends(require_anyone)])
async def delete_session(app: CurrentApp, request: Request, response: Response) -> None:
    token = cookies.session_token(app, request)
    if token is not None:
        await service.sign_out(app, token)
    cookies.clear_session(app, request, response)


@router.post("/operator-link", dependencies=[Depends(require_anyone)])
async def redeem_operator_link(
    app: CurrentApp, request: Request, response: Response, body: OperatorLinkIn
) -> SignedInOut:
    rate = Rate(app.settings.limits.sign_ins_per_source, _SIGN_IN_SECONDS)
    app.limiter.hit("sign_in", source(request), rate)
    actor, token = await service.redeem_operator_link(
        app, body.token, session_token=cookies.session_token(app, request)
    )
    cookies.set_session(app, request, response, token)
    return SignedInOut(user=_user(actor))


@router.get("/vault", response_class=Response, responses={200: {"content": _OCTETS_SCHEMA}})
async def get_vault(app: CurrentApp, actor: Operator) -> Response:
    app.limiter.hit("vault", actor.user_id, _VAULT_CALLS)
    stored = await vaults.read(app, actor)
    headers = {"etag": vaults.etag(stored.version)}
    return Response(stored.content, media_type=_OCTETS, headers=headers)


@router.put(
    "/vault",
    status_code=204,
    openapi_extra={"requestBody": {"required": True, "content": _OCTETS_SCHEMA}},
)
async def put_vault(
    app: CurrentApp,
    request: Request,
    response: Response,
    actor: Operator,
) -> None:
    """Replace the version named by `If-Match`, or store the first (`If-None-Match: *`)."""
    app.limiter.hit("vault", actor.user_id, _VAULT_CALLS)
    headers = request.headers
    seen = vaults.seen_version(headers.get("if-match"), headers.get("if-none-match"))
    version = await vaults.write(app, actor, seen, await request.body())
    response.headers["etag"] = vaults.etag(version)


def _user(actor: Actor) -> UserOut:
    return UserOut(id=actor.user_id, role="operator", created_at=actor.created_at)
