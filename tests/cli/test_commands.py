"""The command line as a process: what it prints, where, and with which exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import conclave

pytestmark = pytest.mark.unit


def conclave_command(
    tmp_path: Path, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if "CONCLAVE" not in name}
    source = Path(conclave.__file__).parents[1]
    return subprocess.run(
        [sys.executable, "-m", "conclave", *arguments],
        env={
            **environment,
            "PYTHONPATH": str(source),
            "CONCLAVE_DATA_DIR": str(tmp_path / "data"),
            **settings,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_version(tmp_path: Path) -> None:
    done = conclave_command(tmp_path, "version")
    assert (done.returncode, done.stdout) == (0, f"conclave {conclave.__version__}\n")


def test_the_version_is_the_engines_too() -> None:
    manifest = Path(conclave.__file__).parents[2] / "media" / "Cargo.toml"
    assert f'version = "{conclave.__version__}"' in manifest.read_text()


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, conclave.cli\n"
        "heavy = {'fastapi', 'sqlalchemy', 'uvicorn', 'pydantic', 'alembic', 'structlog'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(Path(conclave.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_help_names_every_command(tmp_path: Path) -> None:
    done = conclave_command(tmp_path, "--help")
    assert done.returncode == 0
    for name in ("serve", "doctor", "operator-link", "hashes", "version"):
        assert name in done.stdout


def test_an_operator_link_is_one_line(tmp_path: Path) -> None:
    done = conclave_command(tmp_path, "operator-link", CONCLAVE_HTTP__PORT="4321")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Operator link: http://localhost:4321/operator#")
    assert len(done.stdout.splitlines()) == 1
    database = tmp_path / "data" / "conclave.db"
    assert database.stat().st_mode & 0o077 == 0, "nobody else reads it"
    public = conclave_command(
        tmp_path, "operator-link", CONCLAVE_HTTP__PUBLIC_URL="https://Meet.example/"
    )
    assert public.stdout.startswith("Operator link: https://meet.example/operator#")


@pytest.mark.parametrize("command", ["serve", "doctor", "operator-link"])
def test_bad_settings_end_with_code_2(tmp_path: Path, command: str) -> None:
    done = conclave_command(
        tmp_path, command, CONCLAVE_HTTP__PORT="x", CONCLAVE_MEDIA__API_KEYS="hunter2"
    )
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("conclave: CONCLAVE_") for line in lines)
    assert "hunter2" not in done.stderr
