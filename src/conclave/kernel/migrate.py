"""Bring the database to this program's schema, or refuse one that is too new.

All steps run in one transaction that holds the write lock, so two programs that start at the same
time migrate once. Alembic is imported only when there is something to do: it costs a third of a
second at start.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, select

from conclave import migrations
from conclave.kernel.db import Database
from conclave.kernel.errors import ConclaveError
from conclave.kernel.models import SchemaVersion

_LOCK = 0x636F6E63_00000001


class SchemaTooNew(ConclaveError):
    title = "The database was written by a newer conclave"


async def migrate(db: Database) -> bool:
    """True when something was changed. Raises `SchemaTooNew`, `Unavailable`."""
    async with db.transaction() as tx:
        await db.lock(tx, _LOCK)
        return await (await tx.connection()).run_sync(_migrate)


async def usable_version(db: Database) -> int:
    """The stored schema's version; changes nothing. Raises `SchemaTooNew`, `Unavailable`."""
    async with db.read() as session:
        return await (await session.connection()).run_sync(_usable)


def _migrate(connection: Connection) -> bool:
    version = _usable(connection)
    if version >= migrations.SCHEMA_VERSION:
        return False
    _upgrade(connection)
    return True


def _usable(connection: Connection) -> int:
    version, compat = _stored(connection)
    if compat > migrations.SCHEMA_VERSION:
        raise SchemaTooNew(
            f"The database has schema {version}, this conclave knows {migrations.SCHEMA_VERSION}: "
            "install the newer conclave again, or restore the backup made before the update."
        )
    return version


def _stored(connection: Connection) -> tuple[int, int]:
    if not inspect(connection).has_table(SchemaVersion.__tablename__):
        return 0, 0
    row = connection.execute(select(SchemaVersion.version, SchemaVersion.compat)).first()
    return (row.version, row.compat) if row is not None else (0, 0)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import insert, update

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, migrations.HEAD)
    values = {"version": migrations.SCHEMA_VERSION, "compat": migrations.SCHEMA_COMPAT}
    if connection.execute(update(SchemaVersion).values(values)).rowcount == 0:
        connection.execute(insert(SchemaVersion).values(id=1, **values))
