"""A crowded door in a real browser: the page works for it in a worker, under the page's policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, WebSocket, expect

from tests.e2e.person import Person
from tests.e2e.product import Product
from tests.e2e.test_pages import assert_accessible

pytestmark = pytest.mark.browser


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Product]:
    """Only one knock a minute is for nothing."""
    product = Product(tmp_path / "data")
    product.environment["CONCLAVE_SEALING__FREE_KNOCKS_PER_MEETING"] = "1"
    product.start()
    yield product
    product.close()


def test_many_come_and_each_one_works_for_it(
    crowded: Product, people: Callable[..., Person]
) -> None:
    host = people("Hanna Vogel")
    assert crowded.operator_link is not None
    host.become_operator(crowded.operator_link)
    room = host.start_room()
    host.join(room)
    people("Jonas Weber").join(room)

    lena = people("Lena Fuchs")
    knocks: list[dict[str, Any]] = []

    def listen(socket: WebSocket) -> None:
        if socket.url.endswith("/sealing"):
            socket.on("framesent", lambda sent: knocks.append(json.loads(sent)))

    lena.page.on("websocket", listen)
    held: list[Route] = []

    def hold(route: Route) -> None:
        answer = route.fetch()
        if "conclave work v1" in answer.text():
            held.append(route)
        else:
            route.fulfill(response=answer)

    lena.page.route("**/assets/worker-*.js", hold)
    lena.open(room)
    lena.page.get_by_label("Your name").fill(lena.name)
    lena.press("Join", exact=True)
    crowd = lena.page.get_by_role("status").filter(has_text="Many people are coming at once")
    expect(crowd).to_be_visible()
    assert_accessible(lena.page, "a crowded door")
    assert len(held) == 1
    held[0].continue_()
    expect(lena.button("Leave")).to_be_visible()
    lena.expect_sealed()
    sent = [frame for frame in knocks if frame["t"] == "knock"]
    assert [set(frame.get("work", {})) for frame in sent] == [set(), {"challenge", "nonce"}]
    assert lena.codes() == host.codes()
