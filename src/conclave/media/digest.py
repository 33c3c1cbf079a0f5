"""Tells whether the built media engine is older than its sources, in a source checkout.

The same rule as media/python/build.rs; a test compares the two. Must never import the engine.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

_CRATES = ("engine", "python", "sfu")


def source_digest(checkout: Path | None = None) -> str | None:
    """Hex SHA-256 over the engine's sources; `None` where there are none (an installed wheel)."""
    root = (checkout or Path(__file__).resolve().parents[3]) / "media"
    if not (root / "python" / "build.rs").is_file():
        return None
    files = [root / "Cargo.lock", root / "Cargo.toml"]
    for crate in _CRATES:
        files += [root / crate / "Cargo.toml", root / crate / "build.rs"]
        files += (root / crate / "src").rglob("*.rs")
    digest = sha256()
    for name, file in sorted((f.relative_to(root).as_posix(), f) for f in files if f.is_file()):
        content = file.read_bytes()
        digest.update(name.encode() + b"\0" + len(content).to_bytes(8, "little") + content)
    return digest.hexdigest()


def is_stale(built: str, checkout: Path | None = None) -> bool:
    """Was the engine with digest `built` made from other sources than those in the checkout?"""
    current = source_digest(checkout)
    return current is not None and current != built
