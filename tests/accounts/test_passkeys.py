"""Passkeys: good ceremonies, and what becomes of all others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from conclave.settings import HttpSettings, Settings
from tests.accounts.authenticator import AT, BE, BS, UP, UV, Authenticator, b64
from tests.accounts.steps import (
    account,
    add_passkey,
    good,
    invited,
    notices,
    offer_sign_in,
    post,
    sign_in,
    user,
)
from tests.databases import sqlite_only
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit

Algorithm = Any


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA"])
async def test_a_passkey_is_made_and_signs_in(stage: Stage, algorithm: Algorithm) -> None:
    person = await stage.operator()
    authenticator = Authenticator(algorithm)
    made = await add_passkey(person, authenticator)
    assert made == {
        "id": made["id"],
        "name": "Laptop",
        "created_at": "2026-01-01T00:00:00Z",
        "last_used_at": None,
        "is_backed_up": True,
    }
    elsewhere = stage.guest()
    answer = await good(await sign_in(elsewhere, authenticator))
    assert answer["user"]["id"] == (await user(person) or {})["id"]
    assert answer["user"]["has_sign_in"] is True
    (shown,) = (await account(elsewhere))["passkeys"]
    assert shown["last_used_at"] == "2026-01-01T00:00:00Z"


async def test_what_the_browser_is_asked_for(stage: Stage) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    creation = (await good(await post(person, "/account/passkeys/options")))["options"]
    assert creation["rp"] == {"name": "conclave", "id": "localhost"}
    assert creation["authenticatorSelection"]["residentKey"] == "required"
    assert creation["authenticatorSelection"]["userVerification"] == "required"
    assert creation["attestation"] == "none"
    assert {entry["alg"] for entry in creation["pubKeyCredParams"]} >= {-7, -8}
    (excluded,) = creation["excludeCredentials"]
    assert excluded["id"] == b64(authenticator.credentials[0].id)
    _, request = await offer_sign_in(stage.guest())
    assert request["rpId"] == "localhost"
    assert request["userVerification"] == "required"
    assert request["timeout"] == 300_000
    assert not request.get("allowCredentials"), "who may sign in here is nobody's business"
    own = await good(await post(person, "/account/reauthenticate/passkey/options"))
    assert [entry["id"] for entry in own["options"]["allowCredentials"]] == [excluded["id"]]


async def test_the_public_url_is_the_relying_party(
    settings: Settings, new_stage: Callable[[Settings], Stage]
) -> None:
    public = settings.model_copy(update={"http": HttpSettings(public_url="https://meet.example")})
    stage = new_stage(public)
    await stage.start()
    person = Person(stage, base_url="https://meet.example")
    from conclave import accounts

    token = await accounts.new_operator_link(stage.app.db, stage.clock)
    await good(await post(person, "/operator-link", {"token": token}))
    authenticator = Authenticator(origin="https://meet.example")
    await add_passkey(person, authenticator)
    assert authenticator.credentials[0].rp_id == "meet.example"
    guest = Person(stage, base_url="https://meet.example")
    await good(await sign_in(guest, authenticator))
    # Reached by another name: the browser would not show the passkey; an altered one gets nothing.
    beside = stage.guest()
    authenticator.origin = "http://localhost:8080"
    assert (await sign_in(beside, authenticator)).status_code == 401


CALM = {
    "type": "urn:conclave:problem:sign_in",
    "title": "Please sign in",
    "status": 401,
    "detail": "That did not work. Please check it and try again.",
    "code": "sign_in",
}


@sqlite_only
@pytest.mark.parametrize(
    "changes",
    [
        {"client": {"origin": "https://evil.example"}},
        {"client": {"origin": "http://localhost:8081"}},
        {"client": {"type": "webauthn.create"}},
        {"client": {"crossOrigin": True}},
        {"client": {"topOrigin": "https://evil.example"}},
        {"client": {"challenge": "AAAA"}},
        {"client": {"challenge": 7}},
        {"rp_id": "evil.example"},
        {"flags": UV},
        {"flags": UP},
        {"flags": UP | UV},  # it was made as one that can be backed up
        {"flags": UP | UV | BS},  # no authenticator says so
        {"flags": UP | UV | BE | BS | AT},
        {"user_handle": b"usr_somebody_else"},
        {"count": 0},
    ],
    ids=str,
)
async def test_a_bad_answer_gets_the_calm_one(stage: Stage, changes: dict[str, Any]) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    await good(await sign_in(stage.guest(), authenticator))
    elsewhere = stage.guest()
    answer = await sign_in(elsewhere, authenticator, **changes)
    assert (answer.status_code, answer.json()) == (401, CALM)
    assert "set-cookie" not in answer.headers
    await good(await sign_in(elsewhere, authenticator))


@sqlite_only
async def test_unknown_foreign_and_forged_get_the_same(stage: Stage) -> None:
    person = await stage.operator()
    authenticator, stranger = Authenticator(), Authenticator()
    await add_passkey(person, authenticator)
    offered = await good(await post(person, "/account/passkeys/options"))
    stranger.create(offered["options"])
    unknown = await sign_in(stage.guest(), stranger)
    forged = await sign_in(
        stage.guest(),
        authenticator,
        sign_by=stranger.credentials[0],
    )
    assert unknown.json() == forged.json() == CALM


@sqlite_only
@pytest.mark.parametrize("field", ["clientDataJSON", "authenticatorData", "signature"])
@pytest.mark.parametrize("value", ["", "AA", "!!", "\u00fc", "A" * 5, "AAAA" * 1_000])
async def test_garbage_in_a_field_is_refused(stage: Stage, field: str, value: str) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    challenge_id, options = await offer_sign_in(person)
    credential = authenticator.get(options)
    credential["response"][field] = value
    body = {"challenge_id": challenge_id, "credential": credential}
    answer = await post(stage.guest(), "/sign-in/passkey", body)
    assert answer.status_code in {401, 422}, answer.text


async def test_a_challenge_is_good_once(stage: Stage) -> None:
    person = await stage.operator()
    authenticator = Authenticator(counts=False)
    await add_passkey(person, authenticator)
    challenge_id, options = await offer_sign_in(person)
    body = {"challenge_id": challenge_id, "credential": authenticator.get(options)}
    await good(await post(stage.guest(), "/sign-in/passkey", body))
    replayed = await post(stage.guest(), "/sign-in/passkey", body)
    assert (replayed.status_code, replayed.json()) == (401, CALM)


async def test_a_failed_answer_uses_the_challenge_up(stage: Stage) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    challenge_id, options = await offer_sign_in(person)
    bad = authenticator.get(options, rp_id="evil.example")
    good_one = authenticator.get(options)
    for credential in (bad, good_one):
        answer = await post(
            stage.guest(),
            "/sign-in/passkey",
            {"challenge_id": challenge_id, "credential": credential},
        )
        assert answer.json() == CALM


async def test_a_challenge_ends_after_five_minutes(stage: Stage) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    challenge_id, options = await offer_sign_in(person)
    stage.clock.advance(timedelta(minutes=5))
    body = {"challenge_id": challenge_id, "credential": authenticator.get(options)}
    assert (await post(stage.guest(), "/sign-in/passkey", body)).json() == CALM


@sqlite_only
async def test_a_challenge_is_for_its_purpose_and_its_user(stage: Stage) -> None:
    person = await stage.operator()
    member = await invited(stage, person)
    mine, theirs = Authenticator(counts=False), Authenticator(counts=False)
    await add_passkey(person, mine)
    await add_passkey(member, theirs)
    again = "/account/reauthenticate/passkey"
    offered = await good(await post(person, f"{again}/options"))
    # Another purpose.
    body = {"challenge_id": offered["challenge_id"], "credential": mine.get(offered["options"])}
    assert (await post(stage.guest(), "/sign-in/passkey", body)).json() == CALM
    # Another user's challenge, with one's own passkey.
    offered = await good(await post(person, f"{again}/options"))
    body = {"challenge_id": offered["challenge_id"], "credential": theirs.get(offered["options"])}
    assert (await post(member, again, body)).json() == CALM
    # One's own challenge, with another user's passkey.
    offered = await good(await post(person, f"{again}/options"))
    body = {"challenge_id": offered["challenge_id"], "credential": theirs.get(offered["options"])}
    assert (await post(person, again, body)).json() == CALM
    # A sign-in's challenge proves nobody again.
    challenge_id, options = await offer_sign_in(person)
    body = {"challenge_id": challenge_id, "credential": mine.get(options)}
    assert (await post(person, again, body)).json() == CALM


async def test_a_counter_that_goes_back_is_refused_and_told(stage: Stage) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    for _ in range(3):
        await good(await sign_in(stage.guest(), authenticator))
    same = await sign_in(stage.guest(), authenticator, count=3)
    older = await sign_in(stage.guest(), authenticator, count=1)
    assert same.json() == older.json() == CALM
    assert (await notices(person)).count("passkey_refused") == 2
    authenticator.credentials[0].count = 9
    await good(await sign_in(stage.guest(), authenticator))


@sqlite_only
async def test_a_forged_counter_tells_nobody_anything(stage: Stage) -> None:
    """Only what a passkey has signed is worth a notice: others could fill the list."""
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    await good(await sign_in(stage.guest(), authenticator))
    other = Authenticator()
    offered = await good(await post(person, "/account/passkeys/options"))
    other.create(offered["options"])
    await sign_in(stage.guest(), authenticator, count=0, sign_by=other.credentials[0])
    assert "passkey_refused" not in await notices(person)


async def test_an_authenticator_without_counter_signs_in_again(stage: Stage) -> None:
    person = await stage.operator()
    authenticator = Authenticator(counts=False)
    await add_passkey(person, authenticator)
    for _ in range(3):
        await good(await sign_in(stage.guest(), authenticator))


@sqlite_only
@pytest.mark.parametrize(
    "changes",
    [
        {"client": {"origin": "https://evil.example"}},
        {"client": {"type": "webauthn.get"}},
        {"client": {"crossOrigin": True}},
        {"rp_id": "evil.example"},
        {"challenge": "AAAA"},
        {"flags": UP},
        {"flags": UV},
    ],
    ids=str,
)
async def test_a_bad_new_passkey_is_not_added(stage: Stage, changes: dict[str, Any]) -> None:
    person = await stage.operator()
    offered = await good(await post(person, "/account/passkeys/options"))
    body = {
        "challenge_id": offered["challenge_id"],
        "credential": Authenticator().create(offered["options"], **changes),
        "name": "Laptop",
    }
    answer = await post(person, "/account/passkeys", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "passkey")
    assert (await account(person))["passkeys"] == []


@sqlite_only
async def test_a_certified_attestation_is_not_looked_at(stage: Stage) -> None:
    import cbor2

    person = await stage.operator()
    offered = await good(await post(person, "/account/passkeys/options"))
    credential = Authenticator().create(offered["options"])
    from tests.accounts.authenticator import unb64

    made = cbor2.loads(unb64(credential["response"]["attestationObject"]))
    made |= {"fmt": "packed", "attStmt": {"alg": -7, "sig": b"x", "x5c": [b"certificate"]}}
    credential["response"]["attestationObject"] = b64(cbor2.dumps(made))
    body = {"challenge_id": offered["challenge_id"], "credential": credential, "name": "x"}
    assert (await post(person, "/account/passkeys", body)).json()["code"] == "passkey"


async def test_one_credential_belongs_to_one_account(stage: Stage) -> None:
    person = await stage.operator()
    member = await invited(stage, person)
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    offered = await good(await post(member, "/account/passkeys/options"))
    body = {
        "challenge_id": offered["challenge_id"],
        "credential": authenticator.create(
            offered["options"], credential_id=authenticator.credentials[0].id
        ),
        "name": "Copy",
    }
    answer = await post(member, "/account/passkeys", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "passkey_known")


@sqlite_only
async def test_twenty_are_enough(stage: Stage) -> None:
    person = await stage.operator()
    for number in range(20):
        await add_passkey(person, Authenticator(), f"Key {number}")
    offered = await good(await post(person, "/account/passkeys/options"))
    body = {
        "challenge_id": offered["challenge_id"],
        "credential": Authenticator().create(offered["options"]),
        "name": "One more",
    }
    answer = await post(person, "/account/passkeys", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "passkeys_full")


async def test_they_are_named_and_removed(stage: Stage) -> None:
    person = await stage.operator()
    first = await add_passkey(person, Authenticator(), "First")
    stage.clock.advance(1)
    second = await add_passkey(person, Authenticator(), "Second")
    path = "/api/v1/account/passkeys"
    answer = await person.patch(f"{path}/{first['id']}", json={"name": "  Yubikey \u00e4 "})
    assert answer.status_code == 204
    assert [own["name"] for own in (await account(person))["passkeys"]] == [
        "Yubikey \u00e4",
        "Second",
    ]
    stage.clock.advance(1)
    assert (await person.delete(f"{path}/{second['id']}")).status_code == 204
    refused = await person.delete(f"{path}/{first['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "last_way_in")
    assert len((await account(person))["passkeys"]) == 1
    assert (await person.delete(f"{path}/pky_unknown")).status_code == 404
    assert await notices(person) == ["passkey_removed", "passkey_added", "passkey_added"]


@sqlite_only
@pytest.mark.parametrize("name", ["", "   ", "x" * 65, "a\nb", "\u0000", "\u202eevil", 7, None])
async def test_a_name_can_be_shown(stage: Stage, name: Any) -> None:
    person = await stage.operator()
    made = await add_passkey(person, Authenticator())
    answer = await person.patch(f"/api/v1/account/passkeys/{made['id']}", json={"name": name})
    assert answer.status_code == 422


@sqlite_only
async def test_nobody_touches_another_ones(stage: Stage) -> None:
    person = await stage.operator()
    member = await invited(stage, person)
    made = await add_passkey(person, Authenticator())
    path = f"/api/v1/account/passkeys/{made['id']}"
    assert (await member.patch(path, json={"name": "mine"})).status_code == 404
    assert (await member.delete(path)).status_code == 404
    assert [own["name"] for own in (await account(person))["passkeys"]] == ["Laptop"]


@sqlite_only
async def test_challenges_are_limited_and_bounded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sqlalchemy import func, select

    from conclave.accounts.credentials import challenges
    from conclave.accounts.models import Challenge

    monkeypatch.setattr(challenges, "OPEN", 5)
    first = await offer_sign_in(stage.guest(address="203.0.113.1"))
    for number in range(2, 9):
        await offer_sign_in(stage.guest(address=f"203.0.113.{number}"))
    async with stage.app.db.read() as session:
        assert await session.scalar(select(func.count()).select_from(Challenge)) == 5
    del first
    person = stage.guest()
    statuses = [(await post(person, "/sign-in/passkey/options")).status_code for _ in range(61)]
    assert statuses == [200] * 60 + [429]


@sqlite_only
async def test_trying_is_limited_by_source(stage: Stage) -> None:
    person = await stage.operator()
    authenticator = Authenticator()
    await add_passkey(person, authenticator)
    attacker = stage.guest(address="203.0.113.9")
    body = {
        "challenge_id": "chl_unknown",
        "credential": authenticator.get((await offer_sign_in(attacker))[1]),
    }
    statuses = [(await post(attacker, "/sign-in/passkey", body)).status_code for _ in range(21)]
    assert statuses == [401] * 20 + [429]
    assert (await sign_in(stage.guest(address="203.0.113.10"), authenticator)).status_code == 200
