"""The Content-Security-Policy as text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import conclave
from conclave.kernel.csp import CONTENT_SECURITY_POLICY, SECURITY_HEADERS, security_headers

pytestmark = pytest.mark.unit


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    assert "unsafe-eval" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY
    script = re.search(r"script-src ([^;]*)", CONTENT_SECURITY_POLICY)
    assert script is not None
    assert script.group(1) == "'self'"
    assert "require-trusted-types-for 'script'" in CONTENT_SECURITY_POLICY


def _directives() -> dict[str, list[str]]:
    parts = [part.split() for part in CONTENT_SECURITY_POLICY.split("; ")]
    return {name: sources for name, *sources in parts}


def test_workers_are_files_of_ours() -> None:
    assert _directives()["worker-src"] == ["'self'"]
    assert "data:" not in CONTENT_SECURITY_POLICY
    assert "blob:" not in CONTENT_SECURITY_POLICY


def test_one_trusted_types_policy_and_it_is_made_once() -> None:
    assert _directives()["trusted-types"] == ["conclave-worker"]
    assert "allow-duplicates" not in CONTENT_SECURITY_POLICY
    sources = Path(conclave.__file__).parents[2] / "web" / "src"
    if not sources.is_dir():
        pytest.skip("an installed package has no sources of the web client")
    making = [
        path.name
        for path in sources.rglob("*.ts*")
        if ".test." not in path.name
        and re.search(r"createPolicy|new (Shared)?Worker\(", path.read_text())
    ]
    assert making == ["trustedWorker.ts"]


def test_no_directive_twice() -> None:
    assert len(_directives()) == len(CONTENT_SECURITY_POLICY.split("; "))


def test_pages_connect_to_what_is_named_and_to_nothing_else() -> None:
    headers = dict(security_headers(["wss://livekit.example", "https://livekit.example"]))
    policy = headers["content-security-policy"]
    assert "connect-src 'self' wss://livekit.example https://livekit.example;" in policy
    assert policy.count("livekit.example") == 2
    assert security_headers() == SECURITY_HEADERS
