"""What happened in a host's meeting: from its row, with names, and after its end without."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.e2e.product import Product
from tests.e2e.test_pages import assert_accessible

pytestmark = pytest.mark.browser


def test_a_host_looks_up_what_happened(own_product: Product, people: Callable[..., Person]) -> None:
    host = people("Hanna Vogel")
    assert own_product.operator_link is not None
    host.become_operator(own_product.operator_link)
    room = host.start_room()
    host.join(room)
    host.press("People")
    host.press("Invite")
    host.page.get_by_role("menuitem", name="Personal links").click()
    # While there are names to be lost it is an alert dialog.
    dialog = host.page.locator(".dialog")
    dialog.get_by_role("textbox", name="Names").fill("Leo Brandt")
    expect(dialog.get_by_text(re.compile(r"^A link for .Leo Brandt.\.$"))).to_be_visible()
    dialog.get_by_role("button", name="Make the link").click()
    dialog.get_by_role("button", name="More for Leo Brandt").click()
    host.page.get_by_role("menuitem", name="Take back").click()
    expect(dialog.get_by_text("Taken back", exact=True)).to_be_visible()
    dialog.get_by_role("button", name="Done").click()

    desk = host.context.new_page()
    desk.goto(own_product.url)
    desk.get_by_role("button", name=re.compile("What happened in the room")).click()
    acts = desk.get_by_role("list", name="What happened")
    taken_back = acts.get_by_role("listitem").filter(has_text="Personal link taken back")
    expect(taken_back).to_contain_text("personal link of")
    expect(taken_back).to_contain_text("Leo Brandt")
    assert_accessible(desk, "what happened")
    # Straight to the address, the server knows it for a page.
    answer = desk.goto(desk.url)
    assert answer is not None
    assert answer.status == 200

    desk.goto(own_product.url)
    desk.get_by_role("button", name=re.compile("^End for everyone")).click()
    desk.get_by_role("alertdialog").get_by_role("button", name="End for everyone").click()
    expect(desk.get_by_text("Nothing is open.")).to_be_visible()
    desk.get_by_role("link", name="What happened in your meetings").click()
    assert_accessible(desk, "one's own meetings")
    row = desk.get_by_role("listitem").filter(has_text="ended")
    row.get_by_role("link").click()
    expect(acts.get_by_text("Meeting ended", exact=True)).to_be_visible()
    expect(taken_back).to_be_visible()
