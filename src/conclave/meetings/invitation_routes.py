"""HTTP of personal invitations: the host's list, and what a personal link leads to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from starlette.requests import Request

from conclave.accounts import Actor, require_member
from conclave.kernel.app import App, current_app
from conclave.kernel.http import source
from conclave.kernel.policy import require_anyone
from conclave.kernel.ratelimit import Rate
from conclave.meetings import invitations
from conclave.meetings.invitations import Invited
from conclave.meetings.schemas import (
    InvitationChangeIn,
    InvitationOut,
    InvitationsIn,
    InvitationsOut,
    InvitationView,
    from_base64url,
    to_base64url,
)

router = APIRouter(prefix="/api/v1/meetings/{meeting_id}/invitations", tags=["invitations"])

CurrentApp = Annotated[App, Depends(current_app)]
Host = Annotated[Actor, Depends(require_member)]
InvitationId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{22}$")]
_MINUTE = 60.0


@router.get("")
async def list_invitations(app: CurrentApp, actor: Host, meeting_id: str) -> InvitationsOut:
    """All of a meeting's, oldest first."""
    found = await invitations.list_all(app, actor, meeting_id)
    return InvitationsOut(invitations=[_out(invited) for invited in found])


@router.post("", status_code=201)
async def add_invitations(
    app: CurrentApp, actor: Host, meeting_id: str, body: InvitationsIn
) -> InvitationsOut:
    """Keep what the host's browser has signed; all of it or nothing."""
    contents = [from_base64url(text) for text in body.invitations]
    added = await invitations.add(app, actor, meeting_id, contents)
    return InvitationsOut(invitations=[_out(invited) for invited in added])


@router.patch("/{invitation_id}")
async def change_invitation(
    app: CurrentApp,
    actor: Host,
    meeting_id: str,
    invitation_id: InvitationId,
    body: InvitationChangeIn,
) -> InvitationOut:
    return _out(await invitations.change(app, actor, meeting_id, invitation_id, body.change))


@router.get("/{invitation_id}", dependencies=[Depends(require_anyone)])
async def get_invitation(
    app: CurrentApp, request: Request, meeting_id: str, invitation_id: InvitationId
) -> InvitationView:
    limits = app.settings.limits
    app.limiter.hit("lookup", source(request), Rate(limits.lookups_per_source, _MINUTE))
    invited = await invitations.look(app, meeting_id, invitation_id)
    return InvitationView.model_validate(_out(invited).model_dump(include=_SEEN))


_SEEN = set(InvitationView.model_fields)


def _out(invited: Invited) -> InvitationOut:
    return InvitationOut(
        id=invited.id,
        certificate=to_base64url(invited.certificate),
        state=invited.state,
        device=None if invited.device is None else to_base64url(invited.device),
        created_at=invited.created_at,
        bound_at=invited.bound_at,
        passed_on_at=invited.passed_on_at,
    )
