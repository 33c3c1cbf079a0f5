"""The tables of the delivery service, read and written for `service.py`, which owns them.

Must never be called for writing outside a transaction that holds the meeting's lock.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from conclave.kernel.db import Database
from conclave.sealing.doorkeeper import EntryRole
from conclave.sealing.machine import Changes, Sitting
from conclave.sealing.models import SealingInstance, SealingRow, SealingSeat
from conclave.sealing.state import (
    NUMBERED,
    Granted,
    Instance,
    Knock,
    OpenCommit,
    Row,
    RowKind,
    Seat,
    SeatState,
)

_LOCK = 0x5EA1 << 32


async def lock(db: Database, tx: AsyncSession, meeting_id: str) -> None:
    """Alone with this meeting's rows until the transaction ends, against other processes too."""
    await db.lock(tx, _LOCK | zlib.crc32(meeting_id.encode()))


async def version_of(tx: AsyncSession, meeting_id: str) -> tuple[str, int] | None:
    row = (
        await tx.execute(
            select(SealingInstance.id, SealingInstance.version).where(
                SealingInstance.meeting_id == meeting_id
            )
        )
    ).first()
    return None if row is None else (row.id, row.version)


async def position_of(session: AsyncSession, meeting_id: str) -> tuple[str, int, int] | None:
    """(instance, last row, last number)."""
    row = (
        await session.execute(
            select(SealingInstance.id, SealingInstance.pos, SealingInstance.seq).where(
                SealingInstance.meeting_id == meeting_id
            )
        )
    ).first()
    return None if row is None else (row.id, row.pos, row.seq)


async def load(tx: AsyncSession, meeting_id: str) -> tuple[Instance, dict[str, Seat]] | None:
    found = await tx.scalar(select(SealingInstance).where(SealingInstance.meeting_id == meeting_id))
    if found is None:
        return None
    instance = Instance(
        org_id=found.org_id,
        meeting_id=found.meeting_id,
        id=found.id,
        created_at=found.created_at,
        epoch=found.epoch,
        seq=found.seq,
        pos=found.pos,
        floor_seq=found.floor_seq,
        floor_pos=found.floor_pos,
        settled=found.settled,
        empty_since_at=found.empty_since_at,
        open_commits=[OpenCommit.from_json(value) for value in found.open_commits],
        media=found.media,
        version=found.version,
    )
    tx.expunge(found)  # Or a save in the same session would compare against it.
    rows = await tx.execute(
        select(SealingSeat.__table__).where(
            SealingSeat.org_id == instance.org_id, SealingSeat.meeting_id == meeting_id
        )
    )
    seats = [_seat(row) for row in rows.mappings()]
    return instance, {seat.id: seat for seat in seats}


async def save(
    tx: AsyncSession, sitting: Sitting, changes: Changes, stored: set[str], now: datetime
) -> None:
    """Write what has changed; `stored` holds the seats that have a row, and is kept true."""
    instance = sitting.instance
    key = {"org_id": instance.org_id, "meeting_id": instance.meeting_id}
    values = {
        **{
            name: getattr(instance, name)
            for name in (
                "epoch",
                "seq",
                "pos",
                "floor_seq",
                "floor_pos",
                "settled",
                "media",
                "version",
            )
        },
        "empty_since_at": instance.empty_since_at,
        "open_commits": [opened.as_json() for opened in instance.open_commits],
    }
    if instance.version == 1:
        await tx.execute(
            insert(SealingInstance).values(
                **key, **values, id=instance.id, created_at=instance.created_at
            )
        )
    else:
        await tx.execute(
            update(SealingInstance)
            .where(
                SealingInstance.org_id == instance.org_id,
                SealingInstance.meeting_id == instance.meeting_id,
            )
            .values(**values)
        )
    replaced = (changes.dropped | changes.touched) & stored
    if replaced:
        await tx.execute(
            delete(SealingSeat).where(
                SealingSeat.org_id == instance.org_id,
                SealingSeat.meeting_id == instance.meeting_id,
                SealingSeat.id.in_(replaced),
            )
        )
    if changes.touched:
        await tx.execute(
            insert(SealingSeat),
            [{**key, **_columns(sitting.seats[id_], now)} for id_ in sorted(changes.touched)],
        )
    stored -= changes.dropped
    stored |= changes.touched
    if changes.rows:
        await tx.execute(
            insert(SealingRow),
            [{**key, **asdict(row), "size": len(row.frame)} for row in changes.rows],
        )


async def erase(tx: AsyncSession, org_id: str, meeting_id: str) -> None:
    for table in (SealingRow, SealingSeat, SealingInstance):
        await tx.execute(
            delete(table).where(table.org_id == org_id, table.meeting_id == meeting_id)
        )


async def trim(tx: AsyncSession, instance: Instance, *, rows: int, size: int) -> None:
    """Drop the oldest rows beyond so many numbered ones and so many bytes; moves the floor."""
    found = await tx.execute(
        select(SealingRow.pos, SealingRow.seq, SealingRow.kind, SealingRow.seat, SealingRow.size)
        .where(
            SealingRow.org_id == instance.org_id,
            SealingRow.meeting_id == instance.meeting_id,
        )
        .order_by(SealingRow.pos.desc())
    )
    numbered, bytes_ = 0, 0
    first: tuple[int, int] | None = None
    for count, row in enumerate(found, 1):
        bytes_ += row.size
        is_numbered = row.kind in NUMBERED and row.seat is None
        numbered += is_numbered
        if numbered > rows or bytes_ > size or count > 4 * rows:
            break
        if is_numbered:
            first = (row.pos, row.seq)
    else:
        return
    # Cut before a numbered row, so that what follows it is whole.
    pos, seq = first or (instance.pos + 1, instance.seq + 1)
    instance.floor_pos = max(instance.floor_pos, pos - 1)
    instance.floor_seq = max(instance.floor_seq, seq - 1)
    await tx.execute(
        delete(SealingRow).where(
            SealingRow.org_id == instance.org_id,
            SealingRow.meeting_id == instance.meeting_id,
            SealingRow.pos <= instance.floor_pos,
        )
    )
    await tx.execute(
        update(SealingInstance)
        .where(
            SealingInstance.org_id == instance.org_id,
            SealingInstance.meeting_id == instance.meeting_id,
        )
        .values(floor_seq=instance.floor_seq, floor_pos=instance.floor_pos)
    )


async def rows_after(
    session: AsyncSession, meeting_id: str, instance_id: str, pos: int, *, limit: int
) -> Sequence[Row]:
    rows = await session.execute(
        select(
            SealingRow.pos,
            SealingRow.seq,
            SealingRow.kind,
            SealingRow.seat,
            SealingRow.sender,
            SealingRow.frame,
        )
        # With the instance in the same statement: a new sitting's rows are another log's.
        .join(
            SealingInstance,
            (SealingInstance.org_id == SealingRow.org_id)
            & (SealingInstance.meeting_id == SealingRow.meeting_id),
        )
        .where(
            SealingInstance.meeting_id == meeting_id,
            SealingInstance.id == instance_id,
            SealingRow.pos > pos,
        )
        .order_by(SealingRow.pos)
        .limit(limit)
    )
    return [Row(r.pos, r.seq, cast("RowKind", r.kind), r.seat, r.sender, r.frame) for r in rows]


async def row_of(session: AsyncSession, meeting_id: str, instance_id: str, seq: int) -> int | None:
    """Where the message, commit or reopening with this number is; None: gone from the log."""
    instance = (
        await session.execute(
            select(
                SealingInstance.org_id, SealingInstance.floor_seq, SealingInstance.floor_pos
            ).where(SealingInstance.meeting_id == meeting_id, SealingInstance.id == instance_id)
        )
    ).first()
    if instance is None:
        return None
    if seq == instance.floor_seq:
        return int(instance.floor_pos)
    found = await session.scalar(
        select(func.max(SealingRow.pos)).where(
            SealingRow.org_id == instance.org_id,
            SealingRow.meeting_id == meeting_id,
            SealingRow.seq == seq,
            SealingRow.kind.in_(NUMBERED),
            SealingRow.seat.is_(None),
        )
    )
    return None if found is None else int(found)


async def open_knocks(session: AsyncSession, meeting_id: str) -> Sequence[tuple[str, Knock]]:
    rows = await session.execute(
        select(SealingSeat.id, SealingSeat.knock)
        .where(SealingSeat.meeting_id == meeting_id, SealingSeat.state == "knocking")
        .order_by(SealingSeat.since_pos)
    )
    return [(row.id, Knock(**row.knock)) for row in rows if row.knock is not None]


async def media(session: AsyncSession, meeting_id: str, identity: str | None) -> Mapping[str, int]:
    """By identity, of all members or the one asked for: `Seat.media_under`."""
    query = (
        select(SealingSeat.__table__, SealingInstance.media.label("everybody"))
        .join(
            SealingInstance,
            and_(
                SealingInstance.org_id == SealingSeat.org_id,
                SealingInstance.meeting_id == SealingSeat.meeting_id,
            ),
        )
        .where(SealingSeat.meeting_id == meeting_id, SealingSeat.state == "member")
    )
    if identity is not None:
        query = query.where(SealingSeat.identity == identity)
    return {
        row["identity"]: _seat(row).media_under(row["everybody"])
        for row in (await session.execute(query)).mappings()
        if row["identity"] is not None
    }


def _columns(seat: Seat, now: datetime) -> dict[str, Any]:
    return {**asdict(seat), "seen_at": now}


def _seat(row: Any) -> Seat:
    return Seat(
        id=row["id"],
        resume_hash=row["resume_hash"],
        role=cast("EntryRole", row["role"]),
        state=cast("SeatState", row["state"]),
        worker=row["worker"],
        lost_at=row["lost_at"],
        connection=row["connection"],
        since_pos=row["since_pos"],
        since_seq=row["since_seq"],
        granted=cast("Granted | None", row["granted"]),
        identity=row["identity"],
        acked=row["acked"],
        nacked=row["nacked"],
        knock=None if row["knock"] is None else Knock(**row["knock"]),
        media=row["media"],
    )
