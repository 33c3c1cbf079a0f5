"""HTTP of the session and of the vault."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from starlette.requests import Request

from conclave.accounts import cookies, limits, policy, profile, vaults
from conclave.accounts.actors import Actor
from conclave.accounts.schemas import SessionOut
from conclave.accounts.sessions import keeping
from conclave.accounts.visitors import visitor_of
from conclave.kernel.app import App, current_app
from conclave.kernel.policy import require_anyone

router = APIRouter(prefix="/api/v1", tags=["accounts"])

CurrentApp = Annotated[App, Depends(current_app)]
_OCTETS = "application/octet-stream"
_OCTETS_SCHEMA: dict[str, Any] = {_OCTETS: {"schema": {"type": "string", "format": "binary"}}}
Member = Annotated[Actor, Depends(policy.require_member)]


@router.get("/session", dependencies=[Depends(require_anyone)])
async def get_session(
    app: CurrentApp,
    request: Request,
    response: Response,
    here: Annotated[policy.Presence, Depends(policy.presence)],
) -> SessionOut:
    """Who is signed in. Also moves the session's end, at most once a day."""
    if here.moved is not None:
        raise policy.session_moved()
    registration = app.settings.accounts.registration
    actor = here.actor
    if actor is None:
        return SessionOut(user=None, registration=registration)
    held = cookies.session_token(app, request)
    if held is not None:
        token = await keeping.note_seen(app, actor, visitor_of(request), held)
        if token is not None:
            cookies.set_session(app, request, response, token)
    return SessionOut(user=await profile.of(app, actor), registration=registration)


@router.delete("/session", status_code=204, dependencies=[Depends(require_anyone)])
async def delete_session(app: CurrentApp, request: Request, response: Response) -> None:
    token = cookies.session_token(app, request)
    if token is not None:
        await keeping.sign_out(app, token)
    cookies.clear_session(app, request, response)


@router.get("/vault", response_class=Response, responses={200: {"content": _OCTETS_SCHEMA}})
async def get_vault(app: CurrentApp, actor: Member) -> Response:
    app.limiter.hit("vault", actor.user_id, limits.VAULT)
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
    actor: Member,
) -> None:
    """Replace the version named by `If-Match`, or store the first (`If-None-Match: *`)."""
    app.limiter.hit("vault", actor.user_id, limits.VAULT)
    headers = request.headers
    seen = vaults.seen_version(headers.get("if-match"), headers.get("if-none-match"))
    version = await vaults.write(app, actor, seen, await request.body())
    response.headers["etag"] = vaults.etag(version)
