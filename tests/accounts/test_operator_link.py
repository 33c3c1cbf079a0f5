"""The operator's way in: one link, one use, one day."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from conclave import accounts
from conclave.accounts.models import Session, User
from tests.databases import sqlite_only
from tests.stage import Stage

pytestmark = pytest.mark.unit


async def test_the_first_link_makes_the_account_and_a_session(stage: Stage) -> None:
    assert not await accounts.has_operator(stage.app.db)
    person = stage.guest()
    token = await accounts.new_operator_link(stage.app.db, stage.clock)

    answer = await person.post("/api/v1/operator-link", json={"token": token})

    assert answer.status_code == 200
    user = answer.json()["user"]
    assert user["role"] == "operator"
    assert user["id"].startswith("usr_")
    assert user["created_at"] == "2026-01-01T00:00:00Z"
    assert (user["login"], user["has_sign_in"], user["unseen_notices"]) == (None, False, 0)
    session = (await person.get("/api/v1/session")).json()
    assert session == {"user": user, "registration": "closed"}
    assert await accounts.has_operator(stage.app.db)


async def test_the_cookie_is_not_readable_by_script_and_bound_to_the_host(stage: Stage) -> None:
    token = await accounts.new_operator_link(stage.app.db, stage.clock)
    answer = await stage.guest().post("/api/v1/operator-link", json={"token": token})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("conclave=")
    for part in ("HttpOnly", "Path=/", "SameSite=lax", "Max-Age=2592000"):
        assert part in cookie
    assert "Domain" not in cookie
    assert token not in cookie


async def test_a_later_link_leads_to_the_same_account(stage: Stage) -> None:
    first = await stage.operator()
    second = await stage.operator()
    assert (await first.get("/api/v1/session")).json() == (
        await second.get("/api/v1/session")
    ).json()


async def test_a_link_works_once(stage: Stage) -> None:
    token = await accounts.new_operator_link(stage.app.db, stage.clock)
    assert (
        await stage.guest().post("/api/v1/operator-link", json={"token": token})
    ).status_code == 200
    again = await stage.guest().post("/api/v1/operator-link", json={"token": token})
    assert again.status_code == 404
    assert again.json()["code"] == "not_found"
    assert "set-cookie" not in again.headers


async def test_of_many_that_come_at_once_one_wins(stage: Stage) -> None:
    token = await accounts.new_operator_link(stage.app.db, stage.clock)
    people = [stage.guest(address=f"198.51.100.{number}") for number in range(10, 18)]
    answers = await asyncio.gather(
        *(person.post("/api/v1/operator-link", json={"token": token}) for person in people)
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 7
    async with stage.app.db.read() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 1
        assert await session.scalar(select(func.count()).select_from(Session)) == 1


async def test_a_link_ends_after_a_day(stage: Stage) -> None:
    token = await accounts.new_operator_link(stage.app.db, stage.clock)
    stage.clock.advance(timedelta(hours=24))
    answer = await stage.guest().post("/api/v1/operator-link", json={"token": token})
    assert answer.status_code == 404


async def test_a_new_link_replaces_an_unused_one(stage: Stage) -> None:
    old = await accounts.new_operator_link(stage.app.db, stage.clock)
    new = await accounts.new_operator_link(stage.app.db, stage.clock)
    post = stage.guest().post
    assert (await post("/api/v1/operator-link", json={"token": old})).status_code == 404
    assert (await post("/api/v1/operator-link", json={"token": new})).status_code == 200


@sqlite_only
@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 44, "ü" * 43, "A" * 42 + "\n", "\0"])
async def test_unknown_used_and_malformed_get_one_answer(stage: Stage, token: str) -> None:
    answer = await stage.guest().post("/api/v1/operator-link", json={"token": token})
    unknown = await stage.guest().post("/api/v1/operator-link", json={"token": "B" * 43})
    assert answer.status_code == 404
    assert answer.json() == unknown.json()


@sqlite_only
async def test_guessing_is_slowed_down_by_source(stage: Stage) -> None:
    person = stage.guest(address="2001:db8:1:2::1")
    neighbour = stage.guest(address="2001:db8:1:2:ffff::9")  # of the same /64
    stranger = stage.guest(address="2001:db8:1:3::1")
    for _ in range(20):
        await person.post("/api/v1/operator-link", json={"token": "A" * 43})
    refused = await neighbour.post("/api/v1/operator-link", json={"token": "A" * 43})
    assert refused.status_code == 429
    assert refused.json()["code"] == "limit_reached"
    assert int(refused.headers["retry-after"]) >= 1
    free = await stranger.post("/api/v1/operator-link", json={"token": "A" * 43})
    assert free.status_code == 404
    stage.clock.advance(timedelta(minutes=10))
    assert (await person.post("/api/v1/operator-link", json={"token": "A" * 43})).status_code == 404


async def test_a_planted_session_is_worth_nothing_after_signing_in(stage: Stage) -> None:
    first = await stage.operator()
    planted = first.cookies["conclave"]
    token = await accounts.new_operator_link(stage.app.db, stage.clock)
    victim = stage.guest()
    victim.cookies.set("conclave", planted)
    await victim.post("/api/v1/operator-link", json={"token": token})
    assert (await first.get("/api/v1/session")).json()["user"] is None
    assert (await victim.get("/api/v1/meetings")).status_code == 200
