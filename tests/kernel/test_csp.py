"""The Content-Security-Policy as text."""

from __future__ import annotations

import re

import pytest

from conclave.kernel.csp import CONTENT_SECURITY_POLICY

pytestmark = pytest.mark.unit


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    assert "unsafe-eval" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY
    script = re.search(r"script-src ([^;]*)", CONTENT_SECURITY_POLICY)
    assert script is not None
    assert script.group(1) == "'self'"
    assert "require-trusted-types-for 'script'" in CONTENT_SECURITY_POLICY
