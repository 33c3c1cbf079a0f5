"""Browsers that cannot decode a camera's codec get it in another one; the others keep theirs."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.client_page import Client
from tests.e2e.frames_page import until
from tests.e2e.product import Product

pytestmark = pytest.mark.browser

SIMULCAST, REGRESSION = 1, 2


class Room:
    """Ada publishes in VP9 and would in VP8 too, bo takes both, cy VP8 only."""

    def __init__(self, browser: Browser, url: str, keyed: Product, policy: int, *, dual: bool):
        self.name = f"codecs-{secrets.token_hex(4)}"
        self.ada, self.bo, self.cy = (Client(browser, url, keyed, w) for w in ("ada", "bo", "cy"))
        self.dual = dual
        self._join(self.ada)
        self._join(self.bo)
        options = {
            "simulcast": True,
            "videoCodec": "vp9",
            "backupCodec": {"codec": "vp8", "encoding": {"maxBitrate": 300_000}},
            "backupCodecPolicy": policy,
            "degradationPreference": "maintain-resolution",
        }
        self.sid = self.ada.call("publish", options, [640, 360])
        self.watch(self.bo)

    def _join(self, client: Client) -> None:
        single = not self.dual
        client.join(self.name, adaptiveStream=True, dynacast=True, singlePeerConnection=single)

    def let_in_cy(self) -> None:
        self.cy.call("lack", ["video/vp9", "video/av1"])
        self._join(self.cy)
        self.watch(self.cy)

    def watch(self, client: Client) -> None:
        until(lambda: client.evaluate("() => pictures.size") == 1, f"{client.identity} has it")
        client.call("show", self.sid, 640, 360)
        self.goes_on(client)

    def goes_on(self, client: Client) -> None:
        before = self.received(client).get("decoded", 0)
        until(
            lambda: self.received(client).get("decoded", 0) > before + 10,
            f"{client.identity} decodes",
        )

    def received(self, client: Client) -> dict[str, Any]:
        found: dict[str, Any] = client.call("received", self.sid)
        return found

    def codec(self, client: Client) -> str | None:
        return self.received(client).get("codec")

    def is_encoding(self, second: str | None) -> bool:
        layers = self.ada.call("sent", self.sid, second)
        return bool(layers) and any(layer["active"] for layer in layers.values())

    def close(self) -> None:
        for client in (self.ada, self.bo, self.cy):
            assert client.errors == []
            client.close()


@pytest.mark.parametrize("dual", [False, True], ids=["single", "dual"])
def test_both_codecs_side_by_side(
    browser: Browser, client_url: str, keyed: Product, dual: bool
) -> None:
    room = Room(browser, client_url, keyed, SIMULCAST, dual=dual)
    assert room.codec(room.bo) == "video/VP9"
    assert not room.is_encoding("vp8"), "nobody needs it yet"

    room.let_in_cy()
    assert room.codec(room.cy) == "video/VP8"
    room.goes_on(room.bo)
    assert room.codec(room.bo) == "video/VP9"

    room.cy.evaluate("() => room.disconnect()")
    until(lambda: not room.is_encoding("vp8"), "nobody needs it any more")
    room.goes_on(room.bo)
    room.close()


def test_all_go_over_to_the_second_codec(browser: Browser, client_url: str, keyed: Product) -> None:
    room = Room(browser, client_url, keyed, REGRESSION, dual=False)
    room.bo.evaluate("() => { window.before = [...pictures.values()][0].video; }")

    room.let_in_cy()
    until(lambda: room.codec(room.bo) == "video/VP8", "bo goes over")
    room.goes_on(room.bo)
    assert room.bo.evaluate("() => before === [...pictures.values()][0].video"), "the same picture"
    until(lambda: not room.is_encoding(None), "one codec is enough")
    room.goes_on(room.cy)
    room.close()
