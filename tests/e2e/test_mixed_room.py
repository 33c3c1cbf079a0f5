"""Nine people on five kinds of clients in one room: each sees and hears each of the others."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.client_page import Client, build
from tests.e2e.frames_page import keyed_product, page_of, until
from tests.media.peer import program

pytestmark = pytest.mark.browser

ROOM = "mixed"
BROWSERS = {"ada": True, "bo": True, "cy": False}
"""With a single peer connection, or with two."""
OTHERS = {
    "dan": "single", "eve": "single", "fay": "dual", "gus": "dual", "hal": "go", "ida": "go",
}  # fmt: skip
EVERYBODY = {*BROWSERS, *OTHERS}


def test_nine_people_on_five_kinds_of_clients(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    program()
    folder = tmp_path_factory.mktemp("mixed")
    build(folder / "page")
    with ExitStack() as stack:
        product = stack.enter_context(keyed_product(folder / "data"))
        address = stack.enter_context(page_of(folder / "page", product))
        clients = [Client(browser, address, product, who) for who in BROWSERS]
        for client in clients:
            stack.callback(client.close)
            client.join(ROOM, singlePeerConnection=BROWSERS[client.identity])
            client.call("publish", {"simulcast": False, "videoCodec": "vp8"}, [160, 120])
            client.call("speak", 500)
        others = stack.enter_context(_people(f"ws://127.0.0.1:{product.port}"))
        _say(others, OTHERS)
        assert _answer(others) == "joined"
        for client in clients:
            until(partial(_has_all, client), f"{client.identity} gets everybody", patience=60)
            assert client.errors == []
        _say(others, sorted(EVERYBODY))
        assert _answer(others) == "all"


def _has_all(client: Client) -> bool:
    got = client.call("gets")
    return set(got) == EVERYBODY - {client.identity} and all(
        each["frames"] > 5 and each["sound"] > 0 for each in got.values()
    )


def _people(url: str) -> subprocess.Popen[str]:
    # Their own waits are bounded, so every read of what they say is.
    return subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.sdk_people", url, ROOM],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _say(process: subprocess.Popen[str], what: object) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(what) + "\n")
    process.stdin.flush()


def _answer(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()
