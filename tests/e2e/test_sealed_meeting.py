"""What people in a sealed room share, and what the server has of it: nothing.

Words, hands and names go from browser to browser; the door, the seal and its codes are tried as a
person would. What was said is sought in everything that the server holds in test_canary.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.e2e.product import Product

pytestmark = pytest.mark.browser

Trio = tuple[Person, Person, Person]


@pytest.fixture
def room(own_product: Product, people: Callable[..., Person]) -> tuple[Trio, str]:
    hanna, jonas, aylin = (people(name) for name in ("Hanna Vogel", "Jonas Weber", "Aylin Demir"))
    assert own_product.operator_link is not None
    hanna.become_operator(own_product.operator_link)
    link = hanna.start_room()
    hanna.join()
    jonas.join(link)
    aylin.join(link)
    for person in (hanna, jonas, aylin):
        person.expect_sealed()
        expect(person.page.locator(".tile[data-identity]")).to_have_count(2)
    return (hanna, jonas, aylin), link


def test_words_hands_and_codes(room: tuple[Trio, str]) -> None:
    (hanna, jonas, aylin), link = room
    fragment = link.partition("#")[2]
    for person in (hanna, jonas, aylin):
        assert fragment not in person.page.url, "the address bar shows no key"

    codes = [person.codes() for person in (hanna, jonas, aylin)]
    assert codes[0] == codes[1] == codes[2]
    assert len(codes[0][0].split()) == 8
    assert re.fullmatch(r"\d{30}", codes[0][1])

    hanna.open_chat()
    hanna.write("Good morning, see https://example.org/agenda")
    expect(jonas.button("Chat, 1 new")).to_be_visible()
    jonas.open_chat()
    aylin.open_chat()
    # A host's address may be followed, a guest's is plain text.
    expect(jonas.message("Good morning").get_by_role("link")).to_have_count(1)
    jonas.write("Mine: https://example.org/mine")
    expect(aylin.message("Mine:")).to_be_visible()
    expect(aylin.message("Mine:").get_by_role("link")).to_have_count(0)

    jonas.write("For your eyes", only_to="Hanna Vogel")
    expect(hanna.message("For your eyes").get_by_text("only to you")).to_be_visible()
    jonas.press("To Hanna Vogel only")
    jonas.page.get_by_role("menuitemradio", name="To everyone").click()
    jonas.write("For all again")
    expect(aylin.message("For all again")).to_be_visible()
    expect(aylin.message("For your eyes")).to_have_count(0)

    aylin.press("Raise hand")
    expect(hanna.tile("Aylin Demir").get_by_text("Hand raised, number 1 in line")).to_be_attached()
    jonas.press("Raise hand")
    expect(hanna.tile("Jonas Weber").get_by_text("Hand raised, number 2 in line")).to_be_attached()
    aylin.press("Lower hand")
    expect(hanna.tile("Jonas Weber").get_by_text("Hand raised, number 1 in line")).to_be_attached()

    jonas.press("React")
    jonas.press("Applause")
    expect(hanna.page.get_by_role("list", name="Reactions")).to_contain_text("Jonas Weber")


def test_a_reload_comes_back_without_the_door(room: tuple[Trio, str]) -> None:
    (hanna, jonas, aylin), _ = room
    before = hanna.codes()
    jonas.page.reload()
    jonas.join()
    jonas.expect_sealed()
    jonas.expect_moving("Hanna Vogel", "Aylin Demir")
    aylin.expect_moving("Jonas Weber")
    after = hanna.codes()
    assert before[0] == after[0], "the same room"
    assert before[1] != after[1], "another key"


def test_who_comes_without_the_key_waits_at_the_door(
    room: tuple[Trio, str], people: Callable[..., Person]
) -> None:
    (hanna, jonas, _), link = room
    lena = people("Lena Fuchs")
    lena.open(link.partition("#")[0])
    lena.page.get_by_label("Your name").fill(lena.name)
    lena.press("Join", exact=True)
    expect(lena.page.get_by_role("heading", name="You are at the door.")).to_be_visible()
    words = lena.page.locator(".lobby__words b").inner_text()
    expect(jonas.page.get_by_text("at the door")).to_have_count(0)

    hanna.press("Look")
    expect(hanna.page.get_by_text(f"Their screen shows: {words}")).to_be_visible()
    hanna.press("Admit as guest: Somebody without the whole link")
    lena.expect_sealed()
    lena.expect_moving("Hanna Vogel")
    expect(jonas.tile("Lena Fuchs")).to_be_visible()
    assert lena.codes() == jonas.codes()

    # Locked, nobody comes in with the link alone; a host may still let them in, or not.
    hanna.press("Lock the room")
    expect(hanna.button("Unlock the room")).to_be_visible()
    tom = people("Tom Klein")
    tom.open(link)
    tom.page.get_by_label("Your name").fill(tom.name)
    tom.press("Join", exact=True)
    expect(tom.page.get_by_role("heading", name="You are at the door.")).to_be_visible()
    hanna.press("Deny: Tom Klein")
    expect(tom.page.get_by_role("heading", name="You were not let in.")).to_be_visible()
