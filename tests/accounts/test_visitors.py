"""What is shown of a browser: two words, and a network instead of an address."""

from __future__ import annotations

import pytest

from conclave.accounts.visitors import browser_of, family_of, place_of

pytestmark = pytest.mark.unit


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
        ("127.0.0.1", "loopback", ""),
        ("::1", "loopback", ""),
        ("", "unknown", ""),
        (None, "unknown", ""),
        ("not an address", "unknown", ""),
    ],
)
def test_addresses_are_shortened(host: str | None, family: str, place: str) -> None:
    assert (family_of(host), place_of(host)) == (family, place)
