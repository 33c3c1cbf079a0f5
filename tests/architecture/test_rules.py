"""House rules that a machine can hold: sizes, markers, docstrings, log calls, the clock."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
LIMIT = 600
SIZED = {".py", ".rs", ".ts", ".tsx", ".css"}
SKIPPED = {
    ".git", ".venv", ".stamps", "node_modules", "target", "dist", "static", "data", "__pycache__",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache", "out",
}  # fmt: skip
LONGER: dict[str, str] = {}
"""Path -> why it may be longer. Keep it short."""

MARKERS = {"unit", "media", "browser", "load"}
"""A module's one category. `pg` marks single tests: those of a `unit` module that run on it too."""


def _files(suffixes: set[str]) -> Iterator[Path]:
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in SKIPPED]
        for name in names:
            if Path(name).suffix in suffixes:
                yield Path(folder) / name


def test_no_file_is_longer_than_600_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in _files(SIZED)
        if (lines := path.read_text().count("\n")) > LIMIT
    }
    assert {path: lines for path, lines in long.items() if path not in LONGER} == {}


def test_no_exception_is_left_over() -> None:
    for path in LONGER:
        assert (ROOT / path).read_text().count("\n") > LIMIT, f"{path} needs no exception any more"


def _python(folder: str) -> list[Path]:
    return sorted(path for path in _files({".py"}) if path.is_relative_to(ROOT / folder))


def _marks(node: ast.expr) -> set[str]:
    return {
        part.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute)
        and isinstance(part.value, ast.Attribute)
        and part.value.attr == "mark"
    }


@pytest.mark.parametrize(
    "path",
    [path for path in _python("tests") if path.name.startswith("test_")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_each_test_module_has_one_category(path: Path) -> None:
    found: list[str] = []
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            found = sorted(_marks(node.value) & MARKERS)
    assert len(found) == 1, "pytestmark names one of " + ", ".join(sorted(MARKERS))


@pytest.mark.parametrize(
    "path", _python("src"), ids=lambda path: str(path.relative_to(ROOT / "src"))
)
def test_each_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), "no docstring"


@pytest.mark.parametrize("name", ["accounts", "meetings", "media", "sealing"])
def test_each_slice_says_what_it_must_never_do(name: str) -> None:
    tree = ast.parse((ROOT / "src" / "conclave" / name / "__init__.py").read_text())
    words = " ".join((ast.get_docstring(tree) or "").lower().split())
    assert "must never" in words


LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}


def _log_calls(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in LOG_METHODS
            and ast.unparse(node.func.value).rpartition(".")[2].strip("_") in {"log", "logger"}
        ):
            yield node


def test_log_messages_are_static() -> None:
    seen = 0
    for path in _python("src"):
        for call in _log_calls(ast.parse(path.read_text())):
            seen += 1
            where = f"{path.relative_to(ROOT)}:{call.lineno}"
            assert len(call.args) == 1, f"{where}: one message, then keys"
            message = call.args[0]
            assert isinstance(message, ast.Constant), f"{where}: the message is put together"
            assert isinstance(message.value, str), where
            for key in call.keywords:
                assert key.arg not in {"token", "secret", "cookie", "name", "key"}, (
                    f"{where}: {key.arg} is secret or personal"
                )
    assert seen > 5


def test_nobody_asks_the_machine_for_the_time() -> None:
    forbidden = {
        "datetime.now",
        "datetime.utcnow",
        "time.time",
        "time.monotonic",
        "dt.datetime.now",
    }
    for path in _python("src"):
        if path.name == "clock.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                assert ast.unparse(node.func) not in forbidden, (
                    f"{path.relative_to(ROOT)}:{node.lineno}: take the App's clock"
                )
