"""The database: nothing is acknowledged that is not stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import IntegrityError

from conclave.accounts.models import Organisation
from conclave.kernel.clock import ManualClock
from conclave.kernel.db import Database
from conclave.kernel.errors import Unavailable
from conclave.meetings.models import Meeting
from conclave.settings import DbSettings, Settings
from tests.databases import pg_only, sqlite_only
from tests.stage import Stage

pytestmark = pytest.mark.unit

NOW = ManualClock().now()


async def _count(db: Database) -> int:
    async with db.read() as session:
        return await session.scalar(select(func.count()).select_from(Organisation)) or 0


async def test_a_transaction_that_fails_leaves_nothing(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.transaction() as tx:
            tx.add(Organisation(org_id="org_1", created_at=NOW))
            await tx.flush()
            _ = 1 / 0
    assert await _count(db) == 0
    async with db.transaction() as tx:
        tx.add(Organisation(org_id="org_1", created_at=NOW))
    assert await _count(db) == 1


async def test_times_come_back_aware(db: Database) -> None:
    async with db.transaction() as tx:
        tx.add(Organisation(org_id="org_1", created_at=NOW))
    async with db.read() as session:
        assert await session.scalar(select(Organisation.created_at)) == NOW


async def test_naive_times_are_refused(db: Database) -> None:
    with pytest.raises(Exception, match="naive"):
        async with db.transaction() as tx:
            tx.add(Organisation(org_id="org_1", created_at=datetime(2026, 1, 1)))  # noqa: DTZ001
    assert await _count(db) == 0


@sqlite_only
async def test_sqlite_is_set_for_safety(db: Database) -> None:
    async with db.transaction() as tx:
        pragmas = {
            name: await tx.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 200,
    }


@sqlite_only
async def test_readers_cannot_write(db: Database) -> None:
    with pytest.raises(Unavailable):
        async with db.read() as session:
            await session.execute(text("DELETE FROM organisations"))


@sqlite_only
async def test_a_locked_database_is_unavailable(db: Database) -> None:
    holder = sqlite3.connect(db.url.database or "", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(Unavailable):
            async with db.transaction() as tx:
                tx.add(Organisation(org_id="org_1", created_at=NOW))
        assert await _count(db) == 0, "readers go on"
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    async with db.transaction() as tx:
        tx.add(Organisation(org_id="org_1", created_at=NOW))
    assert await _count(db) == 1


@sqlite_only
async def test_with_a_locked_database_a_meeting_is_not_promised(
    settings: Settings, new_stage: Callable[[Settings], Stage]
) -> None:
    stage = new_stage(
        settings.model_copy(update={"db": DbSettings(url=settings.db.url, busy_timeout_ms=100)})
    )
    await stage.start()
    operator = await stage.operator()
    # Who reads the events writes as well, and could not end that while this thread waits.
    await stage.settled()
    holder = sqlite3.connect(stage.app.db.url.database or "", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        answer = await operator.post("/api/v1/meetings")
        assert answer.status_code == 503
        assert answer.json()["code"] == "database_unavailable"
        assert "retry-after" in answer.headers
        assert (await operator.get("/api/v1/meetings")).json()["meetings"] == []
        assert (await operator.get("/api/v1/session")).status_code == 200
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert (await operator.post("/api/v1/meetings")).status_code == 201


@sqlite_only
async def test_with_a_full_disk_a_meeting_is_not_promised(stage: Stage) -> None:
    operator = await stage.operator()
    await stage.settled()
    async with stage.app.db.transaction() as tx:
        pages = await tx.scalar(text("PRAGMA page_count"))
        await tx.execute(text(f"PRAGMA max_page_count = {pages}"))
    statuses = [(await operator.post("/api/v1/meetings")).status_code for _ in range(80)]
    stored = statuses.count(201)
    assert set(statuses) == {201, 503}
    assert statuses[stored:] == [503] * (80 - stored)
    listed = (await operator.get("/api/v1/meetings")).json()["meetings"]
    assert len(listed) == stored
    async with stage.app.db.read() as session:
        assert await session.scalar(select(func.count()).select_from(Meeting)) == stored
    async with stage.app.db.transaction() as tx:
        await tx.execute(text("PRAGMA max_page_count = 1073741823"))
    assert (await operator.post("/api/v1/meetings")).status_code == 201


async def test_a_folder_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path}/missing/conclave.db")
    with pytest.raises(Unavailable):
        async with db.transaction() as tx:
            await tx.execute(text("SELECT 1"))
    await db.close()


async def test_a_postgresql_that_is_away_is_unavailable(tmp_path: Path) -> None:
    db = Database(f"postgresql+asyncpg://conclave@/conclave?host={tmp_path}")
    with pytest.raises(Unavailable):
        async with db.transaction() as tx:
            await tx.execute(text("SELECT 1"))
    await db.close()


@pg_only
@pytest.mark.parametrize(
    "statement",
    [
        "DO $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$",
        "DO $$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = 'lock_not_available'; END $$",
        "SELECT pg_terminate_backend(pg_backend_pid())",
    ],
)
async def test_a_postgresql_in_trouble_is_unavailable(db: Database, statement: str) -> None:
    with pytest.raises(Unavailable):
        async with db.transaction() as tx:
            tx.add(Organisation(org_id="org_1", created_at=NOW))
            await tx.flush()
            await tx.execute(text(statement))
    assert await _count(db) == 0


async def test_errors_never_hold_what_was_to_be_stored(db: Database) -> None:
    with pytest.raises(IntegrityError) as failed:
        async with db.transaction() as tx:
            for _ in range(2):
                await tx.execute(insert(Organisation).values(org_id="org_secret", created_at=NOW))
    assert "org_secret" not in str(failed.value).partition("DETAIL")[0]
