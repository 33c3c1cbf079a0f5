"""HTTP of device links."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request

from conclave.accounts import policy
from conclave.accounts.actors import Actor
from conclave.accounts.device_links import mailbox
from conclave.accounts.device_links.schemas import (
    CommitmentIn,
    LinkOut,
    LinksOut,
    LinkWithValuesOut,
    NewLinkOut,
    ValueIn,
)
from conclave.accounts.models import DeviceLink
from conclave.accounts.schemas import from_base64url, to_base64url
from conclave.accounts.sessions import keeping
from conclave.accounts.visitors import visitor_of
from conclave.kernel.app import App, current_app
from conclave.kernel.errors import Unauthenticated

router = APIRouter(prefix="/api/v1/account/device-links", tags=["device-links"])

CurrentApp = Annotated[App, Depends(current_app)]
Member = Annotated[Actor, Depends(policy.require_member)]


@router.post("", status_code=201)
async def make_link(
    app: CurrentApp, request: Request, actor: Member, body: CommitmentIn
) -> NewLinkOut:
    link = await mailbox.make(app, actor, visitor_of(request), from_base64url(body.commitment))
    return NewLinkOut(id=link.id, expires_at=link.expires_at)


@router.get("")
async def list_links(app: CurrentApp, actor: Member) -> LinksOut:
    links = await mailbox.list_open(app, actor)
    return LinksOut(links=[_shape(actor, link) for link in links])


@router.get("/{link_id}")
async def get_link(
    app: CurrentApp,
    actor: Member,
    link_id: str,
    after: Annotated[int | None, Query(ge=0, le=3)] = None,
) -> LinkWithValuesOut:
    """With `after`: waits up to 25 s for a state past it."""
    if after is None:
        link = await mailbox.read(app, actor, link_id)
    else:
        link = await mailbox.wait(app, actor, link_id, after)
        if not await keeping.is_alive(app, actor):  # it may have been revoked meanwhile
            raise Unauthenticated
    return LinkWithValuesOut(
        **_shape(actor, link).model_dump(),
        offer=_value(link.offer),
        reveal=_value(link.reveal),
        parcel=_value(link.parcel),
    )


@router.put("/{link_id}/{slot}", status_code=204)
async def put_value(
    app: CurrentApp,
    actor: Member,
    link_id: str,
    slot: Literal["offer", "reveal", "parcel"],
    body: ValueIn,
) -> None:
    await mailbox.put(app, actor, link_id, slot, from_base64url(body.value))


@router.delete("/{link_id}", status_code=204)
async def cancel_link(app: CurrentApp, actor: Member, link_id: str) -> None:
    await mailbox.cancel(app, actor, link_id)


def _shape(actor: Actor, link: DeviceLink) -> LinkOut:
    return LinkOut(
        id=link.id,
        commitment=to_base64url(link.commitment),
        created_at=link.created_at,
        expires_at=link.expires_at,
        browser=link.browser,
        place=link.place,
        state=link.state,
        is_own=link.session_id == actor.session_id,
    )


def _value(value: bytes | None) -> str | None:
    return None if value is None else to_base64url(value)
