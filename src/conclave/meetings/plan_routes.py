"""HTTP of planned meetings: the sealed plan, and letters that its host sends."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from conclave.accounts import Actor, require_member
from conclave.kernel.app import App, current_app
from conclave.meetings import letters, plans
from conclave.meetings.letter_schemas import LettersIn, LettersOut
from conclave.meetings.machine import Keeping
from conclave.meetings.schemas import PlanIn, from_base64url

router = APIRouter(prefix="/api/v1/meetings/{meeting_id}", tags=["plans"])

CurrentApp = Annotated[App, Depends(current_app)]
Host = Annotated[Actor, Depends(require_member)]


@router.put("/plan", status_code=204)
async def set_plan(app: CurrentApp, actor: Host, meeting_id: str, body: PlanIn) -> None:
    """Keep the meeting with this plan, change it, or take the plan back."""
    sealed = None if body.sealed_plan is None else from_base64url(body.sealed_plan)
    keeping = Keeping(body.keep, body.keep_until)
    await plans.set_plan(app, actor, meeting_id, keeping, sealed, is_own_room=body.is_own_room)


@router.post("/letters")
async def send_letters(
    app: CurrentApp, actor: Host, meeting_id: str, body: LettersIn
) -> LettersOut:
    """Pass on what the host's browser has written, to each address alone."""
    faults = await letters.send(
        app,
        actor,
        meeting_id,
        body.to,
        subject=body.subject,
        text=body.text,
        calendar=body.ics,
    )
    return LettersOut(mail_errors=list(faults))
