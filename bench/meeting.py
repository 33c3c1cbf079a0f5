"""A sealed meeting in the product's own pages: a host who is in, guests who come by the link."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from playwright.sync_api import Browser, BrowserContext, Page
from servers import Server

# Waits for the first picture of somebody else after the click; runs in the product's page.
CLICK_JOIN = """
(patience) => new Promise((resolve, reject) => {
  const button = [...document.querySelectorAll('button')]
    .find((candidate) => candidate.textContent.trim() === 'Join');
  if (!button) { reject(new Error('no Join button')); return; }
  const watched = new WeakSet();
  let start = 0;
  const timer = setTimeout(() => reject(new Error('no picture after Join')), patience);
  const look = () => {
    for (const video of document.querySelectorAll('.tile[data-identity] video')) {
      const stream = video.srcObject;
      if (watched.has(video) || !stream) continue;
      watched.add(video);
      video.requestVideoFrameCallback(() => {
        clearTimeout(timer);
        observer.disconnect();
        resolve(performance.now() - start);
      });
    }
  };
  const observer = new MutationObserver(look);
  observer.observe(document.body, { childList: true, subtree: true, attributes: true });
  const poll = setInterval(() => { look(); }, 5);
  setTimeout(() => clearInterval(poll), patience);
  start = performance.now();
  button.click();
})
"""


def _context(browser: Browser, script: str | None) -> BrowserContext:
    context = browser.new_context(locale="en-GB", permissions=["camera", "microphone"])
    if script is not None:
        context.add_init_script(script)
    return context


@contextlib.contextmanager
def room(
    browser: Browser, server: Server, *, devices: bool = True, script: str | None = None
) -> Iterator[tuple[Page, str]]:
    """The host's page and the guest link. Without `devices` the host sends nothing."""
    assert server.operator_link is not None
    context = _context(browser, script)
    try:
        host = context.new_page()
        host.goto(server.operator_link)
        host.get_by_role("button", name="Start a room now").click()
        host.wait_for_url(re.compile(r"/m/mtg_"))
        whole_link = host.locator(".door__link", has_text="#1.")
        whole_link.wait_for()
        link = whole_link.inner_text()
        _enter(host, "Host", devices=devices)
        host.get_by_role("button", name="Join", exact=True).click()
        host.get_by_role("button", name="Leave").wait_for()
        host.wait_for_timeout(2_000)
        yield host, link
    finally:
        context.close()


@contextlib.contextmanager
def guest(
    browser: Browser, link: str, name: str = "Guest", *, script: str | None = None
) -> Iterator[Page]:
    """A guest's page at the door, ready to press Join. `script` runs before the page's own."""
    context = _context(browser, script)
    try:
        page = context.new_page()
        page.goto(link)
        _enter(page, name, devices=True)
        # The preview is running when people press Join.
        page.wait_for_timeout(1_500)
        yield page
    finally:
        context.close()


def click_join(browser: Browser, link: str, patience_ms: int) -> float:
    """Milliseconds from a new guest's click on Join to the first picture; they leave again."""
    with guest(browser, link) as page:
        return float(page.evaluate(CLICK_JOIN, patience_ms))


def _enter(page: Page, name: str, *, devices: bool) -> None:
    field = page.get_by_label("Your name")
    field.wait_for()
    field.fill(name)
    if not devices:
        for off in ("Mute", "Stop video"):
            page.get_by_role("button", name=off, exact=True).click()
