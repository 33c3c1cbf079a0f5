"""One-time codes by the vectors of RFC 6238; codes and logins that people type, by property."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conclave.accounts.credentials import totp
from conclave.accounts.credentials.logins import folded
from conclave.accounts.credentials.recovery import digest_of_code, new_code

pytestmark = pytest.mark.unit

SECRET = b"12345678901234567890"


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        # RFC 6238, appendix B (SHA-1), the last six of its eight digits.
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_vectors_of_the_rfc(seconds: int, expected: str) -> None:
    assert totp.code_at(SECRET, seconds // 30) == expected
    now = datetime.fromtimestamp(seconds, UTC)
    assert totp.step_of(SECRET, expected, now) == seconds // 30


@given(
    seconds=st.integers(min_value=300, max_value=2**33),
    drift=st.integers(min_value=-5, max_value=5),
    after=st.integers(min_value=-5, max_value=5),
)
def test_a_step_is_taken_once_and_close_to_now(seconds: int, drift: int, after: int) -> None:
    present = seconds // 30
    now = datetime.fromtimestamp(seconds, UTC)
    code = totp.code_at(SECRET, present + drift)
    found = totp.step_of(SECRET, code, now, after=present + after)
    if found is not None:
        assert abs(found - present) <= 1
        assert found > present + after
    elif abs(drift) <= 1:
        assert drift <= after


@given(st.text(max_size=80))
def test_no_text_is_a_fault(text: str) -> None:
    totp.step_of(SECRET, text, datetime.fromtimestamp(59, UTC))
    totp.is_code(text)
    assert folded(folded(text)) == folded(text)
    assert digest_of_code(text) is None or len(text) >= 20


def test_a_recovery_code_is_read_as_people_write() -> None:
    code = new_code()
    assert [len(part) for part in code.split("-")] == [5, 5, 5, 5]
    expected = digest_of_code(code)
    assert expected is not None
    for form in (code.lower(), code.replace("-", ""), code.replace("-", " "), f" {code} "):
        assert digest_of_code(form) == expected
