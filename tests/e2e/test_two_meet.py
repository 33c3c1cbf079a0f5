"""The shortest whole story: an operator link, one press, a guest link, two people in one room."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.e2e.product import Product

pytestmark = pytest.mark.browser


def test_two_people_meet_from_a_fresh_start(
    own_product: Product, people: Callable[..., Person]
) -> None:
    hanna = people("Hanna Vogel", tone=523.0)
    jonas = people("Jonas Weber", tone=784.0)

    assert own_product.operator_link is not None
    hanna.become_operator(own_product.operator_link)
    guest_link = hanna.start_room()
    hanna.join()
    jonas.join(guest_link)

    hanna.expect_moving("Jonas Weber")
    jonas.expect_moving("Hanna Vogel")
    hanna.expect_hearing([784.0], silent=[523.0])
    jonas.expect_hearing([523.0], silent=[784.0])
    assert_figures(jonas, of="Hanna Vogel")

    jonas.press("Leave")
    expect(hanna.tile("Jonas Weber")).to_have_count(0)
    expect(jonas.page.get_by_role("heading")).to_contain_text("You left")

    other = people("Somebody Else")
    other.open(own_product.operator_link)
    expect(other.page.get_by_text("conclave operator-link")).to_be_visible()
    assert own_product.stop() == 0


def assert_figures(person: Person, *, of: str) -> None:
    """The panel that answers "is it me?" counts what is sent, and what is received of `of`."""
    person.page.locator("#main").focus()
    person.page.keyboard.press("s")
    panel = person.page.get_by_role("complementary", name="Connection")
    picture = re.compile(r"^Camera VP8 \d+.\d+ \d+ [\d,]+ ")
    sent = panel.get_by_role("table", name="What you send")
    expect(sent.get_by_role("row", name=picture).first).to_be_visible()
    received = panel.get_by_role("table", name="What you receive")
    expect(received.get_by_role("row", name=of)).to_be_visible()
    expect(received.get_by_role("row", name=picture)).to_be_visible()
    expect(panel.locator(".overview dd").first).to_have_text(re.compile(r"^[\d.]+ [kM]bit/s$"))
    person.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
