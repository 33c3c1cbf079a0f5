"""Rounds that find nothing are left out, and never one that would find something."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete

from conclave.accounts.models import Organisation
from conclave.kernel.changes import Changes
from conclave.kernel.clock import ManualClock
from conclave.kernel.db import Database
from tests.databases import pg_only, sqlite_only

pytestmark = pytest.mark.unit


async def _add(db: Database, org_id: str) -> None:
    async with db.transaction() as tx:
        tx.add(Organisation(org_id=org_id, created_at=ManualClock().now()))


def _answers(changes: Changes, count: int = 4) -> list[bool]:
    return [changes.may_have_come() for _ in range(count)]


@sqlite_only
async def test_after_a_commit_two_rounds_are_worked_and_then_none(db: Database) -> None:
    changes = Changes(db)
    assert _answers(changes) == [True, True, False, False]
    await _add(db, "org_1")
    assert _answers(changes) == [True, True, False, False]


@sqlite_only
async def test_reading_and_writing_nothing_is_no_change(db: Database) -> None:
    changes = Changes(db)
    await _add(db, "org_1")
    assert _answers(changes)[-1] is False
    async with db.read() as session:
        await session.get(Organisation, "org_1")
    async with db.transaction() as tx:
        await tx.execute(delete(Organisation).where(Organisation.org_id == "org_2"))
    assert not changes.may_have_come()


@sqlite_only
async def test_what_another_process_commits_is_a_change(db: Database, database_url: str) -> None:
    changes = Changes(db)
    assert _answers(changes)[-1] is False
    other = Database(database_url)
    try:
        await _add(other, "org_1")
        assert changes.may_have_come()
    finally:
        await other.close()


@sqlite_only
async def test_work_that_was_not_done_is_asked_for_again(db: Database) -> None:
    changes = Changes(db)
    assert _answers(changes)[-1] is False
    changes.forget()
    assert changes.may_have_come()


@pg_only
async def test_a_database_elsewhere_is_always_asked(db: Database) -> None:
    assert _answers(Changes(db)) == [True] * 4


async def test_a_database_without_a_file_to_look_at_is_always_asked(tmp_path: Path) -> None:
    db = Database(f"sqlite+aiosqlite:///{tmp_path / 'none' / 'x.db'}")
    assert _answers(Changes(db)) == [True] * 4
    await db.close()
