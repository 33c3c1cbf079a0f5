"""Cleaning a room of 30: when the last sound of those who are taken out comes in, and when the new
key is in use, at each of those who stay.

24 headless members stay, 6 send a tone. Each of the 24 has media of its own and counts the packets
that its connection got of each of the six: sound that 24 clients in one process decode waits there
for its turn, and would tell of the process. The host does what the page's button does: stop
everything (a message in the group, and the media server mutes), then one commit that takes the six
out and locks the room.

    .venv/bin/python bench/clean_room.py --rounds 3
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence

from figures import Json, record, spread, table
from headless_room import HeadlessRoom, headless_room
from livekit import rtc
from servers import Server, start

from conclave_sealing.bot import Bot
from conclave_sealing.effects import Effect, UseKey
from conclave_sealing.media import Media
from conclave_sealing.member import Member

MEDIA_LIMIT_S = 1.0
KEY_LIMIT_S = 3.0
LISTEN_S = 5.0
ASK_S = 0.05


class Counted(Media):
    """Reads nothing of what comes in, but when packets of whom came."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: dict[str, int] = {}
        self.came_at: dict[str, float] = {}
        """When the newest packet of this identity arrived, as the connection itself says: seconds
        since 1970."""

    def _subscribed(
        self,
        track: rtc.Track,
        publication: rtc.RemoteTrackPublication,
        participant: rtc.RemoteParticipant,
    ) -> None:
        self._begin(self._count(track, participant.identity))

    async def _count(self, track: rtc.Track, identity: str) -> None:
        while True:
            for stats in await track.get_stats():
                packets = stats.inbound_rtp.received.packets_received
                if packets > self.packets.get(identity, 0):
                    self.packets[identity] = packets
                    last_ms = stats.inbound_rtp.inbound.last_packet_received_timestamp
                    self.came_at[identity] = last_ms / 1000
                    self._news.set()
            await asyncio.sleep(ASK_S)

    def last_of(self, identities: Sequence[str]) -> float:
        return max(self.came_at[identity] for identity in identities)


class Watch:
    """When a member first used the key of an epoch."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.used: dict[int, float] = {}
        before = bot._perform

        def perform(effects: list[Effect]) -> None:
            for effect in effects:
                if isinstance(effect, UseKey):
                    self.used.setdefault(effect.epoch, time.monotonic())
            before(effects)

        bot._perform = perform  # type: ignore[method-assign]


def clean(member: Member, now: float, intruders: Sequence[str]) -> list[Effect]:
    """What a host's page does: everything stops, they go, the room is locked, in one commit."""
    effects = member.say("freeze", on=True)
    member._request("silence")
    member.plan.to_remove |= set(intruders)
    return effects + member.set_policy(now, is_locked=True)


def has_heard(media: Media, identities: Sequence[str]) -> bool:
    return isinstance(media, Counted) and all(
        media.packets.get(identity, 0) > 25 for identity in identities
    )


async def _in(bot: Bot) -> Bot:
    await bot.__aenter__()
    await bot.until(lambda each: each.is_inside, 60)
    return bot


async def _listen(seconds: float) -> float:
    """For how long this process, in which all members are, stood still at most meanwhile."""
    until, longest = time.monotonic() + seconds, 0.0
    while (before := time.monotonic()) < until:
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - before - 0.01)
    return longest


async def one_round(room: HeadlessRoom, host: Bot, stay: list[Bot], intruders: int) -> Json:
    bad = [await _in(room.guest(f"Intruder {at}", Counted())) for at in range(intruders)]
    identities = [bot.member.identity for bot in bad]
    for bot in bad:
        assert bot.media is not None
        await bot.media.speak(440)
    watches = [Watch(bot) for bot in [host, *stay]]
    receivers = [media for watch in watches if isinstance(media := watch.bot.media, Counted)]
    for media in receivers:
        await media.until(lambda each: has_heard(each, identities), 60)
    began, began_at = time.monotonic(), time.time()
    epoch = host.member.facts.epoch if host.member.facts else -1
    host.do(lambda member, now: clean(member, now, identities))
    stood_still = await _listen(LISTEN_S)
    media_s = [max(0.0, media.last_of(identities) - began_at) for media in receivers]
    key_s = []
    for watch in watches:
        later = [at for number, at in watch.used.items() if number > epoch]
        key_s.append(min(later) - began if later else None)
    for bot in bad:
        await bot.stop()
    host.do(lambda member, now: member.set_policy(now, is_locked=False))
    await asyncio.sleep(1)
    return {
        "last_sound_s": spread(media_s),
        "new_key_s": spread(key_s),
        "receivers": len(watches),
        "stood_still_s": round(stood_still, 3),
    }


async def measure(server: Server, rounds: int, stay: int, intruders: int) -> list[Json]:
    async with headless_room(server) as room:
        host = await _in(room.host(media=Counted()))
        others = [await _in(room.guest(f"Member {at}", Counted())) for at in range(stay - 1)]
        try:
            return [await one_round(room, host, others, intruders) for _ in range(rounds)]
        finally:
            await asyncio.gather(*(bot.stop() for bot in [host, *others]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stay", type=int, default=24)
    parser.add_argument("--intruders", type=int, default=6)
    parser.add_argument("--name", default="clean_room")
    options = parser.parse_args()
    with start("conclave") as server:
        found = asyncio.run(measure(server, options.rounds, options.stay, options.intruders))
        server.assert_alive()
    print(
        table(
            ["s", "last sound, median", "most", "new key, median", "most", "stood still"],
            [
                [
                    f"round {number}",
                    each["last_sound_s"]["median"],
                    each["last_sound_s"]["max"],
                    each["new_key_s"]["median"],
                    each["new_key_s"]["max"],
                    each["stood_still_s"],
                ]
                for number, each in enumerate(found, 1)
            ],
        )
    )
    figures: Json = {"stay": options.stay, "intruders": options.intruders, "rounds": found}
    print(f"written: {record(options.name, figures, ['conclave'])}")
    holds = {
        f"nothing of them comes in after {MEDIA_LIMIT_S:.0f} s": all(
            each["last_sound_s"]["n"] == each["receivers"]
            and each["last_sound_s"]["max"] <= MEDIA_LIMIT_S
            for each in found
        ),
        f"everybody uses the new key after {KEY_LIMIT_S:.0f} s": all(
            each["new_key_s"]["n"] == each["receivers"] and each["new_key_s"]["max"] <= KEY_LIMIT_S
            for each in found
        ),
    }
    for text, is_kept in holds.items():
        print(f"{'holds' if is_kept else 'FAILS'}: {text}")
    return 0 if all(holds.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
