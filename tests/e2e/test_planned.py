"""A weekly lesson: planned by keyboard, in the calendar, with personal links, and there again after
everybody was sent home."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.person import Person
from tests.e2e.product import Product
from tests.e2e.test_pages import assert_accessible

pytestmark = pytest.mark.browser

MAY = ("camera", "microphone", "clipboard-read", "clipboard-write")

# Without sound and picture: five people have to fit onto one machine.
NO_DEVICES = """
navigator.mediaDevices.getUserMedia = () =>
  Promise.reject(new DOMException("none in this test", "NotFoundError"));
"""


def _tab_to(page: Page, selector: str) -> None:
    """From where the focus is, as somebody without a pointer."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement?.matches(wanted)", selector):
            return
    message = f"{selector} is not reached with the Tab key"
    raise AssertionError(message)


def _choose(page: Page, down: int) -> None:
    """The list that has the focus: open it and go down by so many."""
    page.keyboard.press("Enter")
    # Until one of its options has the focus, keys are for the list that is closed.
    expect(page.get_by_role("option").and_(page.locator(":focus"))).to_be_visible()
    for _ in range(down):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("listbox")).to_be_hidden()


def _plan_by_keyboard(host: Person) -> None:
    """Every week, three times, for invited people only."""
    page, keyboard = host.page, host.page.keyboard
    opener = host.button("Schedule", exact=True)
    expect(opener).to_be_visible()
    opener.focus()
    keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Plan a meeting")).to_be_visible()
    form = page.locator(".dialog")
    expect(form.get_by_label("Title")).to_be_focused()
    keyboard.insert_text("Violin lesson")
    assert_accessible(page, "planning, once")
    # What has passed is refused, calmly.
    _tab_to(page, "[role=spinbutton][data-type=year]")
    keyboard.type("2020")
    _tab_to(page, "button[type=submit]")
    keyboard.press("Enter")
    expect(form.get_by_text("This time has passed. Please choose a later one.")).to_be_visible()
    assert_accessible(page, "a time that has passed")
    for _ in range(40):
        if page.evaluate("document.activeElement?.dataset.type === 'year'"):
            break
        keyboard.press("Shift+Tab")
    keyboard.type(str(datetime.now(UTC).year + 1))
    _tab_to(page, "[role=combobox]")
    keyboard.insert_text("Berlin")
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(form.get_by_role("combobox", name="Time zone")).to_have_value("Europe/Berlin")
    expect(page.get_by_role("listbox")).to_be_hidden()
    _tab_to(page, "button[aria-haspopup=listbox]")
    _choose(page, 2)
    expect(form.get_by_role("group", name="On these days")).to_be_visible()
    _tab_to(page, "button[aria-haspopup=listbox]")
    _choose(page, 2)
    _tab_to(page, "input[inputmode=numeric]")
    keyboard.press("Control+A")
    keyboard.insert_text("3")
    _tab_to(page, "input[type=radio]")
    keyboard.press("ArrowRight")
    expect(form.get_by_role("radio", name="Only invited people")).to_be_checked()
    _tab_to(page, "textarea")
    keyboard.insert_text("Bring the scores.")
    assert_accessible(page, "planning a series")
    page.set_viewport_size({"width": 320, "height": 640})
    assert_accessible(page, "planning a series, at 320 px")
    page.set_viewport_size({"width": 1440, "height": 900})
    _tab_to(page, "button[type=submit]")
    keyboard.press("Enter")
    expect(page.get_by_role("heading", name="It is planned.")).to_be_visible()
    assert_accessible(page, "planned")


def _come_in(person: Person, link: str) -> None:
    _press_join(person, link)
    person.expect_sealed()


def _open_anew(person: Person, link: str) -> None:
    """The same address once more would load nothing."""
    person.open(link.partition("/m/")[0] + "/nothing-here")
    person.open(link)


def _press_join(person: Person, link: str) -> None:
    person.context.add_init_script(NO_DEVICES)
    _open_anew(person, link)
    expect(person.page.get_by_role("heading", name="Violin lesson")).to_be_visible()
    person.page.get_by_label("Your name").fill(person.name)
    person.press("Join", exact=True)


def test_a_weekly_lesson(
    own_product: Product, people: Callable[..., Person], tmp_path: Path
) -> None:
    host = people("Hanna Vogel", permissions=MAY)
    assert own_product.operator_link is not None
    host.become_operator(own_product.operator_link)
    _plan_by_keyboard(host)

    # The calendar file, as a calendar reads it.
    with host.page.expect_download() as downloading:
        host.press("Save calendar file")
    file = tmp_path / "lesson.ics"
    downloading.value.save_as(file)
    assert downloading.value.suggested_filename == "Violin-lesson.ics"
    raw = file.read_bytes().decode()
    assert all(len(line.encode()) <= 75 for line in raw.split("\r\n"))
    lines = raw.replace("\r\n ", "").split("\r\n")
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert "TZID:Europe/Berlin" in lines
    assert "SUMMARY:Violin lesson" in lines
    (start,) = (line for line in lines if line.startswith("DTSTART;TZID=Europe/Berlin:"))
    first = datetime.strptime(start.partition(":")[2], "%Y%m%dT%H%M%S")  # noqa: DTZ007
    weekday = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[first.weekday()]
    assert f"RRULE:FREQ=WEEKLY;BYDAY={weekday};COUNT=3" in lines
    (link,) = (line.partition(":")[2] for line in lines if line.startswith("URL:"))
    assert link.startswith(f"{own_product.url}/m/mtg_")
    assert "Bring the scores." in raw

    # Three by personal links.
    host.press("Personal links…")
    host.page.get_by_role("textbox", name="Names").fill("Anna Berg\nBen Claus\nCleo Dorn")
    host.press("Make 3 links")
    host.press("Copy names and links")
    copied = host.page.evaluate("navigator.clipboard.readText()").split("\n")
    links = dict(line.split(": ", 1) for line in copied)
    host.press("Done")

    row = host.page.locator("[data-planned]")
    expect(row).to_contain_text("Violin lesson")
    expect(row).to_contain_text(re.compile(r"Every week on \w+, 3 times"))
    expect(host.page.get_by_role("heading", name="Later")).to_be_visible()
    expect(host.page.get_by_role("heading", name="No room is open.")).to_be_visible()
    assert_accessible(host.page, "what is planned")

    # Nothing of it went to the server in words.
    sent = "".join(
        request.post_data or "" for request in host.requests if request.method in {"POST", "PUT"}
    )
    assert "Violin" not in sent
    assert "Berlin" not in sent
    assert "FREQ" not in sent

    # Who is invited sees when it is, and takes it home with their own link.
    anna = people("Anna Berg")
    anna.open(links["Anna Berg"])
    expect(anna.page.get_by_role("heading", name="Violin lesson")).to_be_visible()
    expect(anna.page.get_by_text(re.compile(r"^Europe/Berlin: "))).to_be_visible()
    expect(
        anna.page.get_by_text(re.compile(r"^It begins on .*You can come in earlier\.$"))
    ).to_be_visible()
    expect(anna.page.get_by_text("Bring the scores.")).to_be_visible()
    assert_accessible(anna.page, "the door of what is planned")
    anna.press("Save calendar file")
    expect(anna.page.get_by_text(re.compile("^It holds your personal link"))).to_be_visible()
    assert_accessible(anna.page, "what a calendar file gives away")
    with anna.page.expect_download() as downloading:
        anna.page.get_by_role("dialog").get_by_role("button", name="Save calendar file").click()
    own = tmp_path / "own.ics"
    downloading.value.save_as(own)
    assert f"URL:{links['Anna Berg']}" in own.read_text().replace("\n ", "")

    # The host begins early. Each comes by their own link; the third's was passed on before.
    host.context.add_init_script(NO_DEVICES)
    host.press("Open: Violin lesson")
    host.page.get_by_label("Your name").fill(host.name)
    host.press("Join", exact=True)
    host.expect_sealed()
    ben, thief = people("Ben Claus"), people("Kevin")
    for person, name in ((anna, "Anna Berg"), (ben, "Ben Claus"), (thief, "Cleo Dorn")):
        _come_in(person, links[name])
        expect(host.tile(person.name)).to_be_visible()
    cleo = people("Cleo Dorn")
    _press_join(cleo, links["Cleo Dorn"])
    expect(cleo.page.get_by_role("heading", name="You are at the door.")).to_be_visible()
    other = re.compile("^This link belongs to Cleo Dorn.s other device")
    expect(cleo.page.get_by_text(other)).to_be_visible()
    assert_accessible(cleo.page, "in front of what is planned")
    host.press("People")
    host.press("Admit as guest: Cleo Dorn")
    cleo.expect_sealed()

    # Everybody is sent home. The plan, the link and the personal links stay.
    host.press("Leave")
    expect(host.page.get_by_text("its link stays good for the next time")).to_be_visible()
    host.press("End for everyone")
    for person in (host, anna, ben, cleo):
        expect(person.page.get_by_role("heading", name="The meeting has ended.")).to_be_visible()
        expect(person.page.get_by_text("stays good for the next time")).to_be_visible()
    host.open(own_product.url)
    expect(row).to_contain_text("Violin lesson")

    # One date is left out, and the next one shows.
    host.press("More for Violin lesson")
    host.page.get_by_role("menuitem", name=re.compile("^Leave out ")).click()
    host.press("Leave it out")
    expect(host.page.get_by_text(re.compile(r" is left out\.$"))).to_be_visible()
    second = first + timedelta(days=7)
    expect(row).to_contain_text(f"{second.day} {second:%B}")

    # The next time begins by the same links.
    host.press("Open: Violin lesson")
    host.page.get_by_label("Your name").fill(host.name)
    host.press("Join", exact=True)
    host.expect_sealed()
    _come_in(ben, links["Ben Claus"])
    expect(host.tile("Ben Claus")).to_be_visible()

    # Cancelled is cancelled, for who is in it too.
    page = host.context.new_page()
    page.goto(own_product.url)
    page.get_by_role("button", name="More for Violin lesson").click()
    page.get_by_role("menuitem", name="Cancel meeting").click()
    assert_accessible(page, "cancelling")
    page.get_by_role("button", name="Cancel the meeting").click()
    expect(
        page.get_by_text("Nothing planned. Start a room, or send someone your link.")
    ).to_be_visible()
    expect(ben.page.get_by_text("The link no longer opens the room.")).to_be_visible()
    _open_anew(anna, links["Anna Berg"])
    gone = anna.page.get_by_role("heading", name="There is no open room behind this link.")
    expect(gone).to_be_visible()


LOOKS = [
    pytest.param({"dark": True}, id="desktop-dark-en"),
    pytest.param({"phone": True, "language": "de-DE"}, id="phone-light-de"),
]


@pytest.mark.parametrize("look", LOOKS)
def test_ones_own_room(
    own_product: Product, people: Callable[..., Person], look: dict[str, object]
) -> None:
    german = "language" in look
    host = people("Hanna Vogel", permissions=MAY, **look)
    page = host.page
    assert own_product.operator_link is not None
    page.goto(own_product.operator_link)
    host.press("Meinen Raum anlegen" if german else "Make my room")
    copy = host.button("Link kopieren" if german else "Copy link", exact=True)
    copy.click()
    first = page.evaluate("navigator.clipboard.readText()")
    assert re.fullmatch(rf"{own_product.url}/m/mtg_\w+#1\.[\w-]{{22}}\.[\w-]{{22}}", first)
    assert_accessible(page, "one's own room")
    page.reload()
    copy.click()
    assert page.evaluate("navigator.clipboard.readText()") == first, "the link stays"

    # Who comes before the host waits.
    guest = people("Lena Fuchs", **look)
    guest.context.add_init_script(NO_DEVICES)
    guest.open(first)
    guest.page.get_by_label("Ihr Name" if german else "Your name").fill("Lena Fuchs")
    guest.press("Eintreten" if german else "Join", exact=True)
    door = "Sie stehen vor der Tür." if german else "You are at the door."
    expect(guest.page.get_by_role("heading", name=door)).to_be_visible()

    host.press("Neuer Link" if german else "New link")
    question = page.locator(".dialog")
    expect(question).to_be_visible()
    assert_accessible(page, "a new link")
    question.get_by_role("button", name="Neuer Link" if german else "New link").click()
    expect(question).to_be_hidden()
    copy.click()
    again = page.evaluate("navigator.clipboard.readText()")
    assert again != first
    ended = "Das Treffen ist zu Ende." if german else "The meeting has ended."
    expect(guest.page.get_by_role("heading", name=ended)).to_be_visible()
