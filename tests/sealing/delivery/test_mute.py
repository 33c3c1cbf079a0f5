"""Muting by a host or co-host: handed up, stored nowhere, told to nobody."""

from __future__ import annotations

import pytest

from conclave.kernel.errors import Unavailable
from tests.databases import sqlite_only
from tests.sealing.delivery.stage import MEETING, SealingStage
from tests.sealing.delivery.tab import identity

pytestmark = [pytest.mark.unit, sqlite_only]


@pytest.mark.parametrize("source", ["microphone", "camera", "screen_share"])
async def test_a_host_mutes_a_member_and_nobody_is_told(sealed: SealingStage, source: str) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    other = await sealed.newcomer(host, 2, 1)
    for tab in (host, guest, other):
        await tab.barrier()
    before = await sealed.rows()
    answer = await host.ask("mute", seat=guest.seat, source=source)
    assert answer["t"] == "ok"
    assert sealed.mutes == [(MEETING, identity(1), source)]
    assert await guest.barrier() == await other.barrier() == []
    assert await sealed.rows() == before


async def test_cohosts_may_and_members_may_not(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    other = await sealed.newcomer(host, 2, 1)
    order = {"seat": other.seat, "source": "camera"}
    assert (await guest.ask("mute", **order))["code"] == "forbidden"
    assert (await host.ask("grant", seat=guest.seat, role="cohost"))["t"] == "ok"
    assert (await guest.ask("mute", **order))["t"] == "ok"
    assert (await host.ask("grant", seat=guest.seat, role="member"))["t"] == "ok"
    assert (await guest.ask("mute", **order))["code"] == "forbidden"
    assert sealed.mutes == [(MEETING, identity(2), "camera")]


async def test_seats_of_no_member_are_unknown(sealed: SealingStage) -> None:
    host = await sealed.creator()
    gone = await sealed.newcomer(host, 1, 0)
    knocker = await sealed.knocker()
    outside = await sealed.outsider()
    assert (await gone.ask("leave"))["t"] == "ok"
    for seat in (gone.seat, knocker.seat, outside.seat, "nobody"):
        answer = await host.ask("mute", seat=seat, source="microphone")
        assert answer["code"] == "unknown_seat", seat
    assert sealed.mutes == []


async def test_a_member_lost_for_a_moment_can_be_muted(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    await guest.drop()
    assert (await host.until("presence"))["state"] == "lost"
    assert (await host.ask("mute", seat=guest.seat, source="microphone"))["t"] == "ok"
    assert sealed.mutes == [(MEETING, identity(1), "microphone")]


async def test_media_out_of_order_are_said_and_the_socket_lives_on(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    sealed.mute_failure = Unavailable("the media engine does not answer")
    order = {"seat": guest.seat, "source": "microphone"}
    assert (await host.ask("mute", **order))["code"] == "unavailable"
    sealed.mute_failure = None
    assert (await host.ask("mute", **order))["t"] == "ok"


async def test_a_host_silences_everybody_but_those_who_lead(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    cohost = await sealed.newcomer(host, 2, 1)
    await host.ask("grant", seat=cohost.seat, role="cohost")
    assert (await guest.ask("silence"))["code"] == "forbidden"
    for tab in (host, cohost):
        assert (await tab.ask("silence"))["t"] == "ok"
    assert sealed.silences == [(MEETING, frozenset({identity(1)}))] * 2
    outside = await sealed.outsider()
    assert (await outside.ask("silence"))["code"] == "forbidden"


async def test_silence_fails_as_a_whole_and_has_a_rate(sealed: SealingStage) -> None:
    host = await sealed.creator()
    sealed.mute_failure = Unavailable("the media engine does not answer")
    assert (await host.ask("silence"))["code"] == "unavailable"
    sealed.mute_failure = None
    for _ in range(9):
        assert (await host.ask("silence"))["t"] == "ok"
    assert (await host.ask("silence"))["code"] == "rate"
