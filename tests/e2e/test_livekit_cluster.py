"""Two people in browsers whose media a LiveKit server carries: policy, addresses, sealed frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.e2e.product import Product
from tests.media.cluster import KEY, LiveKit, livekit_server

pytestmark = pytest.mark.browser


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[Product, LiveKit]]:
    product = Product(tmp_path / "data")
    with livekit_server(tmp_path, f"http://127.0.0.1:{product.port}/livekit/webhook") as livekit:
        product.environment |= {
            "CONCLAVE_MEDIA__ENGINE": "livekit",
            "CONCLAVE_MEDIA__LIVEKIT_URL": livekit.url,
            "CONCLAVE_MEDIA__API_KEYS": f"{KEY}: {livekit.secret}",
        }
        product.start()
        yield product, livekit
        product.close()


def test_two_people_meet_over_a_livekit_server(
    cluster: tuple[Product, LiveKit], people: Callable[..., Person]
) -> None:
    product, livekit = cluster
    hanna = people("Hanna Vogel", tone=523.0)
    jonas = people("Jonas Weber", tone=784.0)

    assert product.operator_link is not None
    hanna.become_operator(product.operator_link)
    guest_link = hanna.start_room()
    hanna.join()
    jonas.join(guest_link)

    hanna.expect_moving("Jonas Weber")
    jonas.expect_moving("Hanna Vogel")
    hanna.expect_hearing([784.0], silent=[523.0])
    jonas.expect_hearing([523.0], silent=[784.0])
    assert any(url.startswith(livekit.url) for url in jonas.sockets)

    # Media outlive the product: it is started again, and nobody notices.
    product.kill()
    product.start()
    hanna.expect_moving("Jonas Weber")

    jonas.press("Leave")
    expect(hanna.tile("Jonas Weber")).to_have_count(0)
    assert product.stop() == 0
