"""Floods of what members say, as far as the server can tell them: one rate for everything, since it
cannot read any of it. What receivers show is in web/src/sealing/meeting/rates.test.ts."""

from __future__ import annotations

import pytest

from tests.sealing.delivery.stage import SealingStage
from tests.sealing.delivery.tab import instance_id, private

pytestmark = pytest.mark.unit

# The most that our own client says at once, of all kinds: web/src/sealing/meeting/rates.ts, OWN.
HONEST_AT_ONCE = 10 + 10 + 5 + 3


@pytest.mark.parametrize("what", ["chat", "reaction", "hand"])
async def test_attack_flood(sealed: SealingStage, what: str) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    other = await sealed.newcomer(host, 2, 1)
    await guest.until("commit")
    for tab in (host, other):
        await tab.barrier()
    body = what.encode()
    numbers = [
        guest.request("message", epoch=2, bytes=private(instance_id(), 2, 1, body))
        for _ in range(200)
    ]
    answers = [await guest.answer(number) for number in numbers]
    assert [answer["t"] for answer in answers[:60]] == ["ok"] * 60
    assert {answer["code"] for answer in answers[60:]} == {"rate"}
    for tab in (host, other):
        assert len([f for f in await tab.barrier() if f["t"] == "message"]) == 60
    # Nobody else is held up, and he goes on in a moment.
    assert (await other.message(2))["t"] == "ok"
    sealed.clock.advance(1)
    assert (await guest.message(2))["t"] == "ok"


async def test_an_honest_client_is_never_too_fast(sealed: SealingStage) -> None:
    host = await sealed.creator()
    guest = await sealed.newcomer(host, 1, 0)
    for second in range(30):
        for _ in range(HONEST_AT_ONCE if second == 0 else 6):
            assert (await guest.message(1))["t"] == "ok"
        sealed.clock.advance(1)
