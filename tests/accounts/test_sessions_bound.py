"""Sessions: listed, revoked, rotated, at home where they were proven; browsers that are new."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from conclave.accounts.models import KnownDevice, Session
from conclave.settings import AccountsSettings, Settings
from tests.accounts.authenticator import Authenticator
from tests.accounts.steps import (
    PASSWORD,
    account,
    add_passkey,
    code,
    good,
    invited,
    notices,
    post,
    set_password,
    sign_in,
    user,
)
from tests.databases import sqlite_only
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit

V6 = "2001:db8:1:2::3"


def _moved(person: Person, address: str) -> Person:
    """A browser at `address` with the cookies of `person`."""
    copy = person.stage.guest(address=address)
    copy.cookies.update(person.cookies)
    return copy


async def test_they_are_listed_with_browser_and_network(stage: Stage) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    stage.clock.advance(60)
    phone = stage.guest(address=V6)
    phone.headers["user-agent"] = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Firefox/140.0"
    await good(await sign_in(phone, authenticator))
    newest, first = (await account(phone))["sessions"]
    assert newest == {
        "id": newest["id"],
        "browser": "Firefox on Android",
        "place": "2001:db8:1::/48",
        "method": "passkey",
        "created_at": "2026-01-01T00:01:00Z",
        "last_seen_at": "2026-01-01T00:01:00Z",
        "is_current": True,
    }
    assert (first["method"], first["place"], first["is_current"]) == (
        "operator_link",
        "198.51.100.0/24",
        False,
    )


async def test_they_are_revoked_one_by_one_and_all_others(stage: Stage) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    others = [stage.guest(address=f"198.51.100.{number}") for number in range(40, 43)]
    for other in others:
        await good(await sign_in(other, authenticator))
    path = "/api/v1/account/sessions"
    (mine,) = [own for own in (await account(others[0]))["sessions"] if own["is_current"]]
    assert (await person.delete(f"{path}/{mine['id']}")).status_code == 204
    assert await user(others[0]) is None
    assert (await person.delete(f"{path}/{mine['id']}")).status_code == 404
    assert (await person.delete(path)).status_code == 204
    assert [own["is_current"] for own in (await account(person))["sessions"]] == [True]
    assert await user(others[1]) is None


@sqlite_only
async def test_nobody_revokes_another_ones(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    (mine,) = (await account(operator))["sessions"]
    path = f"/api/v1/account/sessions/{mine['id']}"
    assert (await member.delete(path)).status_code == 404
    assert await user(operator) is not None


async def test_dangerous_acts_need_a_new_proof_after_ten_minutes(stage: Stage) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    assert (await account(person))["fresh_until"] == "2026-01-01T00:10:00Z"
    stage.clock.advance(timedelta(minutes=10))
    assert (await account(person))["fresh_until"] is None
    made = (await account(person))["passkeys"][0]
    for method, path, body in (
        ("POST", "/account/passkeys/options", {}),
        ("DELETE", f"/account/passkeys/{made['id']}", None),
        ("PUT", "/account/login", {"login": "anna"}),
        ("POST", "/account/password/begin", {"password": "x" * 12}),
        ("DELETE", "/account/password", None),
        ("POST", "/account/recovery-codes", {}),
        ("DELETE", "/account", None),
        ("POST", "/members/invitations", {"role": "operator"}),
        ("PUT", "/members/usr_1/role", {"role": "member"}),
        ("DELETE", "/members/usr_1", None),
        ("POST", "/members/usr_1/reset", None),
    ):
        answer = await person.request(method, f"/api/v1{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (403, "reauthenticate"), path
    before = person.cookies["conclave"]
    offered = await good(await post(person, "/account/reauthenticate/passkey/options"))
    proof = {
        "challenge_id": offered["challenge_id"],
        "credential": authenticator.get(offered["options"]),
    }
    proven = await good(await post(person, "/account/reauthenticate/passkey", proof))
    assert proven == {"fresh_until": "2026-01-01T00:20:00Z"}
    assert person.cookies["conclave"] != before, "the token is another one"
    assert (await post(person, "/account/recovery-codes")).status_code == 200
    old = stage.guest()
    old.cookies.set("conclave", before)
    assert await user(old) is None


async def test_a_password_proves_again_as_well(stage: Stage) -> None:
    person = await stage.operator()
    secret = await set_password(person)
    stage.clock.advance(timedelta(minutes=11))
    path = "/account/reauthenticate/password"
    for wrong in (
        {"password": PASSWORD, "code": "000000"},
        {"password": "wrong", "code": code(stage, secret)},
    ):
        answer = await post(person, path, wrong)
        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in")
    body = {"password": PASSWORD, "code": code(stage, secret)}
    await good(await post(person, path, body))
    assert (await account(person))["fresh_until"] is not None
    assert (await post(person, path, body)).status_code == 401, "the code is used up"


@sqlite_only
async def test_who_guesses_with_a_copied_cookie_locks_nobody_out(stage: Stage) -> None:
    person = await stage.operator()
    secret = await set_password(person)
    stage.clock.advance(30)
    thief = _moved(person, V6)
    path = "/account/reauthenticate/password"
    guesses = [
        (await post(thief, path, {"password": "guess", "code": "000000"})).status_code
        for _ in range(11)
    ]
    assert guesses == [401] * 10 + [429]
    right = {"password": PASSWORD, "code": code(stage, secret)}
    assert (await post(thief, path, right)).status_code == 429
    await good(await post(person, path, right))


async def test_a_session_used_from_another_family_is_refused_and_told(stage: Stage) -> None:
    person = await stage.operator()
    meeting = await stage.meeting(person)
    thief = _moved(person, V6)
    for method, path in (
        ("GET", "/api/v1/session"),
        ("GET", "/api/v1/meetings"),
        ("POST", "/api/v1/meetings"),
        ("GET", "/api/v1/vault"),
        ("GET", "/api/v1/account"),
        ("GET", "/api/v1/members"),
    ):
        answer = await thief.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "session_moved"), path
    socket = await thief.socket("/api/v1/realtime")
    assert (socket.status, socket.problem["code"]) == (401, "session_moved")
    looked = await good(await thief.get(f"/api/v1/meetings/{meeting}"))
    assert looked["is_host"] is False, "a guest, like everybody with the link"
    (told,) = (await account(person))["notices"]
    assert (told["kind"], told["details"]) == (
        "session_moved",
        {"browser": "Browser", "place": "2001:db8:1::/48"},
    )
    assert await user(person) is not None, "the owner is still signed in"


async def test_proving_oneself_there_adds_the_family(stage: Stage) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    moved = _moved(person, V6)
    assert (await moved.get("/api/v1/account")).status_code == 401
    offered = await good(await post(moved, "/account/reauthenticate/passkey/options"))
    body = {
        "challenge_id": offered["challenge_id"],
        "credential": authenticator.get(offered["options"]),
    }
    await good(await post(moved, "/account/reauthenticate/passkey", body))
    assert await user(moved) is not None
    back = _moved(moved, "198.51.100.1")
    assert await user(back) is not None, "at home in both"


async def test_signing_in_there_keeps_the_older_family(stage: Stage) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    moved = _moved(person, V6)
    await good(await sign_in(moved, authenticator))
    assert await user(_moved(moved, "198.51.100.1")) is not None
    assert await user(person) is None, "replaced"
    fresh = stage.guest(address=V6)
    await good(await sign_in(fresh, authenticator))
    answer = await _moved(fresh, "198.51.100.1").get("/api/v1/session")
    assert answer.json()["code"] == "session_moved", "proven in one family only"


@sqlite_only
async def test_another_network_of_the_same_family_is_no_matter(stage: Stage) -> None:
    person = await stage.operator()
    assert await user(_moved(person, "203.0.113.200")) is not None
    assert await user(_moved(person, "::ffff:203.0.113.200")) is not None


@sqlite_only
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_the_machine_itself_has_not_moved(stage: Stage, address: str) -> None:
    person = await stage.operator()
    assert await user(_moved(person, address)) is not None


@sqlite_only
async def test_what_was_proven_on_the_machine_stays_there(stage: Stage) -> None:
    from conclave import accounts

    local = stage.guest(address="127.0.0.1")
    token = await accounts.new_operator_link(stage.app.db, stage.clock)
    await good(await post(local, "/operator-link", {"token": token}))
    assert await user(_moved(local, "::1")) is not None
    assert (await _moved(local, V6).get("/api/v1/session")).status_code == 401


@sqlite_only
async def test_binding_can_be_switched_off(
    settings: Settings, new_stage: Callable[[Settings], Stage]
) -> None:
    loose = settings.model_copy(update={"accounts": AccountsSettings(bind_sessions=False)})
    stage = new_stage(loose)
    await stage.start()
    person = await stage.operator()
    assert await user(_moved(person, V6)) is not None


@sqlite_only
async def test_a_thief_cannot_fill_the_list(stage: Stage) -> None:
    person = await stage.operator()
    thief = _moved(person, V6)
    for _ in range(20):
        await thief.get("/api/v1/session")
    assert await notices(person) == ["session_moved"]
    stage.clock.advance(timedelta(hours=1))
    await thief.get("/api/v1/session")
    assert await notices(person) == ["session_moved"] * 2


@sqlite_only
async def test_a_thief_can_sign_out_and_no_more(stage: Stage) -> None:
    person = await stage.operator()
    thief = _moved(person, V6)
    assert (await thief.delete("/api/v1/session")).status_code == 204
    assert await user(person) is None


async def test_a_session_from_before_is_bound_where_it_is_used(stage: Stage) -> None:
    """Rows of schema 6: no family, never proven."""
    person = await stage.operator()
    async with stage.app.db.transaction() as tx:
        await tx.execute(
            update(Session).values(families="", authenticated_at=None, last_seen_at=None)
        )
    assert await user(person) is not None
    assert (await account(person))["fresh_until"] is None
    assert (await _moved(person, V6).get("/api/v1/session")).status_code == 401


async def test_a_new_browser_is_told_a_known_one_is_not(stage: Stage) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    assert "new_device" not in await notices(person), "the first one is no news"
    stage.clock.advance(1)
    phone = stage.guest()
    answer = await sign_in(phone, authenticator)
    cookie = answer.headers.get_list("set-cookie")[1]
    assert cookie.startswith("conclave-device=")
    assert all(part in cookie for part in ("HttpOnly", "SameSite=lax", "Max-Age=34560000"))
    assert (await notices(person))[0] == "new_device"
    (told, *_) = (await account(person))["notices"]
    assert told["details"] == {
        "browser": "Browser",
        "place": "198.51.100.0/24",
        "method": "passkey",
    }
    await phone.delete("/api/v1/session")
    await good(await sign_in(phone, authenticator))
    assert (await notices(person)).count("new_device") == 1


@sqlite_only
async def test_one_browser_may_be_two_peoples(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    hers, his = Authenticator(), Authenticator()
    await add_passkey(operator, hers)
    await add_passkey(member, his)
    shared = stage.guest()
    for authenticator in (hers, his, hers, his):
        await good(await sign_in(shared, authenticator))
    assert (await notices(operator)).count("new_device") == 1
    assert (await notices(member)).count("new_device") == 1


@sqlite_only
@pytest.mark.parametrize("planted", ["A" * 43, "x", "", "A" * 5_000])
async def test_a_planted_device_cookie_is_replaced(stage: Stage, planted: str) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    stage.clock.advance(1)
    victim = stage.guest()
    challenge = await good(await post(victim, "/sign-in/passkey/options"))
    body = {
        "challenge_id": challenge["challenge_id"],
        "credential": authenticator.get(challenge["options"]),
    }
    answer = await victim.post(
        "/api/v1/sign-in/passkey", json=body, headers={"cookie": f"conclave-device={planted}"}
    )
    assert answer.status_code == 200
    assert answer.cookies["conclave-device"] != planted
    assert (await notices(person))[0] == "new_device"


@sqlite_only
async def test_known_browsers_are_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from conclave.accounts.sessions import start

    monkeypatch.setattr(start, "DEVICES_KEPT", 3)
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    for number in range(6):
        await good(await sign_in(stage.guest(address=f"203.0.113.{number}"), authenticator))
    async with stage.app.db.read() as session:
        assert await session.scalar(select(func.count()).select_from(KnownDevice)) == 3


@sqlite_only
async def test_notices_are_bounded_and_seen(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from conclave.accounts import notices as module

    monkeypatch.setattr(module, "KEPT", 4)
    person = await stage.operator()
    for _ in range(6):
        await post(person, "/account/recovery-codes")
    assert (await user(person) or {})["unseen_notices"] == 4
    assert len(await notices(person)) == 4
    assert (await post(person, "/account/notices/seen")).status_code == 204
    assert (await user(person) or {})["unseen_notices"] == 0
    assert all(notice["is_seen"] for notice in (await account(person))["notices"])


@sqlite_only
async def test_two_pages_at_once_survive_a_rotation(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    user_id = (await user(member) or {})["id"]
    before = member.cookies["conclave"]
    answer = await operator.put(f"/api/v1/members/{user_id}/role", json={"role": "operator"})
    assert answer.status_code == 204
    answers = await asyncio.gather(*(member.get("/api/v1/session") for _ in range(3)))
    assert all(answer.status_code == 200 for answer in answers)
    assert member.cookies["conclave"] != before, "rights have changed, and so has the token"
    assert (await user(member) or {})["role"] == "operator"


@sqlite_only
async def test_last_seen_is_noted_once_an_hour(stage: Stage) -> None:
    person = await stage.operator()
    stage.clock.advance(timedelta(minutes=59))
    await user(person)
    assert (await account(person))["sessions"][0]["last_seen_at"] == "2026-01-01T00:00:00Z"
    stage.clock.advance(timedelta(minutes=1))
    await user(person)
    assert (await account(person))["sessions"][0]["last_seen_at"] == "2026-01-01T01:00:00Z"
