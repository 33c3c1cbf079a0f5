"""Two hundred knocks a second from twenty places: hosts see at most the limit, the server remembers
little, and who is expected comes in meanwhile."""

from __future__ import annotations

import pytest

from conclave.sealing import Invited
from tests.sealing.delivery.stage import MEETING, SealingStage
from tests.sealing.delivery.tab import b64, identity, instance_id, knock

pytestmark = pytest.mark.unit

PLACES = [f"203.0.113.{number}" for number in range(1, 21)]


async def test_attack_knock_flood(sealed: SealingStage) -> None:
    host = await sealed.creator()
    crowd = [await sealed.outsider(address=address) for address in PLACES]
    numbers = [(tab, tab.request("knock", **knock())) for _ in range(10) for tab in crowd]
    codes = [(await tab.answer(n)).get("code", "ok") for tab, n in numbers]
    # Each of these sockets knocks once; what it asks beside that is refused.
    assert set(codes) == {"ok", "forbidden"}
    assert codes.count("ok") == 20

    refused = 0
    for _ in range(20):
        for address in PLACES[:5]:
            tab = await sealed.outsider(address=address)
            answer = await tab.ask("knock", **knock())
            if answer["t"] == "error":
                assert answer["code"] == "work"
                refused += 1
                await tab.drop()
    assert refused == 60, "sixty a minute pass, twenty of them before"
    seen = [frame for frame in await host.barrier() if frame["t"] == "knock"]
    assert len(seen) == 60
    assert len({frame["seat"] for frame in seen}) == 60

    anna = await sealed.outsider(address="198.51.100.99")
    device = bytes(31) + b"\x01"
    sealed.door.invitations[instance_id(1)] = Invited("bound", device, False)
    by = {"invitation": instance_id(1), "device": b64(device), "binding": b64(bytes(64))}
    assert (await anna.ask("knock", **knock(), **by))["t"] == "ok"
    told = await host.until("knock")
    assert (told["seat"], told["bound"]) == (anna.seat, b64(device))
    assert (await host.commit(0, admitted={anna.seat: identity(1)}))["t"] == "ok"
    assert (await anna.until("welcome"))["epoch"] == 1

    # Whoever was refused left nothing behind.
    assert (await sealed.rows())["sealing_seats"] == 62
    assert sealed.sealing.sockets_of(MEETING) <= 420


async def test_attack_knock_flood_from_one_socket(sealed: SealingStage) -> None:
    host = await sealed.creator()
    tab = await sealed.outsider()
    passed = 0
    for _ in range(60):
        if (await tab.ask("knock", **knock()))["t"] == "ok":
            passed += 1
            assert (await tab.ask("withdraw"))["t"] == "ok"
    assert passed == 30
    kinds = [frame["t"] for frame in await host.barrier()]
    assert kinds.count("knock") == kinds.count("knock_gone") == 30
