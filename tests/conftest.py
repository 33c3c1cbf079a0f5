"""What all tests share: databases of both kinds, a product on a clock that stands still, people.

Each test of the API or the database runs on a SQLite file and on PostgreSQL (`pg` in its name and
its markers). Where PostgreSQL is not installed those are skipped with the reason; in CI they fail.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from pydantic import SecretStr

from conclave.kernel.db import Database
from conclave.kernel.migrate import migrate
from conclave.kernel.telemetry import configure_logging
from conclave.settings import DbSettings, Settings
from tests.postgres import Postgres
from tests.stage import Stage

# No test is timed: a busy machine is no fault of the product.
hypothesis_settings.register_profile("untimed", deadline=None)
hypothesis_settings.load_profile("untimed")

BOTH = ["sqlite", pytest.param("pg", marks=pytest.mark.pg)]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("CONCLAVE_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def quiet_log() -> None:
    """For each test anew: one before may have started a command, with a log of its own."""
    configure_logging(form="console", level="warning")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for each test process, in a folder of its own, on a Unix socket."""
    if Postgres.find() is None:
        reason = "PostgreSQL is not installed here: apt-get install postgresql"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
async def empty_sqlite(tmp_path_factory: pytest.TempPathFactory, anyio_backend: str) -> Path:
    """A migrated database file to copy: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "conclave.db"
    db = Database(f"sqlite+aiosqlite:///{path}")
    await migrate(db)
    await db.close()
    return path


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated, empty database of the test's own."""
    if request.param == "pg":
        server: Postgres = request.getfixturevalue("postgres")
        with server.database() as url:
            yield url
    else:
        path = tmp_path / "conclave.db"
        shutil.copy(request.getfixturevalue("empty_sqlite"), path)
        yield f"sqlite+aiosqlite:///{path}"


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, busy_timeout_ms=200)
    yield database
    await database.close()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, db=DbSettings(url=SecretStr(database_url)))


@pytest.fixture
async def new_stage(tmp_path: Path) -> AsyncIterator[Callable[[Settings], Stage]]:
    """Make stages with settings of the test's own; they are stopped at its end."""
    stages: list[Stage] = []

    def make(settings: Settings) -> Stage:
        stages.append(Stage(settings, tmp_path / "static"))
        return stages[-1]

    yield make
    for stage in stages:
        await stage.stop()


@pytest.fixture
async def stage(settings: Settings, new_stage: Callable[[Settings], Stage]) -> Stage:
    """A started product with a media engine in memory."""
    made = new_stage(settings)
    await made.start()
    return made
