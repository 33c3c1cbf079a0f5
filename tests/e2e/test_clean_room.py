"""A host stops everything, takes out who does not belong there, and goes on."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.e2e.product import Product
from tests.e2e.test_pages import assert_accessible

pytestmark = pytest.mark.browser

FREEZE = "Control+Shift+Backspace"


def test_first_stop_then_ask_then_out(own_product: Product, people: Callable[..., Person]) -> None:
    host = people("Hanna Vogel")
    assert own_product.operator_link is not None
    host.become_operator(own_product.operator_link)
    room = host.start_room()
    host.join(room)
    friend, intruder = people("Jonas Weber"), people("xX_tom_Xx")
    for person in (friend, intruder):
        person.join(room)
        host.expect_moving(person.name)
    friend.expect_moving(intruder.name)
    intruder.open_chat()
    intruder.write("ha ha")
    expect(host.button("Chat, 1 new")).to_be_visible()

    # One press, and nobody sees anything of anybody who does not lead.
    host.page.keyboard.press(FREEZE)
    dialog = host.page.get_by_role("alertdialog", name="Clean the room?")
    expect(dialog).to_be_visible()
    stopped = "The host has stopped everything for a moment."
    for person in (friend, intruder):
        expect(person.page.locator(".banner").filter(has_text=stopped)).to_be_visible()
    for person, other in ((friend, intruder), (intruder, friend)):
        expect(person.tile(other.name).locator("video")).to_have_count(0)
    assert_accessible(host.page, "cleaning the room")
    # Both came by the link for everybody: the host keeps one of them.
    dialog.get_by_role("switch", name=re.compile("Jonas Weber")).check(force=True)
    host.press("Clean the room")
    expect(
        intruder.page.get_by_role("heading", name="You were taken out of the room.")
    ).to_be_visible()
    done = host.page.get_by_role("alertdialog", name="The room is clean.")
    expect(done).to_contain_text("1 person was taken out")
    assert_accessible(host.page, "the room is clean")
    with host.page.expect_download() as waiting:
        host.press("Save the report")
    report = waiting.value.path().read_text("utf-8")
    assert "xX_tom_Xx: Came by link" in report
    assert "ha ha" in report
    # Who stays gets a link of their own, in the chat, read by nobody else.
    host.press("Make new links for the people who stay")
    links = host.page.get_by_role("dialog", name="Personal links")
    opened = "The link for everybody was opened on 2 devices."
    expect(links.get_by_text(opened)).to_be_visible()
    assert_accessible(host.page, "new links")
    links.get_by_role("button", name="Make the new link").click()
    links.get_by_role("button", name="Send it privately").click()
    expect(links.get_by_text("The link was sent in the chat")).to_be_visible()
    assert_accessible(host.page, "new links are made")
    links.get_by_role("button", name="Done").click()
    friend.open_chat()
    told = friend.message("This is your new link to this meeting")
    expect(told).to_contain_text("only to you")
    personal = told.get_by_role("link").get_attribute("href")
    assert personal is not None
    assert re.search(r"#1\.[\w-]{22}\.[\w-]{22}\.[\w-]{22}$", personal)
    friend.page.keyboard.press("Escape")
    host.press("Go on with the meeting")
    host.press("People")
    expect(host.page.get_by_text(opened)).to_be_visible()
    expect(friend.page.locator(".banner").filter(has_text=stopped)).to_have_count(0)
    # It goes on with who has stayed, behind a locked door.
    friend.press("Start video")
    host.expect_moving(friend.name)
    # The new link is known for what it is at the door, whatever device comes with it first.
    again = people("Jonas at home")
    again.open(personal)
    expect(again.page.get_by_label("Your name")).to_have_value("Jonas Weber")
    # Whoever comes back by the link, on whatever device, knocks.
    late = people("Tom again")
    late.open(room)
    late.page.get_by_label("Your name").fill(late.name)
    late.press("Join", exact=True)
    expect(late.page.get_by_role("heading", name="You are at the door.")).to_be_visible()
