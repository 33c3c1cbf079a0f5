"""What members may send, as who leads says it: kept, handed up when it changes, part of tickets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conclave.kernel.clock import ManualClock
from conclave.kernel.errors import Unavailable
from conclave.settings import Settings
from tests.databases import sqlite_only
from tests.sealing.delivery.stage import SealingStage
from tests.sealing.delivery.tab import identity

pytestmark = pytest.mark.unit


def _only(seat: str, may: int) -> list[dict[str, Any]]:
    return [{"seat": seat, "may": may}]


async def test_what_changes_for_whom_is_handed_up_once(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    cohost = await sealed.newcomer(host, 2, 1)
    await host.ask("grant", seat=cohost.seat, role="cohost")
    sealed.permits.clear()
    for tab in (guest, cohost):
        await tab.barrier()
    assert (await host.ask("permit", all=2))["t"] == "ok"
    assert sealed.permits == [{identity(1): 2}], "who leads may everything"
    assert (await cohost.ask("permit", all=2))["t"] == "ok"
    assert len(sealed.permits) == 1, "nothing new"
    assert (await cohost.ask("permit", all=2, seats=_only(guest.seat, 3)))["t"] == "ok"
    assert sealed.permits[1:] == [{identity(1): 3}]
    # As everybody again; a seat that is not here is passed over.
    assert (await host.ask("permit", all=2, seats=_only("nobody", 0)))["t"] == "ok"
    assert sealed.permits[2:] == [{identity(1): 2}]
    assert await guest.barrier() == [], "members hear of it from the group"


async def test_tickets_say_what_is_permitted(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    assert sealed.door.media[identity(1)] == 7
    assert (await host.ask("permit", all=2, seats=_only(guest.seat, 6)))["t"] == "ok"
    assert (await guest.ask("ticket"))["t"] == "ok"
    assert sealed.door.media[identity(1)] == 6
    await sealed.newcomer(host, 2, 1)
    assert sealed.door.media[identity(2)] == 2
    assert (await host.ask("ticket"))["t"] == "ok"
    assert sealed.door.media[identity(0)] == 7


async def test_it_is_kept_over_a_restart(
    settings: Settings, new_sealing_stage: Callable[..., SealingStage]
) -> None:
    clock = ManualClock()
    stage = new_sealing_stage(settings, clock=clock)
    await stage.start()
    host = await stage.creator()
    guest = await stage.newcomer(host, 1, 0)
    third = await stage.newcomer(host, 2, 1)
    assert (await host.ask("permit", all=0, seats=_only(guest.seat, 1)))["t"] == "ok"
    await stage.stop()
    again = new_sealing_stage(settings, clock=clock)
    await again.start()
    for tab in (guest, third):
        back = await again.tab()
        await back.hello(resume=tab.resume, since=2)
        assert (await back.ask("ticket"))["t"] == "ok"
    assert again.door.media == {identity(1): 1, identity(2): 0}


async def test_a_role_changes_it_too(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    await host.ask("permit", all=0)
    sealed.permits.clear()
    await host.ask("grant", seat=guest.seat, role="cohost")
    await host.ask("grant", seat=guest.seat, role="member")
    assert sealed.permits == [{identity(1): 7}, {identity(1): 0}]


@sqlite_only
async def test_media_out_of_order_do_not_lose_what_was_said(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    sealed.mute_failure = Unavailable("the media engine does not answer")
    assert (await host.ask("permit", all=4))["t"] == "ok"
    assert (await guest.ask("ticket"))["t"] == "ok"
    assert sealed.door.media[identity(1)] == 4


@sqlite_only
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"all": -1},
        {"all": 8},
        {"all": "7"},
        {"all": 1, "seats": [{"seat": "s"}]},
        {"all": 1, "seats": [{"seat": "s", "may": 8}]},
        {"all": 1, "seats": [{"seat": "s", "may": 1}] * 1_001},
    ],
)
async def test_what_is_no_permit_closes_the_socket(
    sealed: SealingStage, fields: dict[str, Any]
) -> None:
    host = await sealed.creator()
    host.say("permit", n=9, **fields)
    assert (await host.until("error"))["code"] == "malformed"
    assert await host.closed() == 1008
