"""Use cases of the audit log, and the only writer of its table.

Entries are made from domain events, in their order; one that comes twice is written once. So what
happened and what is logged cannot part: both come from one transaction. Must never be told what to
write by a request.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.accounts import Actor
from conclave.audit.chain import START, Entry, Link, fits, hash_of
from conclave.audit.kinds import KINDS
from conclave.audit.models import AuditEntry
from conclave.kernel.app import App
from conclave.kernel.db import Database
from conclave.kernel.outbox import StoredEvent
from conclave.meetings import OwnMeeting, list_opened_by, was_opened_by

PAGE = 200
_READ = 1_000
_LOCK = 0xA0D1 << 32
_PURGE_EVERY = 256


class Audit:
    """Counts what was written since the log was last looked through for what is too old."""

    def __init__(self) -> None:
        self.written = _PURGE_EVERY


@dataclass(frozen=True, slots=True)
class Verdict:
    entries: int
    first: int
    """Number of the oldest entry; 0: the log is empty."""
    last: int
    head: bytes
    """Hash of the newest entry."""
    fault: int | None
    """Number of the first entry that does not fit."""


async def record(app: App, event: StoredEvent) -> None:
    """An outbox consumer."""
    kind = KINDS[event.type]
    payload = event.payload
    async with app.db.transaction() as tx:
        await app.db.lock(tx, _LOCK)  # one line, also for several processes
        is_known = await tx.scalar(
            select(AuditEntry.number).where(
                AuditEntry.org_id == event.org_id, AuditEntry.event_id == event.id
            )
        )
        if is_known is not None:
            return
        last = await tx.scalar(
            select(AuditEntry)
            .where(AuditEntry.org_id == event.org_id)
            .order_by(AuditEntry.number.desc())
            .limit(1)
        )
        previous = START if last is None else last.hash
        entry = Entry(
            org_id=event.org_id,
            number=1 if last is None else last.number + 1,
            event_id=event.id,
            at=event.occurred_at,
            type=event.type,
            user_id=None if kind.user is None else payload.get(kind.user),
            meeting_id=None if kind.meeting is None else payload.get(kind.meeting),
            details={name: payload[name] for name in kind.keeps if name in payload},
        )
        tx.add(
            AuditEntry(
                org_id=entry.org_id,
                number=entry.number,
                event_id=entry.event_id,
                at=entry.at,
                type=entry.type,
                user_id=entry.user_id,
                meeting_id=entry.meeting_id,
                details=dict(entry.details),
                previous=previous,
                hash=hash_of(previous, entry),
            )
        )
        await _purge(app, tx, event.org_id)


async def _purge(app: App, tx: AsyncSession, org_id: str) -> None:
    """The oldest entries go; those that stay still hang together."""
    audit = app.use(Audit)
    audit.written += 1
    if audit.written < _PURGE_EVERY:
        return
    audit.written = 0
    until = app.clock.now() - timedelta(days=app.settings.audit.days)
    # Whole from the front: an entry in the middle is never taken out.
    first_kept = await tx.scalar(
        select(AuditEntry.number)
        .where(AuditEntry.org_id == org_id, AuditEntry.at >= until)
        .order_by(AuditEntry.number)
        .limit(1)
    )
    if first_kept is not None:
        await tx.execute(
            delete(AuditEntry).where(AuditEntry.org_id == org_id, AuditEntry.number < first_kept)
        )


async def page_of(app: App, actor: Actor, *, before: int | None) -> Sequence[Link]:
    """The organisation's newest entries, or those before number `before`; newest first."""
    return await _page(app, actor.org_id, before, None)


async def page_of_meeting(
    app: App, actor: Actor, meeting_id: str, *, before: int | None
) -> Sequence[Link]:
    """The same of one meeting that the actor has opened. `NotFound` for any other."""
    await was_opened_by(app, actor, meeting_id)
    return await _page(app, actor.org_id, before, meeting_id)


async def meetings_of(app: App, actor: Actor, *, before: str | None) -> Sequence[OwnMeeting]:
    """The actor's own meetings of which there may still be entries, newest first."""
    since = app.clock.now() - timedelta(days=app.settings.audit.days)
    return await list_opened_by(app, actor, since=since, before=before, limit=PAGE)


async def _page(
    app: App, org_id: str, before: int | None, meeting_id: str | None
) -> Sequence[Link]:
    wanted = select(AuditEntry).where(AuditEntry.org_id == org_id)
    if before is not None:
        wanted = wanted.where(AuditEntry.number < before)
    if meeting_id is not None:
        wanted = wanted.where(AuditEntry.meeting_id == meeting_id)
    async with app.db.read() as session:
        rows = await session.scalars(wanted.order_by(AuditEntry.number.desc()).limit(PAGE))
        return [_link(row) for row in rows]


async def verify(db: Database, org_id: str) -> Verdict:
    """Read the whole log, however long, and say whether it hangs together."""
    entries, first, fault = 0, 0, None
    before: Link | None = None
    async for link in _all(db, org_id):
        entries += 1
        if before is None:
            first = link.entry.number
        if fault is None and not fits(before, link):
            fault = link.entry.number
        before = link
    if before is None:
        return Verdict(0, 0, 0, START, None)
    return Verdict(entries, first, before.entry.number, before.hash, fault)


async def _all(db: Database, org_id: str) -> AsyncIterator[Link]:
    after = 0
    while True:
        async with db.read() as session:
            rows = list(
                await session.scalars(
                    select(AuditEntry)
                    .where(AuditEntry.org_id == org_id, AuditEntry.number > after)
                    .order_by(AuditEntry.number)
                    .limit(_READ)
                )
            )
        for row in rows:
            yield _link(row)
        if len(rows) < _READ:
            return
        after = rows[-1].number


def _link(row: AuditEntry) -> Link:
    entry = Entry(
        row.org_id,
        row.number,
        row.event_id,
        row.at,
        row.type,
        row.user_id,
        row.meeting_id,
        row.details,
    )
    return Link(entry, row.previous, row.hash)
