"""Somebody reports another: signed and saved in the browser, checked on a page of its own."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.person import Person
from tests.e2e.product import Product
from tests.e2e.test_pages import assert_accessible

pytestmark = pytest.mark.browser

_DROP_SCRIPT = """
([text, name]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([text], name, { type: 'application/json' }));
  for (const type of ['dragover', 'drop']) {
    document.body.dispatchEvent(new DragEvent(type, {
      dataTransfer, bubbles: true, cancelable: true,
    }));
  }
}
"""


def _choose(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as waiting:
        page.get_by_role("button", name=re.compile("Choose .*file")).click()
    waiting.value.set_files(file)


def test_signed_here_saved_here_checked_anywhere(
    own_product: Product, people: Callable[..., Person], tmp_path: Path
) -> None:
    host = people("Hanna Vogel")
    assert own_product.operator_link is not None
    host.become_operator(own_product.operator_link)
    room = host.start_room()
    host.join(room)
    guest, rude = people("Jonas Weber"), people("xX_tom_Xx")
    for person in (guest, rude):
        person.join(room)
        guest.expect_moving(host.name)
    guest.expect_moving(rude.name)
    rude.open_chat()
    rude.write("you fool")
    rude.write("and nobody likes you")
    guest.press("People")
    guest.press(f"Actions for {rude.name}")
    # Taken back before anybody could keep it: it was seen all the same.
    said = rude.message("you fool")
    said.hover()
    said.get_by_role("button", name="Actions for this message").click()
    rude.page.get_by_role("menuitem", name="Delete").click()
    expect(rude.message("you fool")).to_have_count(0)

    requests = len(guest.requests)
    guest.page.get_by_role("menuitem", name="Report…").click()
    dialog = guest.page.get_by_role("alertdialog", name="Report somebody")
    expect(dialog.get_by_role("checkbox", name=re.compile(rude.name))).to_be_checked()
    expect(dialog.get_by_role("checkbox", name=re.compile(host.name))).not_to_be_checked()
    dialog.get_by_label("What happened?").fill("He was rude.")
    dialog.get_by_role("switch", name="With still pictures").check(force=True)
    assert_accessible(guest.page, "reporting somebody")
    with guest.page.expect_download() as waiting:
        guest.press("Sign and save")
    file = waiting.value.path()
    assert re.fullmatch(r"conclave-report-\d{4}-\d\d-\d\d\.json", waiting.value.suggested_filename)
    saved = guest.page.get_by_role("alertdialog", name="The report is saved.")
    expect(saved.locator(".words b")).to_have_count(6)
    words = " ".join(saved.locator(".words b").all_inner_texts())
    assert_accessible(guest.page, "the report is saved")
    guest.press("Done")
    sent = [request for request in guest.requests[requests:] if request.method != "GET"]
    assert not sent, "a report is uploaded nowhere"

    text = file.read_text("utf-8")
    report = json.loads(text)
    assert report["reporter"]["name"] == guest.name
    assert report["reporter"]["account_key"] is None
    assert [one["name"] for one in report["about"]] == [rude.name]
    assert {one["name"] for one in report["people"]} == {host.name, guest.name, rude.name}
    assert report["about"][0]["came"] == "link"
    assert [line["text"] for line in report["chat"]] == ["", "and nobody likes you"]
    events = [(event["type"], event["what"]) for event in report["events"]]
    assert ("joined", None) in events
    assert ("deleted", "you fool") in events
    (picture,) = report["pictures"]
    assert base64.urlsafe_b64decode(picture["jpeg"] + "==").startswith(b"\xff\xd8\xff")
    assert picture["who"] == report["about"][0]["identity"]
    assert room.split("#")[1].split(".")[1] not in text, "the link's key is nobody else's affair"

    # Anybody, without an account, on a device that was not there.
    reader = people("Head teacher")
    reader.open(f"{own_product.url}/report")
    assert_accessible(reader.page, "no report yet")
    _choose(reader.page, file)
    expect(reader.page.get_by_text("The signature is good.")).to_be_visible()
    expect(reader.page.locator(".report__words")).to_have_text(words)
    about = reader.page.get_by_role("region", name="Whom it is about")
    expect(about).to_contain_text(rude.name)
    events_shown = reader.page.get_by_role("region", name="The last minute")
    expect(events_shown).to_contain_text("deleted a message; it was: you fool")
    canvas = reader.page.get_by_role("img", name=f"Picture of {rude.name}")
    assert canvas.evaluate(
        "canvas => new Set(canvas.getContext('2d')"
        ".getImageData(0, 0, canvas.width, canvas.height).data).size > 8"
    ), "the picture is drawn"
    assert_accessible(reader.page, "a good report")

    # One letter changed: nothing of it is shown.
    changed = tmp_path / "changed.json"
    changed.write_text(text.replace("He was rude.", "He was kind."), "utf-8")
    _choose(reader.page, changed)
    expect(reader.page.get_by_text("The signature is not good.")).to_be_visible()
    expect(about).to_have_count(0)
    expect(reader.page.get_by_text("He was")).to_have_count(0)
    assert_accessible(reader.page, "an altered report")
    # Put onto the page, it is the same file.
    reader.page.evaluate(_DROP_SCRIPT, [text, "dropped.json"])
    expect(reader.page.get_by_text("dropped.json")).to_be_visible()
    expect(reader.page.get_by_text("The signature is good.")).to_be_visible()
    assert not [one for one in reader.requests if one.method != "GET"], "the file stays here"
    reader.assert_stayed_home()
    guest.assert_stayed_home()
