"""Words through everything that people say in a meeting, then sought in all that the server has.

They are sought as they are and in base64, in what passed its sockets and requests, in a capture of
all packets, in its data folder, its log and its memory. That somebody without the key hears no tone
and sees no picture in the media which the server carries is shown in test_frames.py.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.capture import Capture
from tests.e2e.person import Person
from tests.e2e.product import Product

pytestmark = pytest.mark.browser

TITLE = "Umbrella xenolith"
HOST, GUEST, KNOCKING = "Xanthippe Quill", "Zebulon Quartz", "Yolanda Quasar"
WRITTEN = "velvet hippopotamus"
EDITED = "brass xylophone"
REPLY = "quilted kumquat"
PRIVATE = "private marmalade"
DELETED = "vanishing zeppelin"


def _act(person: Person, text: str, action: str) -> None:
    """An action of a message's menu."""
    line = person.message(text).first
    line.hover()
    line.get_by_role("button", name="Actions for this message").click()
    person.page.get_by_role("menuitem", name=action, exact=True).click()


def _meet_and_talk(
    product: Product, browser: Browser, people: Callable[..., Person]
) -> tuple[list[Person], list[str]]:
    """The people, and the secrets that are not said but shown."""
    host, guest, knocking = (people(name, browser=browser) for name in (HOST, GUEST, KNOCKING))
    assert product.operator_link is not None
    host.become_operator(product.operator_link)
    host.page.get_by_label("What is it about? (optional)").fill(TITLE)
    link = host.start_room()
    host.join()
    guest.join(link)
    guest.expect_sealed()

    for person in (host, guest):
        person.open_chat()
    host.write(WRITTEN)
    expect(guest.message(WRITTEN)).to_be_visible()
    _act(guest, WRITTEN, "Reply")
    guest.write(REPLY)
    _act(guest, WRITTEN, "Heart")
    expect(host.page.get_by_role("button", name=f"Heart by {GUEST}")).to_be_visible()
    _act(host, WRITTEN, "Edit")
    expect(host.page.get_by_text("Edit your message")).to_be_visible()
    host.page.get_by_role("textbox", name="Message").fill(EDITED)
    host.press("Save", exact=True)
    expect(guest.message(EDITED).first).to_be_visible()
    host.write(DELETED)
    _act(host, DELETED, "Delete")
    expect(guest.message(DELETED)).to_have_count(0)
    guest.write(PRIVATE, only_to=HOST)
    expect(host.message(PRIVATE)).to_be_visible()
    guest.press("Raise hand")
    expect(host.tile(GUEST).get_by_text("Hand raised")).to_be_attached()
    guest.press("React")
    guest.press("Applause")
    expect(host.page.get_by_role("list", name="Reactions")).to_contain_text(GUEST)

    knocking.open(link.partition("#")[0])
    knocking.page.get_by_label("Your name").fill(KNOCKING)
    knocking.press("Join", exact=True)
    words = knocking.page.locator(".lobby__words b").inner_text()
    host.press("Look")
    host.press("Admit as guest: Somebody without the whole link")
    knocking.expect_sealed()
    expect(host.tile(KNOCKING).first).to_be_visible()
    code, _ = host.codes()
    secret = link.partition("#1.")[2].partition(".")[0]
    return [host, guest, knocking], [words, code, secret]


def test_the_server_has_nothing_of_it(
    tmp_path: Path,
    namespace: str,
    browser_in: Callable[[str], Browser],
    people: Callable[..., Person],
) -> None:
    product = Product(tmp_path / "data", namespace=namespace)
    with Capture(namespace) as capture:
        product.start()
        try:
            present, shown = _meet_and_talk(product, browser_in(namespace), people)
            memory = _memory_of(product.pid)
        finally:
            product.close()

    frames = [frame for person in present for frame in person.frames_seen]
    requests = [request for person in present for request in person.requests]
    files = [path.read_bytes() for path in product.data_dir.rglob("*") if path.is_file()]
    places = {
        "sockets": b"\0".join(f.encode() if isinstance(f, str) else f for f in frames),
        "requests": b"\0".join(
            part for each in requests for part in (each.post_data_buffer or b"", each.url.encode())
        ),
        "packets": b"\0".join(capture.packets),
        "data folder": b"\0".join(files),
        "log": product.log().encode(),
        "memory": memory,
    }
    assert not capture.foreign(), "a packet was meant for another host"
    for place in ("sockets", "requests", "packets", "data folder", "memory"):
        assert b"mtg_" in places[place], f"the search would find something in the {place}"
    said = [TITLE, HOST, GUEST, KNOCKING, WRITTEN, EDITED, REPLY, PRIVATE, DELETED]
    for canary in [*said, *shown]:
        for form in _forms(canary):
            for place, content in places.items():
                assert form not in content, f"{canary!r} is in the server's {place}"


def _forms(text: str) -> list[bytes]:
    """The text itself, and what is sure to be in the base64 of anything that holds it."""
    raw = text.encode()
    forms = [raw, text.encode("utf-16-le")]
    for before in range(3):
        # Whole groups of three bytes alone do not depend on what stands beside them.
        inner = raw[-before % 3 :] if before else raw
        inner = inner[: len(inner) // 3 * 3]
        forms += [base64.b64encode(inner), base64.urlsafe_b64encode(inner)]
    return forms


def _memory_of(pid: int) -> bytes:
    """Everything that the process has written to and still holds."""
    found = []
    with Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(edge, 16) for edge in span.split("-"))
            try:
                memory.seek(start)
                found.append(memory.read(end - start))
            except (OSError, ValueError, OverflowError):
                continue  # a part that cannot be read from outside ([vvar] and the like)
    return b"\0".join(found)
