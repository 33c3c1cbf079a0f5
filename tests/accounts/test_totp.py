"""One-time codes by the vectors of RFC 6238; logins and browsers by examples and by property."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conclave.accounts.credentials import totp
from conclave.accounts.credentials.logins import folded
from conclave.accounts.credentials.recovery import digest_of_code, new_code
from conclave.accounts.visitors import browser_of, family_of, place_of

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


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/140.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("", "Browser"),
        ("<script>alert(1)</script>" * 100, "Browser"),
    ],
)
def test_browsers_are_named_in_words_of_ours(user_agent: str, expected: str) -> None:
    assert browser_of(user_agent) == expected


@pytest.mark.parametrize(
    ("host", "family", "place"),
    [
        ("203.0.113.7", "ipv4", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "ipv4", "203.0.113.0/24"),
        ("2001:db8:1:2::3", "ipv6", "2001:db8:1::/48"),
        ("fe80::1%eth0", "ipv6", "fe80::/48"),
        ("127.0.0.1", "loopback", "127.0.0.0/24"),
        ("::1", "loopback", "::/48"),
        ("", "unknown", ""),
        (None, "unknown", ""),
        ("not an address", "unknown", ""),
    ],
)
def test_addresses_are_shortened(host: str | None, family: str, place: str) -> None:
    assert (family_of(host), place_of(host)) == (family, place)
