"""HTTP of the audit log: the organisation's for operators, a meeting's for its host."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from conclave.accounts import Actor, require_member, require_operator
from conclave.audit import service
from conclave.audit.chain import Link
from conclave.audit.schemas import EntriesOut, EntryOut, OwnMeetingOut, OwnMeetingsOut
from conclave.kernel.app import App, current_app

router = APIRouter(prefix="/api/v1", tags=["audit"])

CurrentApp = Annotated[App, Depends(current_app)]
Operator = Annotated[Actor, Depends(require_operator)]
Host = Annotated[Actor, Depends(require_member)]
Behind = Annotated[str | None, Query(pattern=r"^mtg_[0-9a-z]{26}$")]
Before = Annotated[int | None, Query(ge=1, lt=1 << 53)]


@router.get("/audit")
async def get_audit(app: CurrentApp, actor: Operator, before: Before = None) -> EntriesOut:
    """At most 200 entries, newest first; the ones before are asked for by number."""
    return _out(await service.page_of(app, actor, before=before))


@router.get("/audit/meetings")
async def get_own_meetings(app: CurrentApp, actor: Host, before: Behind = None) -> OwnMeetingsOut:
    """At most 200 of one's own meetings, running and ended, newest first."""
    own = await service.meetings_of(app, actor, before=before)
    shaped = [
        OwnMeetingOut(id=one.id, opened_at=one.opened_at, ended_at=one.ended_at) for one in own
    ]
    return OwnMeetingsOut(meetings=shaped, has_more=len(shaped) == service.PAGE)


@router.get("/meetings/{meeting_id}/audit")
async def get_meeting_audit(
    app: CurrentApp, actor: Host, meeting_id: str, before: Before = None
) -> EntriesOut:
    """Of one's own meeting, also after its end."""
    return _out(await service.page_of_meeting(app, actor, meeting_id, before=before))


def _out(links: Sequence[Link]) -> EntriesOut:
    entries = [
        EntryOut(
            number=link.entry.number,
            at=link.entry.at,
            type=link.entry.type,
            user_id=link.entry.user_id,
            meeting_id=link.entry.meeting_id,
            details=dict(link.entry.details),
            hash=link.hash.hex(),
        )
        for link in links
    ]
    return EntriesOut(entries=entries, has_more=len(entries) == service.PAGE)
