"""Three people in one room: everything that a meeting can do, seen and heard by the other two."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.e2e.product import Product

pytestmark = pytest.mark.browser

Trio = tuple[Person, Person, Person]
TONES = {"Hanna Vogel": 440.0, "Jonas Weber": 660.0, "Aylin Demir": 880.0}


@pytest.fixture
def trio(own_product: Product, people: Callable[..., Person]) -> Trio:
    hanna, jonas, aylin = (people(name, tone=tone) for name, tone in TONES.items())
    assert own_product.operator_link is not None
    hanna.become_operator(own_product.operator_link)
    link = hanna.start_room()
    hanna.join()
    jonas.join(link)
    aylin.join(link)
    return hanna, jonas, aylin


def test_everybody_sees_and_hears_both_others(trio: Trio) -> None:
    for person in trio:
        others = [other for other in trio if other is not person]
        person.expect_moving(*(other.name for other in others))
        person.expect_hearing([other.tone for other in others], silent=[person.tone])


def test_mute_camera_device_share_leave_remove_end(trio: Trio) -> None:
    hanna, jonas, aylin = trio
    for person in trio:
        person.expect_moving(*(other.name for other in trio if other is not person))

    # Mute is silence for both others, and a mark at the name.
    jonas.press("Mute", exact=True)
    expect(hanna.tile("Jonas Weber").get_by_text("muted")).to_be_attached()
    hanna.expect_hearing([880.0], silent=[660.0])
    aylin.expect_hearing([440.0], silent=[660.0])
    jonas.press("Unmute", exact=True)
    hanna.expect_hearing([660.0, 880.0])

    # Without a camera there is a monogram; with it the picture moves again.
    aylin.press("Stop video")
    expect(hanna.tile("Aylin Demir").locator("video")).to_have_count(0)
    expect(hanna.tile("Aylin Demir")).to_contain_text("AD")
    aylin.press("Start video")
    hanna.expect_moving("Aylin Demir")

    # Another microphone while the meeting runs.
    jonas.press("Choose microphone and speaker")
    choices = jonas.page.get_by_role("menuitemradio", name=re.compile("Fake Audio Input"))
    choices.last.click()
    jonas.page.keyboard.press("Escape")
    hanna.expect_hearing([660.0, 880.0])

    # A shared screen is large for everyone and ends.
    jonas.press("Share", exact=True)
    shared = hanna.page.get_by_role("figure")
    expect(shared.locator("video")).to_be_visible()
    jonas.press("Stop sharing")
    expect(shared).to_have_count(0)

    # The host takes one out: that person learns it, the others go on.
    hanna.press(re.compile("^People"))
    hanna.press("Actions for Aylin Demir")
    hanna.page.get_by_role("menuitem", name="Remove from the room").click()
    hanna.page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    expect(aylin.page.get_by_role("heading", name="You were taken out")).to_be_visible()
    expect(jonas.tile("Aylin Demir")).to_have_count(0)
    jonas.expect_moving("Hanna Vogel")

    # The end is the end for everyone, and the link is dead.
    hanna.press("Leave")
    hanna.press("End for everyone")
    expect(jonas.page.get_by_role("heading", name="The meeting has ended")).to_be_visible()
    jonas.page.reload()
    expect(jonas.page.get_by_label("Your name")).to_have_count(0)
