"""The digest that tells a stale engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from conclave.media.digest import is_stale, source_digest

pytestmark = pytest.mark.unit


def checkout(root: Path) -> Path:
    files = {
        "Cargo.toml": "[workspace]",
        "Cargo.lock": "",
        "sfu/Cargo.toml": "sfu",
        "sfu/src/lib.rs": "mod a;",
        "sfu/src/a/b.rs": "",
        "engine/Cargo.toml": "engine",
        "engine/src/lib.rs": "",
        "python/Cargo.toml": "python",
        "python/build.rs": "fn main() {}",
        "python/src/lib.rs": "",
    }
    for name, content in files.items():
        file = root / "media" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    return root


def test_any_source_counts_and_nothing_else(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    before = source_digest(root)
    assert before is not None
    assert not is_stale(before, root)
    for name in ("target/release/x.rs", "engine/tests/rooms.rs", "sfu/src/notes.txt"):
        file = root / "media" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    assert source_digest(root) == before
    for name in ("sfu/src/a/b.rs", "Cargo.lock", "engine/Cargo.toml", "sfu/src/new.rs"):
        (root / "media" / name).write_text("changed")
        after = source_digest(root)
        assert after != before
        assert is_stale(before, root)
        before = after or ""


def test_moving_bytes_between_files_changes_it(tmp_path: Path) -> None:
    root = checkout(tmp_path)
    before = source_digest(root)
    (root / "media/sfu/src/lib.rs").write_text("mod a")
    (root / "media/sfu/src/a/b.rs").write_text(";")
    assert source_digest(root) != before


def test_an_installed_package_has_no_sources(tmp_path: Path) -> None:
    assert source_digest(tmp_path) is None
    assert not is_stale("anything", tmp_path)
