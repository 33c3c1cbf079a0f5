"""Layers in a real browser: pictures follow the size at which they are shown, and encoders follow
what is wanted. With livekit-client alone, so that every codec and both kinds of layers are seen.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.client_page import Client
from tests.e2e.frames_page import until
from tests.e2e.product import Product

pytestmark = pytest.mark.browser

SIZES = {320: (320, 180), 640: (640, 360), 1280: (1280, 720)}


class Pair:
    """Ada publishes 720 lines, bo shows them."""

    def __init__(
        self, browser: Browser, client_url: str, keyed: Product, codec: str, single: bool
    ) -> None:
        self.ada, self.bo = (Client(browser, client_url, keyed, who) for who in ("ada", "bo"))
        room = f"layers-{secrets.token_hex(4)}"
        for client in (self.ada, self.bo):
            client.join(room, adaptiveStream=True, dynacast=True, singlePeerConnection=single)
        options = {
            "simulcast": True,
            "videoCodec": codec,
            "backupCodec": False,
            # A busy processor costs pictures, not layers.
            "degradationPreference": "maintain-resolution",
        }
        self.sid = self.ada.call("publish", options, [1280, 720])
        until(lambda: self.bo.evaluate("() => pictures.size") == 1, "bo gets the picture")

    def show(self, width: int) -> None:
        """Bo shows it in this width; waits until the layer that fits has come."""
        self.bo.call("show", self.sid, *SIZES.get(width, (0, 0)))
        if width:
            until(lambda: self.received().get("width") == width, f"a picture {width} wide")

    def received(self) -> dict[str, Any]:
        found: dict[str, Any] = self.bo.call("received", self.sid)
        return found

    def sending(self) -> set[str]:
        """The layers that ada's encoders work on."""
        return {rid for rid, layer in self.ada.call("sent", self.sid).items() if layer["active"]}

    def close(self) -> None:
        for client in (self.ada, self.bo):
            assert client.errors == []
            client.close()


@pytest.fixture
def pair(
    request: pytest.FixtureRequest, browser: Browser, client_url: str, keyed: Product
) -> Iterator[Pair]:
    codec, connections = request.param
    pair = Pair(browser, client_url, keyed, codec, connections == "single")
    yield pair
    pair.close()


def with_pairs(*kinds: tuple[str, str]) -> pytest.MarkDecorator:
    """Codec, and one or two peer connections of each client."""
    return pytest.mark.parametrize(
        "pair", kinds, ids=["-".join(kind) for kind in kinds], indirect=True
    )


@with_pairs(("vp8", "single"))
def test_simulcast_follows_what_is_shown_and_encoders_follow_that(pair: Pair) -> None:
    for width in (320, 1280, 640, 1280, 320):
        pair.show(width)
    until(lambda: pair.sending() == {"q"}, "what nobody wants is not encoded")
    pair.show(1280)
    assert "f" in pair.sending()
    pair.show(0)
    until(lambda: pair.sending() == set(), "nobody looks: nothing is encoded")
    decoded = pair.received()["decoded"]
    pair.show(640)
    until(lambda: pair.received()["decoded"] > decoded + 10, "it goes on")
    after = pair.received()
    # A torn or grey picture would have been asked for anew.
    assert after["plis"] <= 2, after
    assert after["lost"] == 0, after


@with_pairs(("h264", "single"), ("vp9", "dual"), ("av1", "single"))
def test_other_codecs_have_layers_as_well(pair: Pair) -> None:
    for width in (320, 1280, 640):
        pair.show(width)
    before = pair.received()
    until(lambda: pair.received()["decoded"] > before["decoded"] + 10, "pictures are decoded")
    after = pair.received()
    assert after["plis"] <= 2, after
    assert after["lost"] == 0, after


@with_pairs(("vp8", "single"), ("vp8", "dual"))
def test_layers_survive_a_lost_socket(pair: Pair) -> None:
    pair.show(1280)
    for client in (pair.ada, pair.bo):
        client.evaluate("() => room.simulateScenario('signal-reconnect')")
    until(lambda: pair.bo.evaluate("() => room.state") == "connected", "bo is back")
    until(lambda: pair.ada.evaluate("() => room.state") == "connected", "ada is back")
    pair.show(320)
    pair.show(1280)
    before = pair.received()["decoded"]
    until(lambda: pair.received()["decoded"] > before + 10, "pictures are decoded")
