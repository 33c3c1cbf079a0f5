"""`/verify` in a real browser: under the shipped policy, with an honest and an altering server."""

from __future__ import annotations

import hashlib
import json
import subprocess
import urllib.request
from collections.abc import Callable

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.person import Person
from tests.e2e.product import Product

pytestmark = pytest.mark.browser


def _get(product: Product, path: str) -> bytes:
    with urllib.request.urlopen(f"http://localhost:{product.port}{path}", timeout=5) as answer:
        return bytes(answer.read())


def test_what_is_delivered_is_what_is_listed(
    product: Product, people: Callable[..., Person]
) -> None:
    visitor = people("Visitor")
    visitor.open(f"{product.url}/verify")
    expect(visitor.page.get_by_text("files match the list")).to_be_visible()
    # The same values from outside, and from the installed package.
    listed = _get(product, "/hashes.json")
    digest = hashlib.sha256(listed).hexdigest()
    expect(visitor.page.get_by_text(digest)).to_be_visible()
    printed = subprocess.run(
        product.command("hashes"), capture_output=True, text=True, check=True, timeout=30
    ).stdout.splitlines()
    page = hashlib.sha256(_get(product, "/")).hexdigest()
    assert printed[:2] == [f"{digest}  hashes.json", f"{page}  index.html"]
    names = {line.split("  ")[1] for line in printed[2:]}
    assert {f"/{name}" for name in names} == {
        file["path"] for file in json.loads(listed)["files"] if file["path"] != "/"
    }


def test_an_altered_file_is_named_and_altered_code_does_not_run(
    product: Product, people: Callable[..., Person]
) -> None:
    theme = people("Visitor")
    asked = 0

    def alter(route: Route) -> None:
        nonlocal asked
        asked += 1
        route.fulfill(body="document.title = 'altered'", content_type="text/javascript")

    theme.page.route("**/theme.js", alter)
    theme.open(f"{product.url}/verify")
    expect(theme.page.get_by_role("alert").filter(has_text="One file does not")).to_be_visible()
    row = theme.page.get_by_role("row").filter(has_text="/theme.js")
    expect(row).to_contain_text("Different")
    assert asked == 2, "once as a script, refused by its integrity, and once to be compared"
    assert theme.page.title() != "altered"
