"""Sessions: who is signed in, for how long, and how it ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from conclave import accounts
from conclave.accounts.models import OperatorLink, Session
from conclave.settings import HttpSettings, Settings
from tests.databases import sqlite_only
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit


async def test_nobody_is_signed_in_at_first(stage: Stage) -> None:
    answer = await stage.guest().get("/api/v1/session")
    assert answer.status_code == 200
    assert answer.json()["user"] is None


async def test_signing_out_ends_the_session_everywhere(stage: Stage) -> None:
    person = await stage.operator()
    copy = stage.guest()
    copy.cookies.set("conclave", person.cookies["conclave"])
    answer = await person.delete("/api/v1/session")
    assert answer.status_code == 204
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert (await copy.get("/api/v1/session")).json()["user"] is None
    assert (await copy.get("/api/v1/meetings")).status_code == 401


async def test_signing_out_without_a_session_is_no_fault(stage: Stage) -> None:
    assert (await stage.guest().delete("/api/v1/session")).status_code == 204


async def test_a_session_ends_thirty_days_after_it_was_last_used(stage: Stage) -> None:
    person = await stage.operator()
    stage.clock.advance(timedelta(days=20))
    answer = await person.get("/api/v1/session")
    assert answer.json()["user"] is not None
    assert "Max-Age=2592000" in answer.headers["set-cookie"], "the cookie lives as long"
    stage.clock.advance(timedelta(days=29))
    assert (await person.get("/api/v1/meetings")).status_code == 200
    stage.clock.advance(timedelta(days=1))
    assert (await person.get("/api/v1/meetings")).status_code == 401
    assert (await person.get("/api/v1/session")).json()["user"] is None


async def test_reading_does_not_write_more_than_once_a_day(stage: Stage) -> None:
    person = await stage.operator()
    stage.clock.advance(timedelta(hours=23))
    assert "set-cookie" not in (await person.get("/api/v1/session")).headers
    stage.clock.advance(timedelta(hours=1))
    assert "set-cookie" in (await person.get("/api/v1/session")).headers
    assert "set-cookie" not in (await person.get("/api/v1/session")).headers


@sqlite_only
@pytest.mark.parametrize(
    "value", ["", "x", "A" * 43, "A" * 5_000, "%00", "a b", "'; DROP TABLE sessions; --"]
)
async def test_a_bad_cookie_is_nobody(stage: Stage, value: str) -> None:
    person = stage.guest()
    headers = {"cookie": f"conclave={value}"}
    answer = await person.get("/api/v1/session", headers=headers)
    assert answer.status_code == 200
    assert answer.json()["user"] is None
    assert (await person.get("/api/v1/meetings", headers=headers)).status_code == 401


async def test_tokens_are_stored_hashed(stage: Stage) -> None:
    link = await accounts.new_operator_link(stage.app.db, stage.clock)
    person = await stage.operator()
    cookie = person.cookies["conclave"]
    async with stage.app.db.read() as session:
        stored = [*await session.scalars(select(Session.token_hash))]
        stored += await session.scalars(select(OperatorLink.token_hash))
    assert stored
    for value in stored:
        assert len(value) == 32
        assert cookie.encode() not in value
        assert link.encode() not in value


async def test_expired_sessions_are_removed_when_somebody_signs_in(stage: Stage) -> None:
    await stage.operator()
    stage.clock.advance(timedelta(days=31))
    await stage.operator()
    async with stage.app.db.read() as session:
        assert len([*await session.scalars(select(Session.id))]) == 1


async def test_behind_tls_the_cookie_is_tied_to_the_host(
    settings: Settings, new_stage: Callable[[Settings], Stage]
) -> None:
    public = settings.model_copy(update={"http": HttpSettings(public_url="https://meet.example")})
    stage = new_stage(public)
    await stage.start()
    person = Person(stage, base_url="https://meet.example")
    token = await accounts.new_operator_link(stage.app.db, stage.clock)
    answer = await person.post("/api/v1/operator-link", json={"token": token})
    assert answer.headers["set-cookie"].startswith("__Host-conclave=")
    assert "Secure" in answer.headers["set-cookie"]
    secret = answer.headers["set-cookie"].partition("=")[2].partition(";")[0]
    plain = Person(stage, base_url="https://meet.example")
    forged = await plain.get("/api/v1/session", headers={"cookie": f"conclave={secret}"})
    assert forged.json()["user"] is None, "a cookie that a neighbour may have set does not count"
