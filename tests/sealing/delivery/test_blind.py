"""The delivery service can neither read nor make what it carries, and says nothing of it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import conclave.sealing
from conclave.kernel.telemetry import configure_logging
from tests.databases import sqlite_only
from tests.sealing.delivery.stage import MEETING, SealingStage
from tests.sealing.delivery.tab import identity, instance_id, private

pytestmark = pytest.mark.unit

FOLDER = Path(conclave.sealing.__file__).parent
FORBIDDEN = {
    "Crypto", "Cryptodome", "_hashlib", "_ssl", "authlib", "conclave_sealing", "cryptography",
    "hashlib", "hmac", "joserfc", "jose", "jwt", "mls", "mls_rs", "nacl", "openmls", "openssl",
    "secrets", "ssl", "OpenSSL",
}  # fmt: skip
LIBRARIES = FORBIDDEN - {"_hashlib", "_ssl", "hashlib", "hmac", "secrets", "ssl"}


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_no_module_of_it_imports_cryptography() -> None:
    """What it needs hashed (resume secrets, commits for `nack`), `kernel/tokens.py` hashes."""
    modules = sorted(FOLDER.rglob("*.py"))
    assert len(modules) > 10
    for path in modules:
        named = _imports(path)
        assert not {name.partition(".")[0] for name in named} & FORBIDDEN, path
        assert not any(name.startswith("conclave.media") for name in named), path
        assert "importlib" not in named
        assert "__import__" not in path.read_text()


def test_loading_it_loads_no_such_library() -> None:
    """Not through the slices below it either."""
    code = (
        "import sys, conclave.sealing\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    source = FOLDER.parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=source
    )
    loaded = set(ast.literal_eval(done.stdout))
    assert "conclave" in loaded
    assert not loaded & LIBRARIES


@sqlite_only
async def test_nothing_of_it_is_logged_or_kept(
    sealed: SealingStage, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log at its most talkative; the database after the sitting."""
    configure_logging(form="json", level="debug", pii=True)
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    canary = b"canary that nobody may find"
    content = private(instance_id(), 1, 1, canary)
    assert (await guest.ask("message", epoch=1, bytes=content))["t"] == "ok"
    guest.socket.say(json.dumps({"t": "canary", "x": content}))
    await guest.closed()
    stored = (tmp_path / "conclave.db").read_bytes() + (tmp_path / "conclave.db-wal").read_bytes()
    assert content.encode() in stored, "as ciphertext, while the sitting lasts"
    for text in (guest.resume, host.resume, f"token-{identity(1)}"):
        assert text.encode() not in stored
    await sealed.sealing.end(MEETING)
    assert sum((await sealed.rows()).values()) == 0
    said = "".join(capsys.readouterr())
    for text in (content, guest.resume, host.resume, f"token-{identity(1)}", "198.51.100.7"):
        assert text not in said
