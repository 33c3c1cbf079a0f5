"""HTTP of members and invitations, for operators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request

from conclave.accounts import letters, policy
from conclave.accounts.actors import OPERATOR, Actor
from conclave.accounts.credentials import logins
from conclave.accounts.members import invitations, members
from conclave.accounts.members.schemas import (
    InvitationIn,
    InvitationOut,
    MembersOut,
    NewInvitationOut,
    ResetOut,
    RoleIn,
)
from conclave.kernel.app import App, current_app
from conclave.kernel.errors import Invalid
from conclave.kernel.http import base_url
from conclave.kernel.mail import Mailer, MailFailed, MailFault

router = APIRouter(prefix="/api/v1/members", tags=["members"])

CurrentApp = Annotated[App, Depends(current_app)]
Operator = Annotated[Actor, Depends(policy.require_operator)]
FreshOperator = Annotated[Actor, Depends(policy.require_fresh_operator)]


@router.get("")
async def get_members(app: CurrentApp, actor: Operator) -> MembersOut:
    return MembersOut(
        members=await members.list_all(app, actor),
        invitations=[
            InvitationOut(
                id=link.id,
                role="operator" if link.role == OPERATOR else "member",
                login=link.login,
                created_at=link.created_at,
                expires_at=link.expires_at,
            )
            for link in await invitations.list_open(app, actor)
        ],
        can_mail=app.use(Mailer).can_mail,
    )


@router.post("/invitations", status_code=201)
async def invite(
    app: CurrentApp, request: Request, actor: Operator, body: InvitationIn
) -> NewInvitationOut:
    """The link is in the answer whether or not the letter could be sent."""
    if body.mail:
        _require_mailable(app, body.login)
    link = await invitations.invite(app, actor, body.role, body.login)
    base = base_url(app, request)
    url = f"{base}/welcome#{link.token}"
    fault: MailFault | None = None
    if body.mail and link.login is not None:
        try:
            await app.use(Mailer).send(
                letters.invitation(link.login, url, base, link.expires_at, body.language)
            )
        except MailFailed as error:
            fault = error.fault
    return NewInvitationOut(
        id=link.id,
        url=url,
        expires_at=link.expires_at,
        mailed=body.mail and fault is None,
        mail_error=fault,
    )


@router.delete("/invitations/{invitation_id}", status_code=204)
async def revoke_invitation(app: CurrentApp, actor: Operator, invitation_id: str) -> None:
    await invitations.revoke(app, actor, invitation_id)


@router.put("/{user_id}/role", status_code=204)
async def put_role(app: CurrentApp, actor: FreshOperator, user_id: str, body: RoleIn) -> None:
    await members.set_role(app, actor, user_id, body.role)


@router.post("/{user_id}/suspend", status_code=204)
async def suspend_member(app: CurrentApp, actor: Operator, user_id: str) -> None:
    await members.suspend(app, actor, user_id)


@router.post("/{user_id}/restore", status_code=204)
async def restore_member(app: CurrentApp, actor: Operator, user_id: str) -> None:
    await members.restore(app, actor, user_id)


@router.delete("/{user_id}", status_code=204)
async def remove_member(app: CurrentApp, actor: FreshOperator, user_id: str) -> None:
    await members.remove(app, actor, user_id)


@router.post("/{user_id}/reset")
async def reset_member(
    app: CurrentApp, request: Request, actor: FreshOperator, user_id: str
) -> ResetOut:
    link = await invitations.reset(app, actor, user_id)
    return ResetOut(
        url=f"{base_url(app, request)}/welcome#{link.token}", expires_at=link.expires_at
    )


def _require_mailable(app: App, login: str | None) -> None:
    if not app.use(Mailer).can_mail:
        raise Invalid("This server has no mail settings: hand the link over.", code="no_mail")
    if login is None or not logins.is_address(login):
        raise Invalid("A letter needs an e-mail address as login.", code="login")
