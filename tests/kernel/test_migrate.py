"""Migrations: one line, the same tables as the models, once, and never downwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from conclave import app as _tables  # noqa: F401  all slices' models
from conclave import migrations
from conclave.kernel.db import Base, Database
from conclave.kernel.migrate import SchemaTooNew, migrate, usable_version
from tests.conftest import BOTH

pytestmark = pytest.mark.unit


@pytest.fixture(params=BOTH)
def blank_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "pg":
        yield request.getfixturevalue("postgres").new_blank_database()
    else:
        yield f"sqlite+aiosqlite:///{tmp_path}/blank.db"


def _tables_of(connection: Connection) -> dict[str, object]:
    inspector = inspect(connection)
    return {
        table: (
            {
                column["name"]: (column["nullable"], str(column["type"]).partition(" COLLATE")[0])
                for column in inspector.get_columns(table)
            },
            inspector.get_pk_constraint(table)["constrained_columns"],
            inspector.get_pk_constraint(table)["name"],
            sorted(
                (str(i["name"]), tuple(i["column_names"])) for i in inspector.get_indexes(table)
            ),
            sorted(str(unique["name"]) for unique in inspector.get_unique_constraints(table)),
        )
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


async def test_the_steps_make_the_tables_of_the_models(blank_url: str) -> None:
    db = Database(blank_url)
    assert await migrate(db) is True
    async with db.transaction() as tx:
        stepped = await (await tx.connection()).run_sync(_tables_of)
        await (await tx.connection()).run_sync(Base.metadata.drop_all)
        await (await tx.connection()).run_sync(Base.metadata.create_all)
        made = await (await tx.connection()).run_sync(_tables_of)
    await db.close()
    assert stepped == made


async def test_the_second_start_changes_nothing(blank_url: str) -> None:
    db = Database(blank_url)
    assert await usable_version(db) == 0
    assert await migrate(db) is True
    assert await migrate(db) is False
    assert await usable_version(db) == migrations.SCHEMA_VERSION
    await db.close()


async def test_two_programs_that_start_together_migrate_once(blank_url: str) -> None:
    # Who comes second waits for all steps of the first, however busy the machine is.
    one, two = (Database(blank_url, busy_timeout_ms=60_000) for _ in range(2))
    done = await asyncio.gather(migrate(one), migrate(two))
    assert sorted(done) == [False, True]
    await one.close()
    await two.close()


async def test_a_newer_database_is_refused_in_one_line(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute(text("UPDATE schema_version SET version = 999, compat = 998"))
    with pytest.raises(SchemaTooNew) as refused:
        await migrate(db)
    assert "999" in refused.value.detail
    assert "\n" not in refused.value.detail


async def test_a_newer_database_that_keeps_to_our_schema_is_used(db: Database) -> None:
    async with db.transaction() as tx:
        await tx.execute(text("UPDATE schema_version SET version = 999"))
    assert await migrate(db) is False


def test_the_history_is_one_line_that_ends_at_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_heads() == [migrations.HEAD]
    steps = list(scripts.walk_revisions())
    assert [step.revision for step in reversed(steps)] == [
        f"{number:04}" for number in range(1, len(steps) + 1)
    ]
    assert len(steps) == migrations.SCHEMA_VERSION
    assert migrations.SCHEMA_COMPAT <= migrations.SCHEMA_VERSION


def test_the_organisation_leads_every_tenant_tables_keys() -> None:
    # The program's own; an engine's rooms belong to no organisation that it knows.
    ours = {"outbox_events", "outbox_cursors", "schema_version", "webhook_deliveries"}
    for name, table in Base.metadata.tables.items():
        if name not in ours:
            assert table.primary_key.columns.keys()[0] == "org_id", name
