"""The reference says everything there is: settings, commands, metrics, calls, problems, events."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.routing import APIRoute, iter_route_contexts

import conclave
from conclave import cli
from conclave.app import build
from conclave.kernel.errors import ConclaveError
from conclave.settings import Settings, variables

pytestmark = pytest.mark.unit

ENGINES = (
    {"engine": "fake"},
    {"engine": "livekit", "livekit_url": "ws://127.0.0.1:9", "api_keys": {"key": "s" * 32}},
)
SOURCE = Path(conclave.__file__).parent
REFERENCE = SOURCE.parents[1] / "docs" / "reference"


def _words(page: str) -> set[str]:
    """Everything in backticks on a page."""
    return set(re.findall(r"`([^`\n]+)`", (REFERENCE / page).read_text()))


def _missing(page: str, names: set[str]) -> list[str]:
    return sorted(names - _words(page))


def test_every_setting() -> None:
    assert _missing("settings.md", {*variables(), "CONCLAVE_CONFIG"}) == []


def test_no_setting_that_does_not_exist() -> None:
    known = {*variables(), "CONCLAVE_CONFIG"}
    for page in REFERENCE.glob("*.md"):
        for name in re.findall(r"CONCLAVE_[A-Z_]+", page.read_text()):
            assert name in known, f"{page.name}: {name}"


def test_every_command() -> None:
    commands = {
        f"conclave {command.name or getattr(command.callback, '__name__', '')}"
        for command in cli.app.registered_commands
    }
    assert _missing("commands.md", commands) == []


def test_every_metric() -> None:
    names = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for engine in ENGINES
        for metric in build(Settings(media=engine)).app.metrics.collect()
        if metric.name.startswith("conclave_")
    }
    assert len(names) > 10
    assert _missing("metrics.md", names) == []
    documented = {word for word in _words("metrics.md") if word.startswith("conclave_")}
    assert documented == names


def test_every_call() -> None:
    product = build(Settings(media={"engine": "fake"}))
    calls = {
        f"{method} {context.path}"
        for context in iter_route_contexts(product.routes.routes)
        if isinstance(context.original_route, APIRoute)
        for method in context.methods or ()
    }
    assert len(calls) > 8
    assert _missing("http-api.md", calls) == []


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path, ast.parse(path.read_text(), str(path))


def test_every_problem_code() -> None:
    codes = {error("").code for error in _subclasses(ConclaveError) if _is_answer(error)}
    for path, tree in _trees():
        if "media" in path.parts:  # those are answers of LiveKit's protocol
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.keyword)
                and node.arg == "code"
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                codes.add(node.value.value)
    assert "origin" in codes
    assert _missing("errors.md", codes) == []


def _subclasses(kind: type[ConclaveError]) -> Iterator[type[ConclaveError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)


def _is_answer(error: type[ConclaveError]) -> bool:
    """Those that the tree in kernel/errors.py shows; others end the program at its start."""
    return error.__module__ == "conclave.kernel.errors"


def test_every_domain_event() -> None:
    types = set()
    for path, tree in _trees():
        if path.name != "events.py":
            continue
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.AnnAssign)
                and isinstance(node.target, ast.Name)
                and node.target.id == "type"
                and isinstance(node.value, ast.Constant)
            ):
                types.add(str(node.value.value))
    assert "meeting.ended" in types
    assert _missing("http-api.md", types) == []
