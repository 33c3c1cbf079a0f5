"""The operator's key ring: made at the first sign-in, opened in another browser by its 24 words.

What the server keeps is searched for the title, the words and the link's secret.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.e2e.product import Product
from tests.e2e.test_pages import assert_accessible

pytestmark = pytest.mark.browser

TITLE = "Xylophonprobe"


def _operator_link(product: Product) -> str:
    printed = subprocess.run(
        product.command("operator-link"),
        env={**os.environ, **product.environment},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found = re.search(r"http\S+#\S+", printed)
    assert found, printed
    return found.group()


def _write_down(host: Person) -> list[str]:
    """The 24 words, after two of them came back from the paper."""
    page = host.page
    host.press("Show the 24 words")
    sheet = page.get_by_role("list", name="The 24 words, in order").get_by_role("listitem")
    expect(sheet).to_have_count(24)
    assert_accessible(page, "the 24 words")
    words = [re.sub(r"^\d+\s*", "", text) for text in sheet.all_inner_texts()]
    host.press("I have written them down")
    fields = page.get_by_label(re.compile(r"^Word \d+$"))
    expect(fields).to_have_count(2)
    assert_accessible(page, "two of the words")
    for field in fields.all():
        label = field.evaluate("field => field.labels[0].textContent")
        field.fill(words[int(label.removeprefix("Word ")) - 1])
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Write down your 24 words.")).to_be_hidden()
    return words


LOOKS = [
    pytest.param({"dark": True}, id="desktop-dark-en"),
    pytest.param({"phone": True, "language": "de-DE"}, id="phone-light-de"),
]


@pytest.mark.parametrize("look", LOOKS)
def test_another_browser_and_the_words(
    own_product: Product, people: Callable[..., Person], look: dict[str, object]
) -> None:
    host = people("Hanna Vogel")
    assert own_product.operator_link is not None
    host.become_operator(own_product.operator_link)
    expect(host.page.get_by_role("heading", name="Write down your 24 words.")).to_be_visible()
    host.page.get_by_label("What is it about? (optional)").fill(TITLE)
    link = host.start_room()
    assert "#" not in host.page.url
    host.open(own_product.url)
    expect(host.page.get_by_text(TITLE)).to_be_visible()
    words = _write_down(host)
    host.page.reload()
    expect(host.page.get_by_text(TITLE)).to_be_visible()
    expect(host.page.get_by_role("heading", name="Write down your 24 words.")).to_be_hidden()

    german = "language" in look
    other = people("Hanna elsewhere", **look)
    other.open(_operator_link(own_product))
    type_words = other.button("24 Wörter eingeben" if german else "Type the 24 words")
    expect(type_words).to_be_visible()
    expect(other.page.get_by_text(TITLE)).to_be_hidden()
    assert_accessible(other.page, "without the key ring")
    other.page.set_viewport_size({"width": 320, "height": 640})
    assert_accessible(other.page, "without the key ring, at 320 px")
    type_words.click()
    field = other.page.get_by_role("textbox", name="24 Wörter" if german else "24 words")
    open_ring = other.button("Schlüsselbund öffnen" if german else "Open the key ring")
    field.fill(" ".join(["xylofonx", *words[1:]]))
    open_ring.click()
    expect(other.page.get_by_text("xylofonx", exact=False).last).to_be_visible()
    assert_accessible(other.page, "a wrong word")
    field.fill(" ".join(words))
    open_ring.click()
    expect(other.page.get_by_text(TITLE)).to_be_visible()
    assert_accessible(other.page, "with the key ring")

    own_product.stop()
    kept = b"".join(file.read_bytes() for file in own_product.data_dir.rglob("*") if file.is_file())
    secret = link.partition("#1.")[2].split(".")[0]
    for text in (TITLE, secret, " ".join(words[:2])):
        assert text.encode() not in kept
