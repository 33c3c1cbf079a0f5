"""`conclave hashes` against folders that are right, altered, incomplete and no build at all."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from conclave.hashes import run

pytestmark = pytest.mark.unit


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def built(tmp_path: Path) -> Path:
    files = {"assets/a.js": b"code", "index.html": b"page", "theme.js": b"theme"}
    (tmp_path / "assets").mkdir()
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "assets" / "a.js.br").write_bytes(b"compressed")
    listed = [
        {"path": "/" if name == "index.html" else f"/{name}", "sha256": _digest(content)}
        for name, content in files.items()
    ]
    (tmp_path / "hashes.json").write_text(json.dumps({"version": 1, "files": listed}))
    return tmp_path


def test_the_list_and_the_page_come_first(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(built) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.splitlines() == [
        f"{_digest((built / 'hashes.json').read_bytes())}  hashes.json",
        f"{_digest(b'page')}  index.html",
        f"{_digest(b'code')}  assets/a.js",
        f"{_digest(b'theme')}  theme.js",
    ]


def test_what_is_not_as_built_is_named(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (built / "assets" / "a.js").write_bytes(b"altered")
    (built / "theme.js").unlink()
    (built / "more.js").write_bytes(b"more")
    assert run(built) == 1
    assert capsys.readouterr().err.splitlines() == [
        "conclave: assets/a.js is not as it was built",
        "conclave: more.js is not in the list",
        "conclave: theme.js is missing",
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": [{}]}', '{"files": 7}', "\xff"])
def test_a_damaged_list_is_said_to_be_damaged(
    built: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (built / "hashes.json").write_bytes(text.encode("latin-1"))
    assert run(built) == 1
    assert capsys.readouterr().err == "conclave: hashes.json is missing or damaged\n"


def test_without_a_build_there_is_nothing_to_show(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path) == 1
    assert "not built" in capsys.readouterr().err
