"""Fixtures of the browser tests: the product, one Chromium, and people in contexts of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.e2e.client_page import build
from tests.e2e.frames_page import keyed_product, page_of
from tests.e2e.person import Person
from tests.e2e.product import Product

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    # Two cameras, several microphones; five frames a second leave room for many on two cores.
    "--use-fake-device-for-media-stream=device-count=2,fps=5",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    "--auto-accept-this-tab-capture",
    "--auto-select-desktop-capture-source=conclave",
]


def launch(playwright: Playwright, *, executable: str | None = None) -> Browser:
    chromium = executable or shutil.which("chromium")
    assert chromium, "the browser tests need Chromium: apt-get install chromium"
    return playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS, timeout=60_000)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One server for all tests that do not stop it."""
    product = Product(tmp_path_factory.mktemp("product") / "data")
    product.start()
    yield product
    product.close()


@pytest.fixture
def own_product(tmp_path: Path) -> Iterator[Product]:
    """A server that the test may stop, kill and start again."""
    product = Product(tmp_path / "data")
    product.start()
    yield product
    product.close()


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A server of the file's own that takes tokens of an API key."""
    with keyed_product(tmp_path_factory.mktemp("keyed") / "data") as product:
        yield product


@pytest.fixture(scope="module")
def client_url(keyed: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where `keyed` serves the bare page with livekit-client (`client_page.py`)."""
    folder = tmp_path_factory.mktemp("page")
    build(folder)
    with page_of(folder, keyed) as address:
        yield address


@pytest.fixture
def namespace() -> Iterator[str]:
    """A network of the test's own with nothing but loopback in it, to cut and to block."""
    name = f"conclave-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False)


@pytest.fixture
def browser_in(playwright: Playwright, tmp_path: Path) -> Iterator[Callable[[str], Browser]]:
    """Launch a Chromium inside a namespace."""
    launched: list[Browser] = []

    def launch_in(namespace: str) -> Browser:
        wrapper = tmp_path / "chromium-in-namespace"
        wrapper.write_text(
            f'#!/bin/sh\nexec ip netns exec {namespace} {shutil.which("chromium")} "$@"\n'
        )
        wrapper.chmod(0o755)
        browser = launch(playwright, executable=str(wrapper))
        launched.append(browser)
        return browser

    yield launch_in
    for browser in launched:
        browser.close()


@pytest.fixture
def people(browser: Browser) -> Iterator[Callable[..., Person]]:
    """Make people: each has a context, a page and a tone of its own; none may ask another host."""
    made: list[Person] = []

    def make(name: str, **options: object) -> Person:
        person = Person(options.pop("browser", browser), name, **options)  # type: ignore[arg-type]
        made.append(person)
        return person

    yield make
    for person in made:
        person.close()
    for person in made:
        person.assert_stayed_home()
