"""Personal links, from the host's list to the door: who comes in, who waits, whose link it was."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.person import Person
from tests.e2e.product import Product
from tests.e2e.test_pages import assert_accessible

pytestmark = pytest.mark.browser

MAY = ("camera", "microphone", "clipboard-read", "clipboard-write")


# Without sound and picture: seven people have to fit onto one machine.
NO_DEVICES = """
navigator.mediaDevices.getUserMedia = () =>
  Promise.reject(new DOMException("none in this test", "NotFoundError"));
"""


def _press_join(person: Person, link: str) -> None:
    person.context.add_init_script(NO_DEVICES)
    person.open(link)
    person.page.get_by_label("Your name").fill(person.name)
    person.press("Join", exact=True)


def _come_in(person: Person, link: str) -> None:
    _press_join(person, link)
    person.expect_sealed()


def _knock(person: Person, link: str) -> None:
    _press_join(person, link)
    expect(person.page.get_by_role("heading", name="You are at the door.")).to_be_visible()


def _open_links(host: Person) -> None:
    """The dialog, from inside the room."""
    host.press("Invite")
    host.page.get_by_role("menuitem", name="Personal links…").click()
    expect(host.page.get_by_role("switch", name=re.compile("^Only invited"))).to_be_visible()


def _tile(person: Person, name: str) -> Locator:
    return person.page.locator(".tile[data-identity]").filter(has_text=name)


def _row(page: Page, name: str) -> Locator:
    return page.locator("[data-invitation]").filter(has_text=name)


def test_who_is_invited_comes_in_and_a_link_that_was_passed_on_is_known(
    own_product: Product, people: Callable[..., Person]
) -> None:
    host = people("Hanna Vogel", permissions=MAY)
    assert own_product.operator_link is not None
    host.become_operator(own_product.operator_link)
    room = host.start_room()
    _come_in(host, room)
    host.press("People")
    _open_links(host)
    host.page.get_by_role("textbox", name="Names").fill(
        "Name,Class\nAnna Berg,5a\nBen Claus,5a\nCleo Dorn,5b\n"
    )
    expect(
        host.page.get_by_text(re.compile(r"^3 links: .Anna Berg., .Ben Claus., .Cleo Dorn.\.$"))
    ).to_be_visible()
    host.press("Make 3 links")
    host.press("Copy names and links")
    lines = host.page.evaluate("navigator.clipboard.readText()").split("\n")
    links = dict(line.split(": ", 1) for line in lines)
    assert list(links) == ["Anna Berg", "Ben Claus", "Cleo Dorn"]
    host.page.get_by_text("Only invited people come in by themselves").click()
    expect(host.page.get_by_role("switch", name=re.compile("^Only invited"))).to_be_checked()
    assert_accessible(host.page, "personal links")
    host.press("Done")

    # The first device keeps a link, whoever's it is.
    anna, ben, thief = people("Anna Berg"), people("Ben Claus"), people("Kevin")
    for person, link in ((anna, "Anna Berg"), (ben, "Ben Claus"), (thief, "Cleo Dorn")):
        _come_in(person, links[link])
        expect(_tile(host, person.name)).to_be_visible()
    lena = people("Lena Fuchs")
    _knock(lena, room)
    expect(host.page.get_by_text("Has the whole link")).to_be_visible()
    host.press("Deny: Lena Fuchs")
    expect(lena.page.get_by_role("heading", name="You were not let in.")).to_be_visible()

    cleo = people("Cleo Dorn")
    _knock(cleo, links["Cleo Dorn"])
    other = re.compile("^This link belongs to Cleo Dorn.s other device")
    expect(cleo.page.get_by_text(other)).to_be_visible()
    whose = re.compile("^Link passed on: Cleo Dorn.s personal link, on another device")
    expect(host.page.get_by_text(whose)).to_be_visible()
    assert_accessible(host.page, "a link that was passed on, at the door")
    _open_links(host)
    expect(_row(host.page, "Cleo Dorn")).to_contain_text("Link passed on")
    expect(_row(host.page, "Anna Berg")).to_contain_text("On their device since")
    assert_accessible(host.page, "a link that was passed on, in the list")
    host.press("Done")
    host.press("Admit as guest: Cleo Dorn")
    cleo.expect_sealed()
    expect(_tile(cleo, "Hanna Vogel")).to_be_visible()

    # One's own second device: one's first lets it in.
    tablet = people("Anna Berg")
    _knock(tablet, links["Anna Berg"])
    anna.press("Look")
    expect(ben.page.get_by_text("at the door")).to_have_count(0)
    anna.press(re.compile("^It.s my device: Anna Berg"))
    tablet.expect_sealed()
    expect(_tile(tablet, "Ben Claus")).to_be_visible()

    # What is taken back opens nothing, on no device.
    _open_links(host)
    host.press("More for Ben Claus")
    host.page.get_by_role("menuitem", name="Take back").click()
    expect(_row(host.page, "Ben Claus")).to_contain_text("Taken back")
    late = people("Ben again")
    late.open(links["Ben Claus"])
    gone = late.page.get_by_role("heading", name="This personal link has been taken back.")
    expect(gone).to_be_visible()
    assert_accessible(late.page, "a link that was taken back")


LOOKS = [
    pytest.param({"dark": True}, id="desktop-dark-en"),
    pytest.param({"phone": True, "language": "de-DE"}, id="phone-light-de"),
]


@pytest.mark.parametrize("look", LOOKS)
def test_the_dialog_by_keyboard_from_the_start_page(
    own_product: Product, people: Callable[..., Person], look: dict[str, object]
) -> None:
    german = "language" in look
    host = people("Hanna Vogel", permissions=MAY, **look)
    page = host.page
    keyboard = page.keyboard
    assert own_product.operator_link is not None
    page.goto(own_product.operator_link)
    host.button("Raum jetzt öffnen" if german else "Start a room now").click()
    page.wait_for_url(re.compile(r"/m/mtg_"))
    host.open(own_product.url)
    opener = host.button(re.compile("^Einladen" if german else "^Invite"))
    opener.focus()
    keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Persönliche Links" if german else "Personal links")
    expect(dialog).to_be_visible()
    assert_accessible(page, "nobody invited")
    names = page.get_by_role("textbox", name="Namen" if german else "Names")
    _tab_to(page, "textarea")
    keyboard.insert_text(
        "Anna Berg\n\u05e0\u05d5\u05e2\u05d4\n\u200b\nAnna Berg\nAnamewithoutanyspacesinit"
    )
    expect(names).not_to_be_empty()
    expect(page.get_by_text("Ausgelassen" if german else "Left out")).to_be_visible()
    _tab_to(page, "input[type=radio]")
    keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Mit-Leitung" if german else "Co-host")).to_be_checked()
    assert_accessible(page, "names typed")
    page.set_viewport_size({"width": 320, "height": 640})
    assert_accessible(page, "names typed, at 320 px")
    page.set_viewport_size(
        {"width": 390, "height": 844} if german else {"width": 1440, "height": 900}
    )
    _tab_to(page, "button[type=submit]")
    keyboard.press("Enter")
    rows = page.locator("[data-invitation]")
    expect(rows).to_have_count(3)
    assert_accessible(page, "three invited")

    _tab_to(page, f"[aria-label='{'QR-Code' if german else 'QR code'}: Anna Berg']")
    keyboard.press("Enter")
    code = page.get_by_role("img", name=re.compile("^QR"))
    expect(code).to_be_visible()
    assert_accessible(page, "a code")
    page.set_viewport_size({"width": 320, "height": 640})
    assert_accessible(page, "a code, at 320 px")
    keyboard.press("Escape")
    expect(code).to_be_hidden()
    more = f"{'Mehr zu' if german else 'More for'} Anna Berg"
    expect(
        page.locator(f"[aria-label='{'QR-Code' if german else 'QR code'}: Anna Berg']")
    ).to_be_focused()
    keyboard.press("Tab")
    expect(page.locator(f"[aria-label='{more}']")).to_be_focused()
    keyboard.press("Enter")
    expect(page.get_by_role("menu")).to_be_visible()
    keyboard.press("End")
    keyboard.press("Enter")
    expect(rows.filter(has_text="Zurückgezogen" if german else "Taken back")).to_have_count(1)
    _tab_to(page, ".dialog__acts button")
    keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()


def _tab_to(page: Page, selector: str) -> None:
    """From where the focus is, as somebody without a pointer."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement?.matches(wanted)", selector):
            return
    message = f"{selector} is not reached with the Tab key"
    raise AssertionError(message)
