"""A headless member as a process: `python -m tests.e2e.bot <server> <guest link> <name> <tone>`.

It shows a camera, speaks a tone, greets in the chat, and prints a line of JSON whenever what it has
decoded of others, or heard of them in the chat, has grown. It leaves when its standard input ends.
Runs in a network namespace: the media client finds no way over loopback alone.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from conclave_sealing.bot import Bot
from conclave_sealing.keys import Link
from conclave_sealing.media import Media
from conclave_sealing.member import Member

ENOUGH_PICTURES = 10
ENOUGH_SAMPLES = 24_000


async def main(server: str, guest_link: str, name: str, tone: float) -> None:
    link = Link.read(guest_link)
    assert link is not None, "the guest link is not whole"
    media = Media()
    closed = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    async with Bot(Member(link.meeting, name=name, link=link), server, media=media) as bot:
        await bot.until(lambda each: each.is_inside)
        await media.show()
        await media.speak(tone)
        bot.do(lambda member, _now: member.chat(f"Greetings from {name}"))
        told = None
        while not closed.done():
            report = {
                "pictures": _count(media, "pictures", ENOUGH_PICTURES),
                "voices": _count(media, "samples", ENOUGH_SAMPLES),
                "chat": [said["text"] for said in bot.heard("chat")],
                "plaintext": sorted(media.plaintext),
            }
            if report != told:
                print(json.dumps(report), flush=True)
                told = report
            await asyncio.wait([closed], timeout=0.1)
            if bot.error or media.error:
                raise (bot.error or media.error)  # type: ignore[misc]


def _count(media: Media, what: str, enough: int) -> int:
    """How many people it has decoded enough of."""
    return sum(getattr(each, what) >= enough for each in media.received.values())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])))
    sys.stdout.flush()
    # The media client's threads may call into an interpreter that is half gone.
    os._exit(0)
