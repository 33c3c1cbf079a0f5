"""The database: SQLite in the data folder, or PostgreSQL.

`transaction()` is for writing, `read()` for reading only. What `transaction()` has left without an
error is on disk; a database that is locked, full or out of reach raises `Unavailable` and nothing
was stored. SQLite has one writer connection (others wait for it, and for other processes up to
`busy_timeout`), begun with `BEGIN IMMEDIATE` so that no transaction fails half-way to upgrade its
lock. Must never hand out a connection that outlives its block.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

from sqlalchemy import MetaData, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from conclave.kernel.errors import Unavailable

BUSY_TIMEOUT_MS = 5_000
POOL_TIMEOUT_S = 10
_READERS = 4


class Base(DeclarativeBase):
    """Tables of every slice; names of constraints are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Database:
    def __init__(self, url: URL | str, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        self.url = make_url(url)
        self._is_closed = False
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._writer = self._sqlite_engine("BEGIN IMMEDIATE", busy_timeout_ms, pool_size=1)
            self._reader = self._sqlite_engine(
                "BEGIN", busy_timeout_ms, pool_size=_READERS, read_only=True
            )
        else:
            try:
                self._writer = self._reader = create_async_engine(
                    self.url,
                    pool_size=10,
                    max_overflow=0,
                    pool_timeout=POOL_TIMEOUT_S,
                    pool_pre_ping=True,
                    hide_parameters=True,
                )
            except ModuleNotFoundError as error:
                raise Unavailable(
                    f"This database needs the Python package {error.name}: install "
                    "conclave-server[postgres]."
                ) from None

    @property
    def engine(self) -> AsyncEngine:
        """The writing engine, for migrations."""
        return self._writer

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        self._check_open()
        async with (
            _as_unavailable(),
            AsyncSession(self._writer, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        self._check_open()
        async with _as_unavailable(), AsyncSession(self._reader, expire_on_commit=False) as session:
            yield session

    async def lock(self, tx: AsyncSession, key: int) -> None:
        """Hold one named lock until the transaction ends, against other processes too.

        On SQLite every `transaction()` is already alone.
        """
        if not self.is_sqlite:
            await tx.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})

    def stamp(self) -> tuple[int, ...] | None:
        """Another one after every commit that wrote something, told by SQLite's files; None: this
        database cannot tell."""
        if not self.is_sqlite:
            return None
        file = str(self.url.database)
        try:
            main = os.stat(file)
        except OSError:
            return None
        try:
            log = os.stat(f"{file}-wal")
        except OSError:  # there is none before the first and after the last connection
            return main.st_mtime_ns, main.st_size
        return main.st_mtime_ns, main.st_size, log.st_mtime_ns, log.st_size

    def _check_open(self) -> None:
        if self._is_closed:  # a request that outlived the server's stop
            raise _unavailable()

    async def close(self) -> None:
        self._is_closed = True
        await self._reader.dispose()
        if self._writer is not self._reader:
            await self._writer.dispose()

    def _sqlite_engine(
        self, begin: str, busy_timeout_ms: int, *, pool_size: int, read_only: bool = False
    ) -> AsyncEngine:
        engine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=POOL_TIMEOUT_S,
            hide_parameters=True,
        )

        @event.listens_for(engine.sync_engine, "connect")
        def on_connect(connection: Any, _record: object) -> None:
            connection.isolation_level = None  # SQLAlchemy begins, not the driver
            cursor = connection.cursor()
            # FULL: with WAL, NORMAL may lose the last acknowledged commits in a power cut.
            for pragma in (
                f"busy_timeout = {busy_timeout_ms}",
                "journal_mode = WAL",
                "synchronous = FULL",
                "foreign_keys = ON",
                f"query_only = {'ON' if read_only else 'OFF'}",
            ):
                cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

        @event.listens_for(engine.sync_engine, "begin")
        def on_begin(connection: Any) -> None:
            connection.exec_driver_sql(begin)

        return engine


@contextlib.asynccontextmanager
async def _as_unavailable() -> AsyncIterator[None]:
    try:
        yield
    except (OperationalError, sqlite3.OperationalError, PoolTimeout, OSError) as error:
        raise _unavailable() from error
    except DBAPIError as error:
        if error.connection_invalidated or _is_passing(error):
            raise _unavailable() from error
        raise


def _is_passing(error: DBAPIError) -> bool:
    """A PostgreSQL condition of the server, not of the statement (its appendix A): connection,
    resources such as a full disk, operator intervention, system errors, conflicts, locks."""
    state = str(getattr(error.orig, "sqlstate", None) or "")
    return state[:2] in {"08", "53", "57", "58"} or state in {"25006", "40001", "40P01", "55P03"}


def _unavailable() -> Unavailable:
    return Unavailable(
        "The server cannot reach or write its database right now. Nothing was changed; "
        "please try again in a moment.",
        code="database_unavailable",
    )
