"""A PostgreSQL server of the tests' own: its folder, its Unix socket, gone at the end.

Reachable only through the socket in a folder of mode 700. As root it runs as user `postgres`,
because the server refuses to run as root. Durability is off: nothing here outlives the tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from conclave import app as _tables  # noqa: F401  all slices' models
from conclave.kernel.db import Base, Database
from conclave.kernel.migrate import migrate
from conclave.migrations import SCHEMA_COMPAT, SCHEMA_VERSION

TEMPLATE = "conclave_template"
_OPTIONS = (
    "listen_addresses=",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "max_connections=200",
    "shared_buffers=32MB",
    "autovacuum=off",
)

_EMPTY = "; ".join(
    [
        *(
            f"DELETE FROM {table}"  # noqa: S608  names of our own tables
            for table in Base.metadata.tables
            if table not in {"schema_version", "outbox_cursors"}
        ),
        "DELETE FROM outbox_cursors WHERE consumer <> 'head'",
        "UPDATE outbox_cursors SET seq = 0",
        f"UPDATE schema_version SET version = {SCHEMA_VERSION}, compat = {SCHEMA_COMPAT}",  # noqa: S608
    ]
)


class Postgres:
    def __init__(self) -> None:
        found = self.find()
        assert found is not None
        self._bin = found
        # In /tmp itself: pytest's folders are closed to other users, and socket paths are short.
        self._folder = Path(tempfile.mkdtemp(prefix="conclave-pg-", dir="/tmp"))
        self._user = pwd.getpwnam("postgres").pw_name if os.geteuid() == 0 else None
        if self._user is not None:
            shutil.chown(self._folder, self._user, self._user)
        self._count = 0
        self._free: list[str] = []

    @staticmethod
    def find() -> Path | None:
        """The folder of the newest installed server programs."""
        debian = sorted(
            Path("/usr/lib/postgresql").glob("*/bin"),
            key=lambda folder: int(folder.parent.name) if folder.parent.name.isdecimal() else 0,
        )
        candidates = [*reversed(debian)]
        if on_path := shutil.which("initdb"):
            candidates.append(Path(on_path).parent)
        return next((folder for folder in candidates if (folder / "initdb").exists()), None)

    def start(self) -> None:
        cluster = self._folder / "cluster"
        self._run(
            "initdb", "--pgdata", str(cluster), "--username", "conclave", "--auth", "trust",
            "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions",
        )  # fmt: skip
        options = [f"-c {option}" for option in _OPTIONS]
        self._run(
            "pg_ctl", "start", "--pgdata", str(cluster), "--wait", "--silent",
            "--log", str(self._folder / "log"),
            "--options", " ".join([*options, f"-c unix_socket_directories={self._folder}"]),
        )  # fmt: skip
        self._sql("postgres", f"CREATE DATABASE {TEMPLATE}")
        asyncio.run(self._migrate())

    def stop(self) -> None:
        try:
            self._run(
                "pg_ctl", "stop", "--pgdata", str(self._folder / "cluster"), "--mode", "immediate",
                "--silent",
            )  # fmt: skip
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a migrated, empty database. It is emptied and used again: making one takes
        longer than most tests."""
        if self._free:
            name = self._free.pop()
        else:
            self._count += 1
            name = f"test_{self._count}"
            self._sql("postgres", f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        yield self.url(name)
        self._sql(name, _EMPTY)
        self._free.append(name)

    def new_blank_database(self) -> str:
        self._count += 1
        name = f"blank_{self._count}"
        self._sql("postgres", f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql+asyncpg://conclave@/{name}?host={self._folder}"

    async def _migrate(self) -> None:
        db = Database(self.url(TEMPLATE))
        await migrate(db)
        await db.close()

    def _sql(self, database: str, statement: str) -> None:
        self._run(
            "psql", "--no-psqlrc", "--quiet", "--host", str(self._folder), "--username", "conclave",
            "--dbname", database, "--command", statement,
        )  # fmt: skip

    def _run(self, program: str, *arguments: str) -> None:
        command: Sequence[str] = [str(self._bin / program), *arguments]
        # Its output goes to a file: the server keeps inherited pipes open for ever.
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                timeout=60,
                check=False,
            )
            if done.returncode != 0:
                output.seek(0)
                text = output.read().decode(errors="replace")
                msg = f"{program} failed: {text}"
                raise RuntimeError(msg)
