"""People on LiveKit's SDKs, as one process: `python -m tests.e2e.sdk_people <server> <room>`.

One line of JSON on standard input says who they are and on which SDK: Rust's with one or two peer
connections, or Go's (`{"dan": "single", "fay": "dual", "hal": "go"}`). They come in, speak and show
something, and say `joined`. The next line names everybody in the room; once each has heard and seen
each of the others they say `all`. They leave when the input ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from livekit import rtc

from tests.e2e.frames_page import token
from tests.media.peer import Event, Peer, peer
from tests.media.sdk import Person, people
from tests.media.server import Door

SIZE = (160, 120)
TONE = 500.0
PATIENCE_S = 20


class Entrance(Door):
    def __init__(self, url: str, room: str) -> None:
        self._url = url
        self._room = room

    @property
    def url(self) -> str:
        return self._url

    def token(self, identity: str, room: str = "", **more: Any) -> str:
        return token(room or self._room, identity)


async def main(url: str, room: str) -> None:
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    kinds: dict[str, str] = json.loads(await lines.readline())
    async with AsyncExitStack() as stack:
        door = Entrance(url, room)
        named = [who for who, kind in kinds.items() if kind != "go"]
        persons = await stack.enter_async_context(people(*named))
        for person in persons:
            single = kinds[person.identity] == "single"
            await person.connect(door, single_peer_connection=single)
            await person.speak(TONE)
            await person.show(*SIZE)
        peers = [
            await stack.enter_async_context(peer(door, who))
            for who, kind in kinds.items()
            if kind == "go"
        ]
        for each in peers:
            await each.tell("speak", "show")
        print("joined", flush=True)
        everybody = set(json.loads(await lines.readline()))
        await asyncio.gather(*(_person_gets(each, everybody) for each in persons))
        await asyncio.gather(*(_peer_gets(each, everybody) for each in peers))
        print("all", flush=True)
        await lines.read()


async def _person_gets(person: Person, everybody: set[str]) -> None:
    for other in everybody - {person.identity}:
        track = await _track(person, other, rtc.TrackKind.KIND_AUDIO)
        await person.hear(track, patience=60)
        track = await _track(person, other, rtc.TrackKind.KIND_VIDEO)
        await _decodes(track, f"{person.identity} sees nothing of {other}")


async def _decodes(track: rtc.Track, otherwise: str) -> None:
    """By the SDK's own count: its frames reach Python late where so many are handed over."""
    for _ in range(PATIENCE_S * 10):
        for each in await track.get_stats():
            if each.HasField("inbound_rtp") and each.inbound_rtp.inbound.frames_decoded > 5:
                return
        await asyncio.sleep(0.1)
    raise AssertionError(otherwise)


async def _track(person: Person, other: str, kind: rtc.TrackKind.ValueType) -> rtc.Track:
    track: rtc.Track
    track, *_ = await person.until(
        "track_subscribed",
        lambda track, _, publisher: (track.kind, publisher.identity) == (kind, other),
    )
    return track


async def _peer_gets(each: Peer, everybody: set[str]) -> None:
    for other in everybody - {each.identity}:
        await each.until("sound", partial(_is_from, other))
        await each.until("picture", partial(_is_from, other))


def _is_from(other: str, event: Event) -> bool:
    return bool(event["from"] == other)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
    sys.stdout.flush()
    # The SDK's threads may call into an interpreter that is half gone.
    os._exit(0)
