"""The web client's files: pages, caching, compression, and paths that try to get out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from conclave.settings import Settings
from tests.databases import sqlite_only
from tests.stage import Person, Stage

pytestmark = [pytest.mark.unit, sqlite_only]

INDEX = b"<!doctype html><title>conclave</title>"


@pytest.fixture
async def person(
    settings: Settings, new_stage: Callable[[Settings], Stage], tmp_path: Path
) -> Person:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(INDEX)
    (folder / "favicon.svg").write_bytes(b"<svg/>")
    (folder / "manifest.webmanifest").write_bytes(b"{}")
    (folder / "assets" / "app-x1.js").write_bytes(b"plain")
    (folder / "assets" / "app-x1.js.br").write_bytes(b"brotli")
    (folder / "assets" / "app-x1.js.gz").write_bytes(b"gzipped")
    (folder / ".secret").write_bytes(b"secret")
    (tmp_path / "outside.txt").write_bytes(b"outside")
    (folder / "link.txt").symlink_to(folder / "favicon.svg")
    stage = new_stage(settings)
    await stage.start()
    return stage.guest()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/operator",
        "/verify",
        "/sign-in",
        "/register",
        "/set-up",
        "/welcome",
        "/account",
        "/log",
        "/log/meetings",
        "/log/mtg_00000000000000000000000000/",
        "/report",
        "/members/",
        "/link",
        "/m/mtg_00000000000000000000000000",
        "/m/x",
    ],
)
async def test_pages_are_the_application(person: Person, path: str) -> None:
    answer = await person.get(path)
    assert answer.status_code == 200
    assert answer.content == INDEX
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/m",
        "/m/",
        "/m/a/b",
        "/operator/x",
        "/verify/x",
        "/report/x",
        "/log/a/b",
        "/index.php",
        "/.secret",
        "/wp-admin",
    ],
)
async def test_other_pages_are_the_application_with_404(person: Person, path: str) -> None:
    answer = await person.get(path)
    assert answer.status_code == 404
    assert answer.content == INDEX


@pytest.mark.parametrize(
    "path",
    [
        "/../outside.txt",
        "/..%2foutside.txt",
        "/%2e%2e/outside.txt",
        "/assets/../../outside.txt",
        "/assets/..%2f..%2foutside.txt",
        "//etc/passwd",
        "/assets/%00",
        "/assets//app-x1.js",
        "/assets/missing.js",
        "/assets/app-x1.js.br",
    ],
)
async def test_no_path_leads_out(person: Person, path: str) -> None:
    answer = await person.get(path)
    assert answer.status_code == 404
    assert b"outside" not in answer.content


@pytest.mark.parametrize(
    ("accepted", "content", "encoding"),
    [
        ("", b"plain", None),
        ("identity", b"plain", None),
        ("gzip", b"gzipped", "gzip"),
        ("gzip, deflate, br, zstd", b"brotli", "br"),
        ("br;q=0, gzip;q=0.5", b"gzipped", "gzip"),
        ("br;q=0.0, gzip;q=0", b"plain", None),
        ("BR", b"brotli", "br"),
    ],
)
async def test_what_was_compressed_before_is_sent_where_it_is_accepted(
    person: Person, accepted: str, content: bytes, encoding: str | None
) -> None:
    async with person.stream(
        "GET", "/assets/app-x1.js", headers={"accept-encoding": accepted}
    ) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert raw == content
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.headers["content-type"].startswith("text/javascript")


async def test_hashed_files_are_kept_for_ever_and_others_asked_about(person: Person) -> None:
    hashed = await person.get("/assets/app-x1.js", headers={"accept-encoding": "identity"})
    assert "immutable" in hashed.headers["cache-control"]
    icon = await person.get("/favicon.svg")
    assert icon.headers["cache-control"] == "no-cache"
    again = await person.get("/favicon.svg", headers={"if-none-match": icon.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""
    manifest = await person.get("/manifest.webmanifest")
    assert manifest.headers["content-type"] == "application/manifest+json"


async def test_head_answers_without_a_body(person: Person) -> None:
    answer = await person.head("/")
    assert answer.status_code == 200
    assert answer.content == b""


async def test_a_rebuilt_client_is_picked_up(person: Person, tmp_path: Path) -> None:
    await person.get("/")
    index = tmp_path / "static" / "index.html"
    index.write_bytes(b"new")
    (tmp_path / "static" / "assets" / "app-x2.js").write_bytes(b"newer")
    os.utime(index, ns=(1, 1))
    assert (await person.get("/")).content == b"new"
    assert (await person.get("/assets/app-x2.js")).content == b"newer"


async def test_without_a_client_the_server_says_so(stage: Stage) -> None:
    answer = await stage.guest().get("/")
    assert answer.status_code == 200, "media clients ask here whether the server is back"
    assert "make setup" in answer.text
    assert (await stage.guest().get("/nothing")).status_code == 404
