"""Password and one-time code: whatever is wrong gets one answer, for one amount of work."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from conclave.accounts.credentials.hashing import Parameters, PasswordHashing
from conclave.accounts.models import Password, RecoveryCode
from conclave.settings import LimitsSettings, Settings
from tests.accounts.authenticator import Authenticator
from tests.accounts.steps import (
    LOGIN,
    PASSWORD,
    account,
    add_passkey,
    cheap_hashes,
    code,
    good,
    hashes_computed,
    invited,
    notices,
    post,
    set_password,
    sign_in_by_password,
    user,
)
from tests.databases import sqlite_only
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit


async def test_it_is_set_with_its_codes_and_signs_in(stage: Stage) -> None:
    person = await stage.operator()
    secret = await set_password(person)
    shown = await account(person)
    assert shown["password"] == {"is_set": True, "changed_at": "2026-01-01T00:00:00Z"}
    assert shown["user"]["login"] == LOGIN
    assert [notice["kind"] for notice in shown["notices"]] == ["password_set"]
    stage.clock.advance(30)
    elsewhere = stage.guest()
    answer = await good(await sign_in_by_password(elsewhere, code(stage, secret)))
    assert answer["user"]["has_sign_in"] is True
    assert (await user(elsewhere) or {})["id"] == shown["user"]["id"]


async def test_it_is_stored_as_argon2id(stage: Stage) -> None:
    person = await stage.operator()
    await set_password(person)
    async with stage.app.db.read() as session:
        stored = await session.scalar(select(Password.password_hash))
    assert stored is not None
    assert stored.startswith("$argon2id$v=19$")
    assert PASSWORD not in stored


def test_the_parameters_are_those_of_the_rfc() -> None:
    """RFC 9106, section 4: the second recommended option."""
    assert Parameters() == Parameters(
        memory_kib=65_536, passes=3, lanes=4, salt_bytes=16, hash_bytes=32
    )


async def test_a_code_is_good_once(stage: Stage) -> None:
    person = await stage.operator()
    secret = await set_password(person)
    used = code(stage, secret)
    assert (await sign_in_by_password(stage.guest(), used)).status_code == 401, "it set this up"
    stage.clock.advance(30)
    present = code(stage, secret)
    await good(await sign_in_by_password(stage.guest(), present))
    assert (await sign_in_by_password(stage.guest(), present)).status_code == 401
    assert (await sign_in_by_password(stage.guest(), used)).status_code == 401, "older by now"


async def test_of_two_with_one_code_one_gets_in(stage: Stage) -> None:
    person = await stage.operator()
    secret = await set_password(person)
    stage.clock.advance(30)
    present = code(stage, secret)
    people = [stage.guest(address=f"198.51.100.{number}") for number in range(30, 34)]
    answers = await asyncio.gather(*(sign_in_by_password(person, present) for person in people))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (0, 200), (1, 200), (2, 401)])
@sqlite_only
async def test_clocks_may_differ_by_one_step(stage: Stage, steps: int, status: int) -> None:
    person = await stage.operator()
    secret = await set_password(person)
    stage.clock.advance(300)
    answer = await sign_in_by_password(stage.guest(), code(stage, secret, steps=steps))
    assert answer.status_code == status


async def test_whatever_is_wrong_gets_one_answer_for_the_same_work(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    suspended = await invited(stage, operator, "198.51.100.21")
    secret = await set_password(member)
    gone = await set_password(suspended, login="berta")
    await add_passkey(operator, Authenticator())
    assert (
        await operator.put("/api/v1/account/login", json={"login": "no.password"})
    ).status_code == 204
    user_id = (await user(suspended) or {})["id"]
    assert (await post(operator, f"/members/{user_id}/suspend")).status_code == 204
    stage.clock.advance(30)
    right, wrong = code(stage, secret), f"{(int(code(stage, secret)) + 1) % 1_000_000:06}"
    attempts: list[tuple[str, dict[str, Any]]] = [
        (right, {"login": "nobody@example.org"}),
        (right, {"login": "no.password"}),
        (right, {"password": "another password"}),
        (wrong, {}),
        ("AAAAA-AAAAA-AAAAA-AAAAA", {}),
        (code(stage, gone), {"login": "berta"}),
        ("", {}),
        ("not a code at all", {}),
        ("\u0661\u0662\u0663\u0664\u0665\u0666", {}),
    ]
    answers = []
    for number, (typed, changes) in enumerate(attempts):
        before = hashes_computed(stage)
        events = await stage.app.outbox.head()
        guest = stage.guest(address=f"203.0.113.{number}")
        answer = await sign_in_by_password(guest, typed, **changes)
        assert answer.status_code == 401, (typed, changes)
        assert hashes_computed(stage) == before + 1, (typed, changes)
        assert await stage.app.outbox.head() == events + 1, (typed, changes)
        assert "set-cookie" not in answer.headers
        answers.append(answer.json())
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["code"] == "sign_in"
    await good(await sign_in_by_password(stage.guest(), right))


@sqlite_only
async def test_a_login_is_compared_folded(stage: Stage) -> None:
    person = await stage.operator()
    secret = await set_password(person, login="Anna.M\u00fcller")
    stage.clock.advance(30)
    decomposed = "  ANNA.MU\u0308LLER "
    await good(await sign_in_by_password(stage.guest(), code(stage, secret), login=decomposed))


@sqlite_only
async def test_a_password_is_compared_normalised(stage: Stage) -> None:
    person = await stage.operator()
    secret = await set_password(person, password="gr\u00fcne Giraffe 7")
    stage.clock.advance(30)
    await good(
        await sign_in_by_password(
            stage.guest(), code(stage, secret), password="gru\u0308ne Giraffe 7"
        )
    )


async def test_a_recovery_code_stands_in_for_the_app(stage: Stage) -> None:
    person = await stage.operator()
    await set_password(person)
    codes = (await good(await post(person, "/account/recovery-codes")))["codes"]
    guest = stage.guest()
    assert (
        await sign_in_by_password(guest, codes[0], password="another password")
    ).status_code == 401
    await good(await sign_in_by_password(guest, codes[0].lower().replace("-", " ")))
    assert (await sign_in_by_password(stage.guest(), codes[0])).status_code == 401
    assert (await account(person))["recovery_codes_left"] == 9
    assert "recovery_code_used" in await notices(person)


@sqlite_only
async def test_somebody_elses_recovery_code_is_none(stage: Stage) -> None:
    operator = await stage.operator()
    await set_password(operator)
    member = await invited(stage, operator)
    codes = (await good(await post(member, "/account/recovery-codes")))["codes"]
    assert (await sign_in_by_password(stage.guest(), codes[0])).status_code == 401
    assert (await account(member))["recovery_codes_left"] == 10


@sqlite_only
@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "eleven chars"[:11],
        "password1234",
        "PASSWORD1234",
        "aaaaaaaaaaaa",
        "abcabcabcabc",
        "qwertyuiopas",
        "123456789012",
        LOGIN,
        LOGIN.upper(),
        "x" * 257,
        7,
        None,
    ],
)
async def test_a_weak_password_is_refused(stage: Stage, password: Any) -> None:
    person = await stage.operator()
    cheap_hashes(stage)
    await person.put("/api/v1/account/login", json={"login": LOGIN})
    answer = await post(person, "/account/password/begin", {"password": password})
    assert answer.status_code == 422
    assert hashes_computed(stage) == 0


@sqlite_only
async def test_half_a_letter_is_no_password(stage: Stage) -> None:
    """A lone surrogate is JSON, but no text."""
    person = await stage.operator()
    body = b'{"login": "anna", "password": "\\ud800 and more of it", "code": "123456"}'
    answer = await person.post(
        "/api/v1/sign-in/password", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422


@sqlite_only
async def test_a_password_needs_a_login(stage: Stage) -> None:
    person = await stage.operator()
    answer = await post(person, "/account/password/begin", {"password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_login")


@sqlite_only
async def test_a_set_up_is_for_its_user_and_for_ten_minutes(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    cheap_hashes(stage)
    await operator.put("/api/v1/account/login", json={"login": LOGIN})
    begun = await good(await post(operator, "/account/password/begin", {"password": PASSWORD}))
    body = {"setup_id": begun["setup_id"], "code": "000000"}
    confirm = "/account/password/confirm"
    assert (await post(member, confirm, body)).status_code == 404
    wrong = await post(operator, confirm, body)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "code")
    stage.clock.advance(timedelta(minutes=10))
    assert (await post(operator, confirm, body)).status_code == 404
    assert (await account(operator))["password"] == {"is_set": False, "changed_at": None}


@sqlite_only
async def test_the_uri_is_what_apps_read(stage: Stage) -> None:
    person = await stage.operator()
    cheap_hashes(stage)
    await person.put("/api/v1/account/login", json={"login": "Anna M\u00fcller".replace(" ", ".")})
    begun = await good(await post(person, "/account/password/begin", {"password": PASSWORD}))
    assert begun["uri"] == (
        f"otpauth://totp/conclave:Anna.M%C3%BCller?secret={begun['secret']}&issuer=conclave"
    )
    assert len(begun["secret"]) == 32


async def test_it_is_removed_unless_it_is_the_last_way_in(stage: Stage) -> None:
    person = await stage.operator()
    await set_password(person)
    refused = await person.delete("/api/v1/account/password")
    assert (refused.status_code, refused.json()["code"]) == (409, "last_way_in")
    await add_passkey(person, Authenticator())
    assert (await person.delete("/api/v1/account/password")).status_code == 204
    assert (await person.delete("/api/v1/account/password")).status_code == 404
    assert (await account(person))["password"]["is_set"] is False


@sqlite_only
@pytest.mark.parametrize(
    "login",
    [
        "",
        "  ",
        "ab",
        "a" * 65,
        "two words",
        "a\u200bbc",
        "\u202eabc",
        "<script>",
        "@example.org",
        "anna@",
        "anna@-example.org",
        "anna@exa mple.org",
        "anna@example.org\r\nBcc: x@example.org",
        "a" * 65 + "@example.org",
        "anna@" + "a" * 260,
        7,
        None,
    ],
)
async def test_what_is_no_login(stage: Stage, login: Any) -> None:
    person = await stage.operator()
    answer = await person.put("/api/v1/account/login", json={"login": login})
    assert answer.status_code == 422


async def test_a_login_belongs_to_one(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    path = "/api/v1/account/login"
    assert (await operator.put(path, json={"login": "Stra\u00dfe"})).status_code == 204
    taken = await member.put(path, json={"login": "STRASSE"})
    assert (taken.status_code, taken.json()["code"]) == (409, "login_taken")
    assert (await operator.put(path, json={"login": "strasse"})).status_code == 204
    answers = await asyncio.gather(
        operator.put(path, json={"login": "same"}), member.put(path, json={"login": "SAME"})
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409]


@sqlite_only
async def test_guessing_is_slowed_down_by_account_and_spares_its_owner(stage: Stage) -> None:
    person = await stage.operator()
    secret = await set_password(person)
    stage.clock.advance(30)
    home = stage.guest(address="198.51.100.99")
    await good(await sign_in_by_password(home, code(stage, secret)))
    stage.clock.advance(timedelta(minutes=10))
    for login in (LOGIN, "nobody@example.org"):
        statuses = [
            (
                await sign_in_by_password(
                    stage.guest(address=f"203.0.113.{number}"), "000000", login=login
                )
            ).status_code
            for number in range(12)
        ]
        assert statuses == [401] * 10 + [429] * 2, login
    stage.clock.advance(30)
    stranger = await sign_in_by_password(stage.guest(), code(stage, secret))
    assert stranger.status_code == 429
    await good(await sign_in_by_password(home, code(stage, secret)))


async def test_the_owner_hears_of_refused_sign_ins(stage: Stage) -> None:
    person = await stage.operator()
    await set_password(person)
    for number in range(5):
        await sign_in_by_password(stage.guest(address=f"203.0.113.{number}"), "000000")
        await stage.settled()
        told = [n for n in (await account(person))["notices"] if n["kind"] == "sign_ins_failed"]
        assert [notice["details"] for notice in told] == (
            [] if number < 2 else [{"count": number + 1}]
        )


@sqlite_only
async def test_a_flood_takes_no_more_memory_than_two_hashes(stage: Stage) -> None:
    hashing = stage.app.use(PasswordHashing)
    hashing.parameters = Parameters(memory_kib=8_192, passes=20, lanes=1)
    people = [stage.guest(address=f"203.0.113.{number}") for number in range(80)]
    answers = await asyncio.gather(
        *(
            sign_in_by_password(person, "000000", login=f"somebody{number}")
            for number, person in enumerate(people)
        )
    )
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {401, 429}
    assert statuses.count(401) >= 34
    assert hashes_computed(stage) == statuses.count(401)


@sqlite_only
async def test_older_parameters_are_replaced_at_the_next_sign_in(stage: Stage) -> None:
    person = await stage.operator()
    secret = await set_password(person)
    stage.app.use(PasswordHashing).parameters = Parameters(memory_kib=16, passes=1, lanes=1)
    stage.clock.advance(30)
    await good(await sign_in_by_password(stage.guest(), code(stage, secret)))
    async with stage.app.db.read() as session:
        stored = await session.scalar(select(Password.password_hash))
    assert "m=16,t=1,p=1" in (stored or "")
    stage.clock.advance(30)
    await good(await sign_in_by_password(stage.guest(), code(stage, secret)))


async def test_a_recovery_code_alone_signs_in_once(stage: Stage) -> None:
    person = await stage.operator()
    first = (await good(await post(person, "/account/recovery-codes")))["codes"]
    codes = (await good(await post(person, "/account/recovery-codes")))["codes"]
    assert len(set(codes)) == 10
    guest = stage.guest()
    assert (await post(guest, "/sign-in/recovery", {"code": first[0]})).status_code == 401
    typed = codes[3].replace("0", "o").replace("1", "l").lower()
    answer = await good(await post(guest, "/sign-in/recovery", {"code": typed}))
    assert answer["user"]["unseen_notices"] > 0
    await add_passkey(guest, Authenticator())
    again = await post(stage.guest(), "/sign-in/recovery", {"code": codes[3]})
    assert (again.status_code, again.json()["code"]) == (401, "sign_in")
    async with stage.app.db.read() as session:
        stored = [*await session.scalars(select(RecoveryCode.code_hash))]
    assert len(stored) == 9
    assert all(len(value) == 32 for value in stored)


@sqlite_only
@pytest.mark.parametrize("typed", ["", "x", "A" * 20, "\u00e4" * 20, "U" * 20, "A" * 65, "0" * 64])
async def test_what_is_no_recovery_code(stage: Stage, typed: str) -> None:
    answer = await post(stage.guest(), "/sign-in/recovery", {"code": typed})
    assert answer.status_code in {401, 422}


@sqlite_only
async def test_limits_are_settings(
    settings: Settings, new_stage: Callable[[Settings], Stage]
) -> None:
    few = settings.model_copy(
        update={"limits": LimitsSettings(sign_ins_per_source=3, sign_ins_per_account=2)}
    )
    stage = new_stage(few)
    await stage.start()
    cheap_hashes(stage)
    guest = stage.guest()
    statuses = [(await sign_in_by_password(guest, "000000")).status_code for _ in range(4)]
    assert statuses == [401, 401, 429, 429]
    assert isinstance(guest, Person)
