"""Bots at the running server: over its socket, and through its media engine with sealed frames."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from conclave.media.engine import MediaEngine
from conclave.meetings import Follower
from conclave_sealing.bot import Bot
from conclave_sealing.context import Policy
from conclave_sealing.effects import Inside, Knocked, Over, Trouble
from conclave_sealing.invitation import COHOST
from conclave_sealing.keys import b64
from tests.media.netns import own_network
from tests.media.sdk import end_sdk, people
from tests.sealing.senses import media_of, see_and_hear
from tests.sealing.server import SealedServer, serve

pytestmark = [
    pytest.mark.media,
    pytest.mark.xdist_group("livekit-sdk"),
    pytest.mark.skipif(
        find_spec("conclave._media") is None, reason="the media engine is not built"
    ),
]


@pytest.fixture(scope="module", autouse=True)
def network() -> Iterator[None]:
    with own_network():
        yield
        end_sdk()


@pytest.fixture
async def threads(network: None) -> AsyncIterator[None]:
    """A thread stays in the network in which it began, and the loop keeps its threads between
    modules: here it gets new ones, and afterwards none of these."""
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor() as pool:
        loop.set_default_executor(pool)
        yield
        loop.set_default_executor(ThreadPoolExecutor())


@pytest.fixture
async def server(tmp_path: Path, threads: None) -> AsyncIterator[SealedServer]:
    async with serve(tmp_path) as started:
        yield started


@pytest.fixture
async def media_server(tmp_path: Path, threads: None) -> AsyncIterator[SealedServer]:
    async with serve(tmp_path, engine="embedded") as started:
        yield started


def _over(bot: Bot) -> str | None:
    return next((effect.reason for effect in bot.told if isinstance(effect, Over)), None)


def _epoch(bot: Bot) -> int:
    return -1 if bot.member.facts is None else bot.member.facts.epoch


async def _agree(*bots: Bot) -> None:
    """They come to the same epoch, and it is the same one."""
    first = bots[0]
    for bot in bots:
        await bot.until(lambda each: _epoch(each) == max(_epoch(other) for other in bots))
        assert bot.member.facts is not None
        assert first.member.facts is not None
        assert bot.member.facts.authenticator == first.member.facts.authenticator
        assert not [effect for effect in bot.told if isinstance(effect, Trouble)], bot.told


async def test_by_the_link_over_the_real_socket(server: SealedServer) -> None:
    async with server.host() as host:
        await host.until(lambda bot: bot.is_inside)
        async with server.guest("a") as a, server.guest("b") as b:
            for guest in (a, b):
                await guest.until(lambda bot: bot.is_inside)
            await host.until(lambda bot: len(bot.heard("profile")) >= 2)
            await _agree(host, a, b)
            a.do(lambda member, _now: member.chat("to all"))
            to_b = b.member.identity
            await a.until(lambda bot: any(p["name"] == "b" for p in bot.heard("profile")))
            a.do(
                lambda member, _now: member.whisper(
                    to_b, "chat", id=b64(bytes(16)), text="to b alone"
                )
            )
            await b.until(lambda bot: len(bot.heard("chat")) == 2)
            await host.until(lambda bot: len(bot.heard("chat")) == 1)
            tickets = [e.token for bot in (host, a, b) for e in bot.told if isinstance(e, Inside)]
            assert len(set(tickets)) == 3
        await host.until(
            lambda bot: bot.member.facts is not None and len(bot.member.facts.roster) == 1
        )


async def test_the_lobby_and_a_removal(server: SealedServer) -> None:
    async with server.host(policy=Policy("lobby")) as host:
        await host.until(lambda bot: bot.is_inside)
        async with server.guest("no link", has_link=False) as guest, server.guest("b") as b:
            await host.until(lambda bot: len([e for e in bot.told if isinstance(e, Knocked)]) == 2)
            assert not guest.is_inside
            for seat in list(host.member.plan.door):
                host.do(lambda member, now, seat=seat: member.admit(seat, now))  # type: ignore[misc]
            for bot in (guest, b):
                await bot.until(lambda each: each.is_inside)
            await guest.until(lambda bot: bot.member.link == server.link)
            await host.until(lambda bot: not bot.member.people.linkless)
            await _agree(host, guest, b)
            out = b.member.identity
            host.do(lambda member, now: member.remove(out, now))
            await b.until(lambda bot: _over(bot) == "removed")
            await _agree(host, guest)


async def test_a_personal_link_is_for_one_device_and_those_it_lets_in(
    server: SealedServer,
) -> None:
    link = await server.invite("Anna")
    async with server.host(policy=Policy("lobby")) as host:
        await host.until(lambda bot: bot.is_inside)
        async with (
            await server.invited(link, "anna's phone") as phone,
            await server.invited(await server.invite("Cleo", COHOST), "cleo") as cohost,
        ):
            for bot in (phone, cohost):
                await bot.until(lambda each: each.is_inside)
            assert (phone.member.role, cohost.member.role) == ("member", "cohost")
            async with await server.invited(link, "anna's laptop") as laptop:
                await phone.until(lambda bot: bool(bot.member.plan.door))
                (entry,) = phone.member.plan.door.values()
                assert entry.bound == phone.member.key, "the server names the first device"
                assert not laptop.is_inside
                (seat,) = phone.member.plan.door
                phone.do(lambda member, now: member.admit(seat, now))
                await laptop.until(lambda bot: bot.is_inside)
                await _agree(host, phone, cohost, laptop)


async def test_a_closed_tab_comes_back_to_its_place(server: SealedServer) -> None:
    async with server.host() as host, server.guest("a", seed=b"a" * 32) as a:
        for bot in (host, a):
            await bot.until(lambda each: each.is_inside)
        await a.stop()
        async with server.guest("a", seed=b"a" * 32) as again:
            await again.until(lambda bot: bot.is_inside)
            await _agree(host, again)
            assert len(again.member.people.rosters[_epoch(again)]) == 2


async def test_a_broken_socket_is_resumed_and_nothing_is_missed(server: SealedServer) -> None:
    async with server.host() as host, server.guest("a") as a:
        for bot in (host, a):
            await bot.until(lambda each: each.is_inside)
        await _agree(host, a)
        tickets = len([effect for effect in a.told if isinstance(effect, Inside)])
        a.drop()
        for number in range(5):
            host.do(lambda member, _now, number=number: member.chat(str(number)))  # type: ignore[misc]
        host.do(lambda member, now: member.renew(now))
        await a.until(lambda bot: len(bot.heard("chat")) == 5)
        assert [said["text"] for said in a.heard("chat")] == ["0", "1", "2", "3", "4"]
        await host.until(lambda bot: _epoch(bot) >= 2)
        await _agree(host, a)
        assert len([effect for effect in a.told if isinstance(effect, Inside)]) == tickets


async def _anybody(_room: str, _identity: str) -> bool:
    return True


async def test_sealed_pictures_and_sound_through_key_changes(media_server: SealedServer) -> None:
    async with (
        media_server.host(media=True) as host,
        media_server.guest("a", media=True) as a,
    ):
        both = [media_of(bot) for bot in (host, a)]
        for bot in (host, a):
            await bot.until(lambda each: each.is_inside)
            await media_of(bot).show()
            await media_of(bot).speak(440)
        await see_and_hear(host, a)
        await see_and_hear(a, host)
        for _ in range(2):
            host.do(lambda member, now: member.renew(now))
            await _agree(host, a)
            await see_and_hear(host, a)
            await see_and_hear(a, host)
        # Whom the server alone lets in, and leaves in: sends in the clear, and is not looked at.
        engine = media_server.app.use(MediaEngine)
        engine.set_gate(_anybody)
        await media_server.app.use(Follower).stop()
        ticket = engine.mint(media_server.link.meeting, "outsider")
        async with people("outsider") as (outsider,):
            async with asyncio.timeout(15):
                await outsider.room.connect(media_server.url, ticket.token)
            await outsider.speak(660)
            await outsider.show()
            for media in both:
                await media.until(lambda each: "outsider" in each.plaintext)
            await see_and_hear(host, a)
        for media in both:
            assert media.error is None
            assert "outsider" not in media.received
            assert media.plaintext == {"outsider"}
