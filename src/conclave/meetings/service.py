"""Use cases of meetings, and the only writer of its tables.

What is decided is stored first; the engine follows by `react` (an outbox consumer), so that a
crash in between loses nothing: the event comes again, and the engine's calls may be repeated.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from prometheus_client import Counter
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts import Actor, MemberRemoved, MemberSuspended
from conclave.kernel.app import App
from conclave.kernel.errors import NotFound
from conclave.kernel.ids import MeetingId, is_id, unguessable_id
from conclave.kernel.outbox import StoredEvent
from conclave.media.engine import MediaEngine, Participant
from conclave.meetings import policy
from conclave.meetings.events import (
    EndReason,
    MeetingEnded,
    MeetingOpened,
    MeetingParticipantsChanged,
    MeetingRenamed,
    MeetingSittingEnded,
)
from conclave.meetings.machine import Keep, Lifetimes, counted, end_reason
from conclave.meetings.models import Invitation, Meeting
from conclave.meetings.rights import is_held, permission_of
from conclave.meetings.schemas import EntryKind
from conclave.sealing import MuteSource, Sealing


class MeetingsMetrics:
    def __init__(self, app: App) -> None:
        self.opened = Counter(
            "conclave_meetings_opened_total", "Meetings opened", registry=app.metrics
        )
        self.ended = Counter(
            "conclave_meetings_ended_total",
            "Meetings ended, by reason",
            ["reason"],
            registry=app.metrics,
        )
        self.invited = Counter(
            "conclave_meetings_invited_knocks_total",
            "Knocks with a personal invitation, by what it was worth",
            ["outcome"],
            registry=app.metrics,
        )
        self.joins = Counter(
            "conclave_meetings_joins_total",
            "Media tickets handed out to members, by role",
            ["role"],
            registry=app.metrics,
        )


@dataclass(frozen=True, slots=True)
class RunningMeeting:
    id: MeetingId
    opened_at: datetime
    participants: int
    is_host: bool
    entry: EntryKind
    sealed_title: bytes | None
    keep: Keep
    keep_until: datetime | None
    sealed_plan: bytes | None
    is_own_room: bool


async def open_meeting(app: App, actor: Actor) -> RunningMeeting:
    now = app.clock.now()
    meeting = Meeting(
        org_id=actor.org_id,
        id=unguessable_id(policy.PREFIX),
        opened_by=actor.user_id,
        opened_at=now,
        ended_at=None,
        participants=0,
        joined_at=None,
        empty_since_at=now,
        entry="open",
        sealed_title=None,
        keep="while-used",
        keep_until=None,
        sealed_plan=None,
        is_own_room=False,
    )
    async with app.db.transaction() as tx:
        tx.add(meeting)
        await app.outbox.emit(
            tx, MeetingOpened(meeting.org_id, meeting.id, meeting.opened_by, now, 0)
        )
    app.use(MeetingsMetrics).opened.inc()
    return _running(meeting, is_host=True)


async def list_running(app: App, actor: Actor) -> Sequence[RunningMeeting]:
    async with app.db.read() as session:
        meetings = await session.scalars(
            select(Meeting)
            .where(
                Meeting.org_id == actor.org_id,
                Meeting.opened_by == actor.user_id,
                Meeting.ended_at.is_(None),
            )
            .order_by(Meeting.opened_at.desc(), Meeting.id.desc())
        )
        return [_running(meeting, is_host=True) for meeting in meetings]


async def get_meeting(app: App, actor: Actor | None, meeting_id: str) -> RunningMeeting:
    async with app.db.read() as session:
        meeting = await policy.require_open(session, meeting_id)
    return _running(meeting, is_host=policy.is_host(actor, meeting))


async def was_opened_by(app: App, actor: Actor, meeting_id: str) -> None:
    """Nothing, for the host of this meeting, open or ended; else `NotFound`."""
    async with app.db.read() as session:
        opened_by = await session.scalar(
            select(Meeting.opened_by).where(
                Meeting.org_id == actor.org_id, Meeting.id == meeting_id
            )
        )
    if opened_by != actor.user_id:
        raise NotFound("There is no such meeting of yours.")


async def set_title(app: App, actor: Actor, meeting_id: str, sealed: bytes | None) -> None:
    async with app.db.transaction() as tx:
        meeting = await policy.require_host(tx, actor, meeting_id)
        # Compare and set: one that ends at the same moment keeps no title.
        renamed = await tx.scalar(
            update(Meeting)
            .where(
                Meeting.org_id == meeting.org_id,
                Meeting.id == meeting.id,
                Meeting.ended_at.is_(None),
            )
            .values(sealed_title=sealed)
            .returning(Meeting.id)
        )
        if renamed is None:
            raise NotFound("This meeting does not exist, or it has ended.")
        await app.outbox.emit(
            tx,
            MeetingRenamed(
                meeting.org_id,
                meeting.id,
                meeting.opened_by,
                meeting.opened_at,
                meeting.participants,
            ),
        )


async def set_entry(app: App, actor: Actor, meeting_id: str, entry: EntryKind) -> None:
    async with app.db.transaction() as tx:
        meeting = await policy.require_host(tx, actor, meeting_id)
        meeting.entry = entry


async def end_sitting(app: App, actor: Actor, meeting_id: str) -> None:
    """Everybody goes home. The meeting ends with it, unless it is kept: then its link and its
    invitations stay good for the next time."""
    async with app.db.transaction() as tx:
        meeting = await policy.require_host(tx, actor, meeting_id)
        is_kept = meeting.keep != "while-used"
        if is_kept:
            await app.outbox.emit(
                tx,
                MeetingSittingEnded(
                    meeting.org_id,
                    meeting.id,
                    meeting.opened_by,
                    meeting.opened_at,
                    meeting.participants,
                ),
            )
        else:
            await _end(app, tx, meeting, "host")
    if not is_kept:
        app.use(MeetingsMetrics).ended.labels("host").inc()


async def cancel_meeting(app: App, actor: Actor, meeting_id: str) -> None:
    """It ends for good, planned or not: every link to it stops working."""
    async with app.db.transaction() as tx:
        meeting = await policy.require_host(tx, actor, meeting_id)
        await _end(app, tx, meeting, "host")
    app.use(MeetingsMetrics).ended.labels("host").inc()


async def end_all_of(app: App, org_id: str, user_id: str) -> None:
    """An account is gone or shut out: what its owner has opened ends with it."""
    ended = 0
    async with app.db.transaction() as tx:
        for meeting in await tx.scalars(
            select(Meeting).where(
                Meeting.org_id == org_id,
                Meeting.opened_by == user_id,
                Meeting.ended_at.is_(None),
            )
        ):
            await _end(app, tx, meeting, "host")
            ended += 1
    app.use(MeetingsMetrics).ended.labels("host").inc(ended)


async def may_enter(app: App, room: str, identity: str) -> bool:
    """The engine's gate, asked at every join: only members of the meeting's group come in, so that
    a token outlives neither its meeting nor its bearer's place there. Rooms that are no meetings
    belong to the holders of API keys."""
    if not room.startswith(f"{policy.PREFIX}_"):
        return True
    return await _is_open(app, room) and await app.use(Sealing).is_member(room, identity)


async def _is_open(app: App, meeting_id: str) -> bool:
    async with app.db.read() as session:
        try:
            await policy.require_open(session, meeting_id)
        except NotFound:
            return False
    return True


async def react(app: App, event: StoredEvent) -> None:
    """Carry out in the engine what was decided; repeated calls do no harm."""
    if event.type in {MemberRemoved.type, MemberSuspended.type}:
        await end_all_of(app, event.org_id, event.payload["user_id"])
        return
    engine = app.use(MediaEngine)
    sealing = app.use(Sealing)
    try:
        if event.type in {MeetingEnded.type, MeetingSittingEnded.type}:
            meeting_id = event.payload["id"]
            # A kept meeting may have begun anew before this was carried out.
            begun_by = event.occurred_at if event.type == MeetingSittingEnded.type else None
            if await sealing.end(meeting_id, begun_by=begun_by):
                await _delete_room(engine, meeting_id)
                await note_occupancy(app, meeting_id, 0)
            else:
                await follow(app, meeting_id)
            return
        meeting_id, identity = event.payload["meeting_id"], event.payload["identity"]
        # The same device may be back by now: its new media are not to be cut.
        if not await sealing.is_member(meeting_id, identity):
            await engine.remove_participant(meeting_id, identity)
    except NotFound:
        pass  # gone already, or the server was started again since


async def ask_for_keyframes(app: App, meeting_id: str, epoch: int) -> None:
    """Somebody sends with a new key: receivers need pictures that stand by themselves."""
    del epoch
    with contextlib.suppress(NotFound):
        await app.use(MediaEngine).request_keyframes(meeting_id)


async def mute_source(app: App, meeting_id: str, identity: str, source: MuteSource) -> None:
    """A host or co-host wants this member's microphone, camera or shared screen silent, whatever
    its browser does. The member may unmute."""
    sources: set[str] = {source}
    if source == "screen_share":
        sources.add("screen_share_audio")
    await _mute(app, meeting_id, frozenset({identity}), sources)


async def permit(app: App, meeting_id: str, media: Mapping[str, int]) -> None:
    """These members may send this from now on; what they send beyond it ends."""
    engine = app.use(MediaEngine)
    for identity, bits in media.items():
        with contextlib.suppress(NotFound):  # not in the media: `follow` sees to it when they are
            await engine.update_participant(meeting_id, identity, permission=permission_of(bits))


async def silence(app: App, meeting_id: str, identities: frozenset[str]) -> None:
    """A host or co-host stops everything that these members send, whatever their browsers do."""
    await _mute(app, meeting_id, identities, None)


async def _mute(
    app: App, meeting_id: str, identities: frozenset[str], sources: set[str] | None
) -> None:
    engine = app.use(MediaEngine)
    for participant in await _participants(engine, meeting_id):
        if participant.identity not in identities:
            continue
        for track in participant.tracks:
            if not track.muted and (sources is None or track.source in sources):
                with contextlib.suppress(NotFound):  # taken back meanwhile
                    await engine.mute_track(meeting_id, participant.identity, track.sid, True)


async def follow(app: App, meeting_id: str) -> None:
    """Something has changed in a meeting's media room: count who is there, and hold them to what
    the group says."""
    participants = await _participants(app.use(MediaEngine), meeting_id)
    await note_occupancy(app, meeting_id, _count(participants))
    await _hold_to_group(app, meeting_id, participants)


async def _hold_to_group(app: App, meeting_id: str, participants: Sequence[Participant]) -> None:
    """A ticket says what was true when it was made: whoever is in the media with more, with less or
    without a place in the group is put right."""
    if not participants:
        return
    engine = app.use(MediaEngine)
    media = await app.use(Sealing).media(meeting_id)
    for participant in participants:
        bits = media.get(participant.identity)
        with contextlib.suppress(NotFound):  # gone meanwhile
            if bits is None:
                await engine.remove_participant(meeting_id, participant.identity)
            elif not is_held(participant.permission, bits):
                await engine.update_participant(
                    meeting_id, participant.identity, permission=permission_of(bits)
                )


async def note_occupancy(app: App, meeting_id: str, participants: int) -> None:
    """The engine says how many are in a meeting's room now. Nothing for one that has ended."""
    now = app.clock.now()
    async with app.db.transaction() as tx:
        meeting = await tx.scalar(
            select(Meeting).where(Meeting.id == meeting_id, Meeting.ended_at.is_(None))
        )
        if meeting is None:
            return
        before = meeting.occupancy
        after = counted(before, participants, now)
        if after == before:
            return
        meeting.participants = after.participants
        meeting.joined_at = after.joined_at
        meeting.empty_since_at = after.empty_since_at
        if after.participants != before.participants:
            await app.outbox.emit(
                tx,
                MeetingParticipantsChanged(
                    meeting.org_id,
                    meeting.id,
                    meeting.opened_by,
                    meeting.opened_at,
                    meeting.participants,
                ),
            )


async def rooms_of_meetings(app: App) -> Sequence[str]:
    """Names of the engine's rooms that are meetings' and not bots'."""
    rooms = await app.use(MediaEngine).list_rooms()
    return [room.name for room in rooms if is_id(policy.PREFIX, room.name)]


async def reconcile(app: App) -> bool:
    """Make the tables agree with the engine and the engine with the groups, and end what has been
    empty for too long. Whether a meeting was open or a room there."""
    engine = app.use(MediaEngine)
    present = {room: await _participants(engine, room) for room in await rooms_of_meetings(app)}
    async with app.db.read() as session:
        running = {
            meeting.id: meeting
            for meeting in await session.scalars(select(Meeting).where(Meeting.ended_at.is_(None)))
        }
    for meeting_id, meeting in running.items():
        participants = present.get(meeting_id, ())
        count = _count(participants)
        if counted(meeting.occupancy, count, app.clock.now()) != meeting.occupancy:
            await note_occupancy(app, meeting_id, count)
        await _hold_to_group(app, meeting_id, participants)
    for room in present.keys() - running.keys():
        if not await _is_open(app, room):  # it may have been opened since
            await _delete_room(engine, room)
    await _end_due(app)
    return bool(running or present)


async def _participants(engine: MediaEngine, room: str) -> Sequence[Participant]:
    try:
        return await engine.list_participants(room)
    except NotFound:
        return ()


def _count(participants: Sequence[Participant]) -> int:
    return sum(1 for participant in participants if not participant.permission.hidden)


async def _end_due(app: App) -> None:
    rules = app.settings.meetings
    lifetimes = Lifetimes(
        timedelta(minutes=rules.empty_minutes), timedelta(hours=rules.unused_hours)
    )
    ended: list[EndReason] = []
    async with app.db.transaction() as tx:
        for meeting in await tx.scalars(
            select(Meeting).where(Meeting.ended_at.is_(None), Meeting.empty_since_at.is_not(None))
        ):
            reason = end_reason(meeting.occupancy, meeting.keeping, lifetimes, app.clock.now())
            if reason is not None:
                await _end(app, tx, meeting, reason)
                ended.append(reason)
    for why in ended:
        app.use(MeetingsMetrics).ended.labels(why).inc()


async def _end(app: App, tx: AsyncSession, meeting: Meeting, reason: EndReason) -> None:
    now = app.clock.now()
    # Compare and set: of two that end it at once, one finds it open.
    ended = await tx.scalar(
        update(Meeting)
        .where(
            Meeting.org_id == meeting.org_id, Meeting.id == meeting.id, Meeting.ended_at.is_(None)
        )
        .values(ended_at=now, participants=0, sealed_title=None, sealed_plan=None)
        .returning(Meeting.id)
    )
    if ended is None:
        raise NotFound("This meeting does not exist, or it has ended.")
    # Nobody comes in any more: what the links were bound to is of no more use.
    await tx.execute(
        delete(Invitation).where(
            Invitation.org_id == meeting.org_id, Invitation.meeting_id == meeting.id
        )
    )
    await app.outbox.emit(
        tx,
        MeetingEnded(
            meeting.org_id, meeting.id, meeting.opened_by, meeting.opened_at, 0, reason=reason
        ),
    )


async def _delete_room(engine: MediaEngine, room: str) -> None:
    with contextlib.suppress(NotFound):
        await engine.delete_room(room)


def _running(meeting: Meeting, *, is_host: bool) -> RunningMeeting:
    return RunningMeeting(
        MeetingId(meeting.id),
        meeting.opened_at,
        meeting.participants,
        is_host,
        "invited" if meeting.entry == "invited" else "open",
        meeting.sealed_title,
        meeting.keep,
        meeting.keep_until,
        meeting.sealed_plan,
        meeting.is_own_room,
    )
