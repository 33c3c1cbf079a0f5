"""Origins and hosts: what is ours, and what only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conclave.kernel.origin import is_loopback_host, is_own_origin, split_host, split_origin

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("host", "parts"),
    [
        ("localhost", ("localhost", None)),
        ("Meet.Example.org:8443", ("meet.example.org", 8443)),
        ("192.0.2.1:80", ("192.0.2.1", 80)),
        ("[2001:DB8::1]:80", ("[2001:db8::1]", 80)),
        ("[::1]", ("[::1]", None)),
        ("my_nas", ("my_nas", None)),
        ("xn--bcher-kva.example", ("xn--bcher-kva.example", None)),
    ],
)
def test_hosts(host: str, parts: tuple[str, int | None]) -> None:
    assert split_host(host) == parts


@pytest.mark.parametrize(
    "host",
    [
        "",
        ":80",
        "a:",
        "a:0",
        "a:65536",
        "a:999999999999999999999",
        "a:8o",
        "a:²",
        "a b",
        "a/b",
        "a@b",
        "a..b",
        "-a",
        "a\r\nx: y",
        "bücher.example",
        "[::1",
        "[::1]x",
        "[1.2.3.4]",
        "::1",
        'x"><script>',
        "a" * 64,
        "a." * 200,
    ],
)
def test_what_is_no_host(host: str) -> None:
    assert split_host(host) is None


@pytest.mark.parametrize(
    ("origin", "host", "public_url", "own"),
    [
        ("http://localhost:8080", "localhost:8080", None, True),
        ("http://localhost", "localhost", None, True),
        ("http://localhost:80", "localhost", None, True),
        ("https://meet.example", "meet.example", None, True),
        ("https://meet.example", "meet.example:443", None, True),
        ("HTTPS://Meet.Example", "meet.example", None, True),
        ("http://[::1]:8080", "[::1]:8080", None, True),
        ("https://meet.example", "10.0.0.5:8080", "https://meet.example", True),
        ("http://10.0.0.5:8080", "10.0.0.5:8080", "https://meet.example", True),
        ("http://meet.example", "10.0.0.5:8080", "https://meet.example", False),
        ("https://evil.example", "localhost:8080", None, False),
        ("https://meet.example.evil.example", "meet.example", None, False),
        ("https://evilmeet.example", "meet.example", None, False),
        ("http://localhost:8081", "localhost:8080", None, False),
        ("http://meet.example", "meet.example:443", None, False),
        ("null", "localhost:8080", None, False),
        ("", "localhost:8080", None, False),
        ("", "", None, False),
        ("file://", "", None, False),
        ("http://user@localhost:8080", "localhost:8080", None, False),
        ("http://localhost:8080/", "localhost:8080", None, False),
        ("http://localhost:8080 http://evil", "localhost:8080", None, False),
        ("chrome-extension://abc", "abc", None, False),
    ],
)
def test_own_origins(origin: str, host: str, public_url: str | None, own: bool) -> None:
    assert is_own_origin(origin, host, public_url) is own


@given(st.text(), st.text())
def test_nothing_upsets_the_check(origin: str, host: str) -> None:
    is_own_origin(origin, host, None)
    is_loopback_host(host)
    parts = split_origin(origin)
    if parts is not None:
        assert parts[0] in {"http", "https"}
        assert 0 < parts[2] <= 65535


@given(st.from_regex(r"[a-z0-9.:\[\]-]{1,20}", fullmatch=True))
def test_a_host_that_passes_is_its_own_origin(host: str) -> None:
    if split_host(host) is not None:
        assert is_own_origin(f"http://{host}", host, None)
        assert not is_own_origin(f"http://evil.{host}", host, None)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost:8080", True),
        ("127.0.0.1", True),
        ("127.9.9.9:1", True),
        ("[::1]:8080", True),
        ("localhost.evil.example", False),
        ("192.0.2.1", False),
        ("", False),
    ],
)
def test_loopback_hosts(host: str, local: bool) -> None:
    assert is_loopback_host(host) is local
