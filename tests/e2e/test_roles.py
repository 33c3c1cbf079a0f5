"""A class: who teaches gives the floor, pupils ask for it, and nobody gets around it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.e2e.product import Product
from tests.e2e.test_pages import assert_accessible

pytestmark = pytest.mark.browser


def test_the_floor_is_asked_for_given_and_taken_back(
    own_product: Product, people: Callable[..., Person]
) -> None:
    teacher = people("Hanna Vogel", tone=500.0)
    assert own_product.operator_link is not None
    teacher.become_operator(own_product.operator_link)
    room = teacher.start_room()
    teacher.join(room)
    ada = people("Ada Lind", tone=700.0)
    ben = people("Ben Claus", tone=1100.0, phone=True, dark=True, language="de-DE")
    ada.join(room)
    ben.page.goto(room)
    ben.page.get_by_label("Ihr Name").fill(ben.name)
    ben.press("Eintreten", exact=True)
    expect(ben.button("Raus")).to_be_visible()
    teacher.expect_hearing([700.0, 1100.0])

    teacher.press("People")
    teacher.press("Rules of the room…")
    rules = teacher.page.get_by_role("dialog", name="Rules of the room")
    rules.get_by_text("Class", exact=True).click()
    expect(rules.get_by_role("radio", name="Class")).to_be_checked()
    expect(rules.get_by_role("switch", name="speak")).not_to_be_checked()
    assert_accessible(teacher.page, "the rules of the room")
    rules.get_by_role("button", name="Done").click()

    # Nobody is heard but who teaches, and the buttons say what a press does.
    expect(ada.button("Ask to speak")).to_be_visible()
    expect(ben.button("Ums Wort bitten")).to_be_visible()
    teacher.expect_hearing([], silent=[700.0, 1100.0])
    ben.expect_hearing([500.0], silent=[700.0])
    expect(ada.button("Share", exact=True)).to_have_attribute("aria-disabled", "true")
    ada.open_chat()
    expect(ada.button("To Hanna Vogel only")).to_be_visible()
    ada.page.get_by_role("textbox", name="Message").fill("May I say something?")
    ada.press("Send", exact=True)
    expect(ada.message("May I say something?")).to_be_visible()
    assert_accessible(ben.page, "without the floor, on a phone")

    ben.press("Ums Wort bitten")
    ada.press("Ask to speak")
    line = teacher.page.get_by_role("region", name="Who wants to speak")
    expect(line.get_by_role("button", name=re.compile("^Give"))).to_have_count(2)
    assert_accessible(teacher.page, "who wants to speak")
    line.get_by_role("button", name="Give Ben Claus the floor").click()
    expect(ben.page.get_by_text("Sie haben das Wort.", exact=False).first).to_be_visible()
    ben.press("Ton an")
    for other in (teacher, ada):
        other.expect_hearing([1100.0])
    teacher.press("Take the floor back from Ben Claus")
    expect(ben.page.get_by_text("Sie dürfen gerade nicht sprechen.").first).to_be_visible()
    ada.expect_hearing([500.0], silent=[1100.0])

    # One who presents may everything, whatever the rules say.
    teacher.press("Actions for Ada Lind")
    teacher.page.get_by_role("menuitem", name="What they may do…").click()
    rights = teacher.page.get_by_role("dialog", name="What Ada Lind may do")
    rights.get_by_text("Presenter", exact=True).click()
    expect(rights.get_by_role("switch", name="speak")).to_be_checked()
    assert_accessible(teacher.page, "one person's rights")
    rights.get_by_role("button", name="Done").click()
    ada.press("Unmute")
    ben.expect_hearing([700.0])

    # Who leads leaves, and somebody else leads on.
    teacher.press("Leave", exact=True)
    leaving = teacher.page.get_by_role("dialog", name="Leave the room?")
    leaving.get_by_text("Ada Lind", exact=True).click()
    assert_accessible(teacher.page, "handing over")
    leaving.get_by_role("button", name="Leave", exact=True).click()
    ada.press("People")
    expect(ada.button("Rules of the room…")).to_be_visible()
    for person in (teacher, ada, ben):
        person.assert_stayed_home()


def test_deny_and_keep_out(own_product: Product, people: Callable[..., Person]) -> None:
    host = people("Hanna Vogel")
    assert own_product.operator_link is not None
    host.become_operator(own_product.operator_link)
    room = host.start_room()
    host.join(room)
    host.press("People")
    host.press("Lock the room")
    expect(host.button("Unlock the room")).to_be_visible()
    tom = people("Tom")
    _knock(tom, room)
    host.press("More for Tom")
    host.page.get_by_role("menuitem", name="Deny and keep out").click()
    refused = tom.page.get_by_role("heading", name="You were not let in.")
    expect(refused).to_be_visible()
    _knock(tom, room)
    expect(refused).to_be_visible()
    expect(host.button("More for Tom")).to_have_count(0)
    host.press("Rules of the room…")
    expect(host.page.get_by_text("1 device is kept out.")).to_be_visible()
    host.press("Let them knock again…")
    host.press("Yes, let them knock again")
    host.page.get_by_role("dialog").get_by_role("button", name="Done").click()
    _knock(tom, room)
    expect(host.button("More for Tom")).to_be_visible()


def _knock(person: Person, room: str) -> None:
    person.open("about:blank")  # the same address again would be no new page
    person.open(room)
    person.page.get_by_label("Your name").fill(person.name)
    person.press("Join", exact=True)
