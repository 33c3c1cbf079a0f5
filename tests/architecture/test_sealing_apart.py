"""What holds keys stays apart from the server: neither imported, nor linked, nor shipped."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
PACKAGE = "conclave_sealing"


def _imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def test_the_server_names_it_nowhere() -> None:
    for path in sorted((ROOT / "src").rglob("*.py")):
        assert PACKAGE not in _imported(path), path
        # A metric may begin like it.
        assert re.search(rf"\b{PACKAGE}\b", path.read_text()) is None, path


def test_the_whole_server_is_loaded_without_it() -> None:
    """Not even through a dependency or a plugin."""
    code = (
        "import pkgutil, sys, importlib, conclave\n"
        "for found in pkgutil.walk_packages(conclave.__path__, 'conclave.'):\n"
        "    if not found.name.endswith('__main__') and 'migrations.env' not in found.name:\n"
        "        importlib.import_module(found.name)\n"
        f"sys.exit(any(name.partition('.')[0] == '{PACKAGE}' for name in sys.modules))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT / "src")


def test_the_wheel_is_made_of_other_folders() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    maturin = project["tool"]["maturin"]
    taken = [maturin["python-source"], maturin["manifest-path"]]
    taken += [entry["path"] for entry in maturin["include"]]
    assert not any(path.startswith("sealing") for path in taken)
    assert not any("sealing" in name for name in project["project"]["dependencies"])


@pytest.mark.parametrize("lock", ["media/Cargo.lock", "requirements/app.txt"])
def test_nothing_shipped_depends_on_mls(lock: str) -> None:
    assert "mls" not in (ROOT / lock).read_text().lower()
