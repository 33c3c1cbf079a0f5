"""HTTP of meetings: a host's list, and what a guest's link leads to."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.requests import Request

from conclave.accounts import Actor, maybe_actor, require_member
from conclave.kernel.app import App, current_app
from conclave.kernel.http import base_url, source
from conclave.kernel.mail import Mailer
from conclave.kernel.policy import require_anyone
from conclave.kernel.ratelimit import Rate
from conclave.meetings import service
from conclave.meetings.schemas import (
    EntryIn,
    MeetingOut,
    MeetingsOut,
    MeetingView,
    TitleIn,
    from_base64url,
    to_base64url,
)
from conclave.meetings.service import RunningMeeting

router = APIRouter(prefix="/api/v1/meetings", tags=["meetings"])

CurrentApp = Annotated[App, Depends(current_app)]
Member = Annotated[Actor, Depends(require_member)]
Anyone = Annotated[Actor | None, Depends(maybe_actor)]
_MINUTE = 60.0


@router.get("")
async def list_meetings(app: CurrentApp, request: Request, actor: Member) -> MeetingsOut:
    """Open meetings, newest first."""
    running = await service.list_running(app, actor)
    return MeetingsOut(
        meetings=[shape(meeting, base_url(app, request)) for meeting in running],
        can_mail=app.use(Mailer).can_mail,
    )


@router.post("", status_code=201)
async def open_meeting(app: CurrentApp, request: Request, actor: Member) -> MeetingOut:
    return shape(await service.open_meeting(app, actor), base_url(app, request))


@router.get("/{meeting_id}", dependencies=[Depends(require_anyone)])
async def get_meeting(
    app: CurrentApp, request: Request, actor: Anyone, meeting_id: str
) -> MeetingView:
    limits = app.settings.limits
    app.limiter.hit("lookup", source(request), Rate(limits.lookups_per_source, _MINUTE))
    meeting = await service.get_meeting(app, actor, meeting_id)
    return MeetingView(
        id=meeting.id,
        opened_at=meeting.opened_at,
        is_host=meeting.is_host,
        entry=meeting.entry,
        sealed_title=_text(meeting.sealed_title),
        keep=meeting.keep,
        keep_until=meeting.keep_until,
        sealed_plan=_text(meeting.sealed_plan),
    )


@router.put("/{meeting_id}/title", status_code=204)
async def set_title(app: CurrentApp, actor: Member, meeting_id: str, body: TitleIn) -> None:
    sealed = None if body.sealed_title is None else from_base64url(body.sealed_title)
    await service.set_title(app, actor, meeting_id, sealed)


@router.put("/{meeting_id}/entry", status_code=204)
async def set_entry(app: CurrentApp, actor: Member, meeting_id: str, body: EntryIn) -> None:
    """How people come in: by the link alone, or by personal links and a host at the door."""
    await service.set_entry(app, actor, meeting_id, body.entry)


@router.post("/{meeting_id}/end", status_code=204)
async def end_sitting(app: CurrentApp, actor: Member, meeting_id: str) -> None:
    """Everybody is disconnected. A meeting that is kept goes on existing, any other ends."""
    await service.end_sitting(app, actor, meeting_id)


@router.delete("/{meeting_id}", status_code=204)
async def cancel_meeting(app: CurrentApp, actor: Member, meeting_id: str) -> None:
    """The meeting ends for good, planned or not."""
    await service.cancel_meeting(app, actor, meeting_id)


def shape(meeting: RunningMeeting, base: str) -> MeetingOut:
    return MeetingOut(
        id=meeting.id,
        opened_at=meeting.opened_at,
        participants=meeting.participants,
        url=f"{base}/m/{meeting.id}",
        entry=meeting.entry,
        sealed_title=_text(meeting.sealed_title),
        keep=meeting.keep,
        keep_until=meeting.keep_until,
        sealed_plan=_text(meeting.sealed_plan),
        is_own_room=meeting.is_own_room,
    )


def _text(sealed: bytes | None) -> str | None:
    return None if sealed is None else to_base64url(sealed)
