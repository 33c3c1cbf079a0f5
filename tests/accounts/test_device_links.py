"""Device links: values in order, each by the device whose turn it is, for ten minutes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from conclave.accounts.device_links.mailbox import Waits
from tests.accounts.authenticator import Authenticator, b64
from tests.accounts.steps import add_passkey, good, invited, post, sign_in
from tests.databases import sqlite_only
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit

PATH = "/api/v1/account/device-links"
COMMITMENT = b64(b"c" * 32)


async def _two_devices(stage: Stage) -> tuple[Person, Person]:
    """(the older one, the newer one) of one account."""
    older = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(older, authenticator)
    newer = stage.guest()
    await good(await sign_in(newer, authenticator))
    return older, newer


async def _link(person: Person) -> str:
    made = await good(await person.post(PATH, json={"commitment": COMMITMENT}), 201)
    assert made["expires_at"] == "2026-01-01T00:10:00Z"
    return str(made["id"])


async def _put(person: Person, link: str, slot: str, value: bytes = b"v") -> httpx2.Response:
    return await person.put(f"{PATH}/{link}/{slot}", json={"value": b64(value)})


async def _waits(stage: Stage) -> None:
    """Until a request waits for a change."""
    waits = stage.app.use(Waits)
    for _ in range(1_000_000):  # some seconds: a busy database takes its time
        if waits.by_user:
            return
        await asyncio.sleep(0)
    pytest.fail("nobody waits")


async def test_values_pass_in_order(stage: Stage) -> None:
    older, newer = await _two_devices(stage)
    link = await _link(newer)
    (listed,) = (await good(await older.get(PATH)))["links"]
    assert listed == {
        "id": link,
        "commitment": COMMITMENT,
        "created_at": "2026-01-01T00:00:00Z",
        "expires_at": "2026-01-01T00:10:00Z",
        "browser": "Browser",
        "place": "198.51.100.0/24",
        "state": 0,
        "is_own": False,
    }
    for state, (person, slot) in enumerate(
        [(older, "offer"), (newer, "reveal"), (older, "parcel")], start=1
    ):
        assert (await _put(person, link, slot, slot.encode())).status_code == 204
        seen = await good(await newer.get(f"{PATH}/{link}"))
        assert (seen["state"], seen["is_own"]) == (state, True)
    assert [seen[slot] for slot in ("offer", "reveal", "parcel")] == [
        b64(slot.encode()) for slot in ("offer", "reveal", "parcel")
    ]


async def test_each_once_in_order_and_by_whose_turn_it_is(stage: Stage) -> None:
    older, newer = await _two_devices(stage)
    link = await _link(newer)
    for person, slot, status in (
        (newer, "offer", 403),
        (newer, "reveal", 409),
        (older, "parcel", 409),
        (older, "offer", 204),
        (older, "offer", 409),
        (older, "reveal", 403),
        (older, "parcel", 409),
        (newer, "reveal", 204),
        (newer, "reveal", 409),
        (newer, "parcel", 403),
        (older, "parcel", 204),
        (older, "parcel", 409),
        (older, "offer", 409),
    ):
        answer = await _put(person, link, slot)
        assert answer.status_code == status, (slot, answer.text)


async def test_of_two_offers_at_once_one_is_taken(stage: Stage) -> None:
    older, newer = await _two_devices(stage)
    link = await _link(newer)
    answers = await asyncio.gather(*(_put(older, link, "offer", bytes([n])) for n in range(1, 5)))
    assert sorted(answer.status_code for answer in answers) == [204, 409, 409, 409]


async def test_the_older_device_must_be_freshly_proven(stage: Stage) -> None:
    older, newer = await _two_devices(stage)
    stage.clock.advance(timedelta(minutes=11))
    made = await good(await newer.post(PATH, json={"commitment": COMMITMENT}), 201)
    answer = await _put(older, made["id"], "offer")
    assert (answer.status_code, answer.json()["code"]) == (403, "reauthenticate")


async def test_a_wait_ends_with_the_change(stage: Stage) -> None:
    older, newer = await _two_devices(stage)
    link = await _link(newer)
    waiting = asyncio.create_task(newer.get(f"{PATH}/{link}?after=0"))
    await _waits(stage)
    await _put(older, link, "offer", b"offer")
    assert (await good(await waiting))["offer"] == b64(b"offer")
    assert not stage.app.use(Waits).by_user
    at_once = await good(await newer.get(f"{PATH}/{link}?after=0"))
    assert at_once["state"] == 1


async def test_a_wait_ends_with_its_time(stage: Stage) -> None:
    _, newer = await _two_devices(stage)
    link = await _link(newer)
    stage.app.use(Waits).seconds = 0.01
    assert (await good(await newer.get(f"{PATH}/{link}?after=0")))["state"] == 0


async def test_a_cancelled_link_ends_the_wait(stage: Stage) -> None:
    older, newer = await _two_devices(stage)
    link = await _link(newer)
    waiting = asyncio.create_task(newer.get(f"{PATH}/{link}?after=0"))
    await _waits(stage)
    assert (await older.delete(f"{PATH}/{link}")).status_code == 204
    assert (await waiting).status_code == 404
    assert (await older.delete(f"{PATH}/{link}")).status_code == 404


async def test_a_revoked_device_gets_nothing_from_its_wait(stage: Stage) -> None:
    older, newer = await _two_devices(stage)
    link = await _link(newer)
    waiting = asyncio.create_task(newer.get(f"{PATH}/{link}?after=0"))
    await _waits(stage)
    await older.delete("/api/v1/account/sessions")
    await _put(older, link, "offer")
    assert (await waiting).status_code == 401


@sqlite_only
async def test_waits_are_bounded(stage: Stage) -> None:
    _, newer = await _two_devices(stage)
    link = await _link(newer)
    waits = stage.app.use(Waits)
    person = (await good(await newer.get("/api/v1/session")))["user"]["id"]
    waits.by_user[person] = 10
    assert (await newer.get(f"{PATH}/{link}?after=0")).status_code == 429
    assert (await newer.get(f"{PATH}/{link}")).status_code == 200


async def test_it_ends_after_ten_minutes(stage: Stage) -> None:
    older, newer = await _two_devices(stage)
    link = await _link(newer)
    stage.clock.advance(timedelta(minutes=10))
    assert (await newer.get(f"{PATH}/{link}")).status_code == 404
    assert (await _put(newer, link, "reveal")).status_code == 404
    assert (await good(await older.get(PATH)))["links"] == []


async def test_five_at_a_time(stage: Stage) -> None:
    _, newer = await _two_devices(stage)
    links = [await _link(newer) for _ in range(5)]
    answer = await newer.post(PATH, json={"commitment": COMMITMENT})
    assert (answer.status_code, answer.json()["code"]) == (409, "device_links_full")
    await newer.delete(f"{PATH}/{links[0]}")
    await _link(newer)


@sqlite_only
async def test_nobody_sees_another_ones(stage: Stage) -> None:
    older, newer = await _two_devices(stage)
    member = await invited(stage, older)
    link = await _link(newer)
    assert (await good(await member.get(PATH)))["links"] == []
    assert (await member.get(f"{PATH}/{link}")).status_code == 404
    assert (await member.get(f"{PATH}/{link}?after=0")).status_code == 404
    assert (await _put(member, link, "offer")).status_code == 404
    assert (await member.delete(f"{PATH}/{link}")).status_code == 404


@sqlite_only
@pytest.mark.parametrize(
    "commitment",
    ["", b64(b"c" * 31), b64(b"c" * 33), COMMITMENT + "=", "!" * 43, "A" * 42 + "B", 7, None],
)
async def test_a_commitment_is_32_bytes(stage: Stage, commitment: Any) -> None:
    person = await stage.operator()
    answer = await post(person, "/account/device-links", {"commitment": commitment})
    assert answer.status_code == 422


@sqlite_only
@pytest.mark.parametrize("value", ["", "!", "A", b64(b"v" * 2_049), "A" * 5_000, 7, None])
async def test_a_value_is_bounded(stage: Stage, value: Any) -> None:
    older, newer = await _two_devices(stage)
    link = await _link(newer)
    answer = await older.put(f"{PATH}/{link}/offer", json={"value": value})
    assert answer.status_code == 422
    assert (await _put(older, link, "offer", b"v" * 2_048)).status_code == 204


@sqlite_only
@pytest.mark.parametrize("after", ["-1", "4", "x", "1e9", ""])
async def test_a_strange_state_is_refused(stage: Stage, after: str) -> None:
    _, newer = await _two_devices(stage)
    link = await _link(newer)
    assert (await newer.get(f"{PATH}/{link}?after={after}")).status_code == 422


@sqlite_only
async def test_a_strange_slot_is_refused(stage: Stage) -> None:
    older, newer = await _two_devices(stage)
    link = await _link(newer)
    for slot in ("state", "commitment", "user_id"):
        assert (await _put(older, link, slot)).status_code in {404, 422}
