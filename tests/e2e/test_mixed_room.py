"""Nine people on five kinds of clients in one room: each sees and hears each of the others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from typing import Any, TypeVar

import pytest
from livekit import rtc
from playwright.sync_api import Browser

from tests.e2e.client_page import Client, build
from tests.e2e.frames_page import keyed_product, page_of, token, until
from tests.e2e.product import Product
from tests.media.peer import Event, Peer, peer, program
from tests.media.sdk import Person, end_sdk, people
from tests.media.server import Door

pytestmark = pytest.mark.browser

ROOM = "mixed"
BROWSERS = {"ada": True, "bo": True, "cy": False}
"""Single peer connection or not."""
PYTHONS = {"dan": True, "eve": True, "fay": False, "gus": False}
GOPHERS = ("hal", "ida")
EVERYBODY = {*BROWSERS, *PYTHONS, *GOPHERS}
SIZE = (160, 120)


Result = TypeVar("Result")


class Elsewhere:
    """A loop in a thread of its own: the browser's driver has the main thread's."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=120)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()


class Entrance(Door):
    """Where those who are no browsers come in."""

    def __init__(self, product: Product) -> None:
        self._url = f"ws://127.0.0.1:{product.port}"

    @property
    def url(self) -> str:
        return self._url

    def token(self, identity: str, room: str = ROOM, **more: Any) -> str:
        return token(room, identity)


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    program()
    elsewhere = Elsewhere()
    yield elsewhere
    elsewhere.close()
    end_sdk()


def test_nine_people_on_five_kinds_of_clients(
    browser: Browser, elsewhere: Elsewhere, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("mixed")
    build(folder / "page")
    with ExitStack() as stack:
        product = stack.enter_context(keyed_product(folder / "data"))
        address = stack.enter_context(page_of(folder / "page", product))
        browsers = [Client(browser, address, product, who) for who in BROWSERS]
        for client in browsers:
            stack.callback(client.close)
            client.join(ROOM, singlePeerConnection=BROWSERS[client.identity])
            client.call("publish", {"simulcast": False, "videoCodec": "vp8"}, list(SIZE))
            client.call("speak", 500)
        others = AsyncExitStack()
        persons, peers = elsewhere.run(_come(others, Entrance(product)))
        stack.callback(lambda: elsewhere.run(others.aclose()))
        for client in browsers:
            until(partial(_has_all, client), f"{client.identity} gets everybody", patience=60)
            assert client.errors == []
        elsewhere.run(_all_get_all(persons, peers))


def _has_all(client: Client) -> bool:
    got = client.call("gets")
    return set(got) == EVERYBODY - {client.identity} and all(
        each["frames"] > 5 and each["sound"] > 0 for each in got.values()
    )


async def _come(stack: AsyncExitStack, door: Door) -> tuple[list[Person], list[Peer]]:
    persons = await stack.enter_async_context(people(*PYTHONS))
    for person in persons:
        await person.connect(door, single_peer_connection=PYTHONS[person.identity])
        await person.speak(500.0)
        await person.show(*SIZE)
    peers = [await stack.enter_async_context(peer(door, who)) for who in GOPHERS]
    for each in peers:
        await each.tell("speak", "show")
    return persons, peers


async def _all_get_all(persons: list[Person], peers: list[Peer]) -> None:
    for person in persons:
        for other in EVERYBODY - {person.identity}:
            track = await _track(person, other, rtc.TrackKind.KIND_AUDIO)
            assert await person.hear(track, patience=20) > 0
            track = await _track(person, other, rtc.TrackKind.KIND_VIDEO)
            width, height, _ = await person.watch(track, frames=5)
            assert 0 not in (width, height)
    for each in peers:
        for other in EVERYBODY - {each.identity}:
            await each.until("sound", partial(_is_from, other))
            await each.until("picture", partial(_is_from, other))


def _is_from(other: str, event: Event) -> bool:
    return bool(event["from"] == other)


async def _track(person: Person, other: str, kind: rtc.TrackKind.ValueType) -> rtc.Track:
    track: rtc.Track
    track, *_ = await person.until(
        "track_subscribed",
        lambda track, _, publisher: (track.kind, publisher.identity) == (kind, other),
    )
    return track
