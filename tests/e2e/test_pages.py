"""Every page as it is met: nothing for axe to find, nothing wider than the screen, at home only.

Light and dark, 1440 px and 390 px wide, English and German; no sideways scrolling at 320 px.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e.person import Person
from tests.e2e.product import Product

pytestmark = pytest.mark.browser

LOOKS = [
    pytest.param({"dark": dark, "phone": phone, "language": language}, id=name)
    for name, dark, phone, language in (
        ("desktop-light-en", False, False, "en-GB"),
        ("desktop-dark-de", True, False, "de-DE"),
        ("phone-light-de", False, True, "de-DE"),
        ("phone-dark-en", True, True, "en-GB"),
    )
]
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    }
}


# Colours are judged when nothing fades any more; voice bars may go on.
_STILL_SCRIPT = """
() => Promise.allSettled(
  document.getAnimations()
    .filter((animation) => animation.effect?.getComputedTiming().iterations !== Infinity)
    .map((animation) => animation.finished))
"""


def assert_accessible(page: Page, what: str) -> None:
    expect(page.get_by_role("heading", level=1).first).to_be_attached()
    # A sheet is hidden for a moment before it comes in; axe takes it for none then.
    expect(page.locator(".scrim[data-entering], .scrim[style*='opacity']")).to_have_count(0)
    page.evaluate("document.fonts.ready")
    page.evaluate(_STILL_SCRIPT)
    results = Axe().run(page, options=RULES)
    assert results.violations_count == 0, f"{what}: {results.generate_report()}"
    width = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert width[0] <= width[1], f"{what} is wider than the screen"


# Both ends of each switch: what lies over it, or is beside the screen, takes the press.
_COVERED_SCRIPT = """
async () => {
  const covered = () => [...document.querySelectorAll('.bar button, .top button')]
    .filter((button) => {
      const { left, right, top } = button.getBoundingClientRect();
      return [left + 4, right - 4].some((x) =>
        !button.contains(document.elementFromPoint(x, top + 20)));
    })
    .map((button) => button.getAttribute('aria-label') ?? button.innerText);
  // The tiles are placed anew some frames after the window has changed.
  for (let frame = 0; frame < 120 && covered().length > 0; frame += 1) {
    await new Promise(requestAnimationFrame);
  }
  return covered();
}
"""


def assert_bars_whole(page: Page, what: str) -> None:
    covered = page.evaluate(_COVERED_SCRIPT)
    assert covered == [], f"{what} leaves no place for {covered}"


@pytest.mark.parametrize("look", LOOKS)
def test_pages_around_a_meeting(
    product: Product, people: Callable[..., Person], look: dict[str, object]
) -> None:
    visitor = people("Visitor", **look)
    for path in ("/", "/nothing-here", "/m/mtg_unknown", "/operator#wrong"):
        visitor.open(product.url + path)
        expect(visitor.page.get_by_role("heading", level=1)).to_be_visible()
        assert_accessible(visitor.page, path)


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_a_meeting(
    own_product: Product, people: Callable[..., Person], look: dict[str, object]
) -> None:
    german = str(look["language"]).startswith("de")
    host = people("Hanna Vogel")
    assert own_product.operator_link is not None
    host.become_operator(own_product.operator_link)
    assert_accessible(host.page, "start")
    link = host.start_room()
    assert_accessible(host.page, "pre-join")
    host.join()
    assert_accessible(host.page, "alone in the room")

    guest = people("Jonas Weber", **look)
    guest.open(link)
    name = guest.page.get_by_label("Ihr Name" if german else "Your name")
    expect(name).to_be_visible()
    assert_accessible(guest.page, "pre-join")
    guest.page.set_viewport_size({"width": 320, "height": 640})
    assert_accessible(guest.page, "pre-join at 320 px")
    guest.page.set_viewport_size(
        {"width": 390, "height": 844} if look["phone"] else {"width": 1440, "height": 900}
    )
    name.fill("Jonas Weber")
    guest.press("Eintreten" if german else "Join", exact=True)
    guest.expect_moving("Hanna Vogel")
    assert_accessible(guest.page, "meeting")
    guest.press("Personen" if german else "People")
    assert_accessible(guest.page, "people")
    if not look["phone"]:
        for width in (1280, 1250, 1240, 1024, 848):
            guest.page.set_viewport_size({"width": width, "height": 768})
            assert_bars_whole(guest.page, f"a panel in {width} px")
        guest.page.set_viewport_size({"width": 1440, "height": 900})
    guest.page.keyboard.press("Escape")
    guest.page.locator("#main").focus()
    guest.page.keyboard.press("s")
    received = "Was Sie empfangen" if german else "What you receive"
    expect(guest.page.get_by_role("table", name=received)).to_be_visible()
    assert_accessible(guest.page, "figures")
    guest.page.keyboard.press("Escape")
    guest.press(("Raus" if look["phone"] else "Verlassen") if german else "Leave")
    expect(guest.page.get_by_role("heading", level=1)).to_be_visible()
    assert_accessible(guest.page, "left")
