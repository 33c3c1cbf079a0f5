"""Members: invited, led back, given roles, suspended, removed; and what they may not do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from conclave.accounts.models import Session, User, Vault, WelcomeLink
from conclave.accounts.people import _OWNED
from conclave.settings import AccountsSettings, Settings
from tests.accounts.authenticator import Authenticator
from tests.accounts.steps import (
    account,
    add_passkey,
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


async def _invite(operator: Person, **body: Any) -> dict[str, Any]:
    made: dict[str, Any] = await good(
        await post(operator, "/members/invitations", {"role": "member", **body}), 201
    )
    return made


def _token(link: dict[str, Any]) -> str:
    return str(link["url"]).partition("#")[2]


async def _id(person: Person) -> str:
    return str((await user(person) or {})["id"])


async def test_an_invitation_makes_a_member(stage: Stage) -> None:
    operator = await stage.operator()
    stage.clock.advance(1)
    link = await _invite(operator, login="Berta@Example.org")
    assert link["url"].startswith("http://localhost:8080/welcome#")
    assert (link["expires_at"], link["mailed"], link["mail_error"]) == (
        "2026-01-08T00:00:01Z",
        False,
        None,
    )
    listed = await good(await operator.get("/api/v1/members"))
    assert listed["invitations"] == [
        {
            "id": link["id"],
            "role": "member",
            "login": "Berta@Example.org",
            "created_at": "2026-01-01T00:00:01Z",
            "expires_at": "2026-01-08T00:00:01Z",
        }
    ]
    assert listed["can_mail"] is False
    guest = stage.guest()
    looked = await good(await post(guest, "/welcome/look", {"token": _token(link)}))
    assert looked == {
        "kind": "invitation",
        "role": "member",
        "login": "Berta@Example.org",
        "expires_at": "2026-01-08T00:00:01Z",
    }
    joined = await good(await post(guest, "/welcome", {"token": _token(link)}))
    assert (joined["user"]["role"], joined["user"]["login"]) == ("member", "Berta@Example.org")
    assert joined["user"]["has_sign_in"] is False
    await add_passkey(guest, Authenticator())
    listed = await good(await operator.get("/api/v1/members"))
    assert listed["invitations"] == []
    assert [(m["role"], m["passkeys"], m["has_password"]) for m in listed["members"]] == [
        ("operator", 0, False),
        ("member", 1, False),
    ]
    assert listed["members"][1]["is_suspended"] is False


async def test_a_link_is_good_once_and_for_a_week(stage: Stage) -> None:
    operator = await stage.operator()
    links = [await _invite(operator) for _ in range(3)]
    people = [stage.guest(address=f"198.51.100.{number}") for number in range(50, 54)]
    answers = await asyncio.gather(
        *(post(person, "/welcome", {"token": _token(links[0])}) for person in people)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]
    revoked = await operator.delete(f"/api/v1/members/invitations/{links[1]['id']}")
    assert revoked.status_code == 204
    stage.clock.advance(timedelta(days=7))
    for link in links:
        for path in ("/welcome", "/welcome/look"):
            answer = await post(stage.guest(), path, {"token": _token(link)})
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    async with stage.app.db.read() as session:
        assert await session.scalar(select(func.count()).select_from(User)) == 2


@sqlite_only
@pytest.mark.parametrize("token", ["", "x", "A" * 43, "A" * 44, "\u00e4" * 43, "\0"])
async def test_malformed_links_are_unknown(stage: Stage, token: str) -> None:
    for path in ("/welcome", "/welcome/look"):
        assert (await post(stage.guest(), path, {"token": token})).status_code == 404


@sqlite_only
async def test_links_are_stored_hashed(stage: Stage) -> None:
    link = await _invite(await stage.operator())
    async with stage.app.db.read() as session:
        stored = await session.scalar(select(WelcomeLink.token_hash))
    assert stored is not None
    assert len(stored) == 32
    assert _token(link).encode() not in stored


async def test_a_login_taken_since_is_left_to_its_owner(stage: Stage) -> None:
    operator = await stage.operator()
    link = await _invite(operator, login="berta")
    await operator.put("/api/v1/account/login", json={"login": "BERTA"})
    refused = await post(operator, "/members/invitations", {"role": "member", "login": "berta"})
    assert (refused.status_code, refused.json()["code"]) == (409, "login_taken")
    joined = await good(await post(stage.guest(), "/welcome", {"token": _token(link)}))
    assert joined["user"]["login"] is None


async def test_a_reset_leads_back_and_takes_nothing(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    authenticator = Authenticator()
    await add_passkey(member, authenticator)
    await set_password(member)
    stage.clock.advance(1)
    path = f"/members/{await _id(member)}/reset"
    older = await good(await post(operator, path))
    link = await good(await post(operator, path))
    assert (await post(stage.guest(), "/welcome", {"token": _token(older)})).status_code == 404
    guest = stage.guest()
    looked = await good(await post(guest, "/welcome/look", {"token": _token(link)}))
    assert (looked["kind"], looked["login"]) == ("reset", "anna@example.org")
    back = await good(await post(guest, "/welcome", {"token": _token(link)}))
    assert back["user"]["id"] == await _id(member)
    shown = await account(member)
    assert len(shown["sessions"]) == 2
    assert shown["password"]["is_set"] is True
    assert len(shown["passkeys"]) == 1
    assert shown["notices"][0]["details"]["method"] == "reset"
    assert (await post(stage.guest(), "/welcome", {"token": _token(link)})).status_code == 404


async def test_suspension_ends_all_at_once_and_is_undone(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    authenticator = Authenticator()
    await add_passkey(member, authenticator)
    codes = (await good(await post(member, "/account/recovery-codes")))["codes"]
    user_id = await _id(member)
    link = await good(await post(operator, f"/members/{user_id}/reset"))
    for _ in range(2):  # twice is no fault
        assert (await post(operator, f"/members/{user_id}/suspend")).status_code == 204
    assert await user(member) is None
    assert (await member.get("/api/v1/meetings")).status_code == 401
    guest = stage.guest()
    assert (await sign_in(guest, authenticator)).json()["code"] == "sign_in"
    assert (await post(guest, "/sign-in/recovery", {"code": codes[0]})).status_code == 401
    assert (await post(guest, "/welcome", {"token": _token(link)})).status_code == 404
    assert (await post(operator, f"/members/{user_id}/reset")).status_code == 404
    assert (await post(operator, f"/members/{user_id}/restore")).status_code == 204
    await good(await sign_in(guest, authenticator))
    assert (await account(guest))["recovery_codes_left"] == 10


async def test_roles_are_changed_at_once_and_told(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    assert (await member.get("/api/v1/members")).status_code == 403
    path = f"/api/v1/members/{await _id(member)}/role"
    assert (await operator.put(path, json={"role": "operator"})).status_code == 204
    assert (await member.get("/api/v1/members")).status_code == 200
    assert await notices(member) == ["role_changed"]
    assert (await operator.put(path, json={"role": "member"})).status_code == 204
    assert (await member.get("/api/v1/members")).status_code == 403
    assert (await operator.put(path, json={"role": "king"})).status_code == 422


async def test_at_least_one_operator_remains(stage: Stage) -> None:
    operator = await stage.operator()
    await invited(stage, operator)
    own = await _id(operator)
    for method, path, body in (
        ("PUT", f"/members/{own}/role", {"role": "member"}),
        ("POST", f"/members/{own}/suspend", None),
        ("DELETE", f"/members/{own}", None),
        ("DELETE", "/account", None),
    ):
        answer = await operator.request(method, f"/api/v1{path}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_operator"), path
    assert (await user(operator) or {})["role"] == "operator"


async def test_of_two_operators_that_leave_at_once_one_stays(stage: Stage) -> None:
    first = await stage.operator()
    second = await invited(stage, first)
    path = f"/api/v1/members/{await _id(second)}/role"
    assert (await first.put(path, json={"role": "operator"})).status_code == 204
    answers = await asyncio.gather(
        first.delete("/api/v1/account"), second.delete("/api/v1/account")
    )
    assert sorted(answer.status_code for answer in answers) == [204, 409]


async def test_a_deleted_account_leaves_nothing(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    authenticator = Authenticator()
    await add_passkey(member, authenticator)
    await set_password(member)
    await post(member, "/account/recovery-codes")
    await post(member, "/account/device-links", {"commitment": "A" * 43})
    await post(member, "/account/reauthenticate/passkey/options")
    await member.put("/api/v1/vault", content=b"sealed", headers={"if-none-match": "*"})
    meeting = await stage.meeting(member)
    kept = await stage.meeting(operator)
    user_id = await _id(member)
    answer = await member.delete("/api/v1/account")
    assert answer.status_code == 204
    assert 'conclave="";' in answer.headers["set-cookie"]
    await stage.settled()
    async with stage.app.db.read() as session:
        for table in _OWNED:
            left = select(func.count()).select_from(table).where(table.user_id == user_id)
            assert await session.scalar(left) == 0, table
        assert await session.scalar(select(User.id).where(User.id == user_id)) is None
        assert await session.scalar(select(func.count()).select_from(Vault)) == 0
    assert (await stage.guest().get(f"/api/v1/meetings/{meeting}")).status_code == 404
    assert (await stage.guest().get(f"/api/v1/meetings/{kept}")).status_code == 200
    assert (await sign_in(stage.guest(), authenticator)).status_code == 401


async def test_an_operator_removes_a_member(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    meeting = await stage.meeting(member)
    path = f"/api/v1/members/{await _id(member)}"
    assert (await operator.delete(path)).status_code == 204
    assert (await operator.delete(path)).status_code == 404
    assert await user(member) is None
    await stage.settled()
    assert (await stage.guest().get(f"/api/v1/meetings/{meeting}")).status_code == 404


async def test_a_suspended_members_rooms_end(stage: Stage) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    meeting, kept = await stage.meeting(member), await stage.meeting(operator)
    path = f"/api/v1/members/{await _id(member)}"
    assert (await operator.post(f"{path}/suspend")).status_code == 204
    await stage.settled()
    assert (await stage.guest().get(f"/api/v1/meetings/{meeting}")).status_code == 404
    assert (await stage.guest().get(f"/api/v1/meetings/{kept}")).status_code == 200


@sqlite_only
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/members", None),
        ("POST", "/members/invitations", {"role": "member"}),
        ("DELETE", "/members/invitations/wel_1", None),
        ("PUT", "/members/usr_1/role", {"role": "operator"}),
        ("POST", "/members/usr_1/suspend", None),
        ("POST", "/members/usr_1/restore", None),
        ("POST", "/members/usr_1/reset", None),
        ("DELETE", "/members/usr_1", None),
    ],
)
async def test_it_is_for_operators(
    stage: Stage, method: str, path: str, body: dict[str, Any] | None
) -> None:
    operator = await stage.operator()
    member = await invited(stage, operator)
    for person, status in ((stage.guest(), 401), (member, 403)):
        answer = await person.request(method, f"/api/v1{path}", json=body)
        assert answer.status_code == status
    known = await operator.request(method, f"/api/v1{path}", json=body)
    assert known.status_code in {200, 201, 404}


@sqlite_only
@pytest.mark.parametrize("path", ["/account", "/account/device-links"])
async def test_an_account_is_for_who_is_signed_in(stage: Stage, path: str) -> None:
    assert (await stage.guest().get(f"/api/v1{path}")).status_code == 401


@sqlite_only
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/welcome", {"token": "x", "more": 1}),
        ("/welcome/look", {"token": "x", "more": 1}),
        ("/register", {"login": "anna"}),
        ("/sign-in/passkey/options", {"login": "anna"}),
        ("/sign-in/recovery", {"code": "x", "more": 1}),
        ("/sign-in/password", {"login": "a", "password": "b", "code": "c", "more": 1}),
        ("/members/invitations", {"role": "member", "more": 1}),
        ("/members/invitations", {"role": "guest"}),
        ("/account/recovery-codes", {"count": 1_000}),
        ("/account/password/begin", {"password": "x" * 12, "more": 1}),
    ],
)
async def test_unknown_fields_are_refused(stage: Stage, path: str, body: dict[str, Any]) -> None:
    operator = await stage.operator()
    assert (await post(operator, path, body)).status_code == 422


async def test_nobody_registers_where_it_is_closed(stage: Stage) -> None:
    answer = await post(stage.guest(), "/register")
    assert (answer.status_code, answer.json()["code"]) == (403, "registration_closed")


async def test_registration_has_limits(
    settings: Settings, new_stage: Callable[[Settings], Stage]
) -> None:
    rules = AccountsSettings(registration="open", max_members=8)
    stage = new_stage(settings.model_copy(update={"accounts": rules}))
    await stage.start()
    operator = await stage.operator()
    link = await _invite(operator)
    assert (await good(await stage.guest().get("/api/v1/session")))["registration"] == "open"
    answers = [await post(stage.guest(address="203.0.113.1"), "/register") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[0].json()["user"]["role"] == "member"
    other = [await post(stage.guest(address="203.0.113.2"), "/register") for _ in range(3)]
    assert [answer.status_code for answer in other] == [200, 200, 409]
    assert other[2].json()["code"] == "members_full"
    refused = await post(stage.guest(), "/welcome", {"token": _token(link)})
    assert (refused.status_code, refused.json()["code"]) == (409, "members_full")
    assert (await post(operator, "/members/invitations", {"role": "member"})).json()[
        "code"
    ] == "members_full"
    assert (await post(operator, f"/members/{answers[0].json()['user']['id']}/suspend")).is_success
    await operator.delete(f"/api/v1/members/{answers[0].json()['user']['id']}")
    await good(await post(stage.guest(), "/welcome", {"token": _token(link)}))
    stage.clock.advance(timedelta(days=1))
    assert (await post(stage.guest(address="203.0.113.1"), "/register")).status_code == 409


@sqlite_only
@pytest.mark.parametrize("act", ["suspend", "demote", "remove"])
async def test_links_end_with_the_right_to_make_them(stage: Stage, act: str) -> None:
    first = await stage.operator()
    second = await invited(stage, first)
    user_id = await _id(second)
    path = f"/api/v1/members/{user_id}"
    await first.put(f"{path}/role", json={"role": "operator"})
    link = await _invite(second, role="operator")
    kept = await _invite(first)
    if act == "suspend":
        done = await post(first, f"/members/{user_id}/suspend")
    elif act == "demote":
        done = await first.put(f"{path}/role", json={"role": "member"})
    else:
        done = await first.delete(path)
    assert done.status_code == 204
    assert (await post(stage.guest(), "/welcome", {"token": _token(link)})).status_code == 404
    await good(await post(stage.guest(), "/welcome", {"token": _token(kept)}))


@sqlite_only
async def test_the_operators_link_leads_to_one_who_can_act(stage: Stage) -> None:
    first = await stage.operator()
    second = await invited(stage, first)
    await first.put(f"/api/v1/members/{await _id(second)}/role", json={"role": "operator"})
    own = await _id(first)
    assert (await post(second, f"/members/{own}/suspend")).status_code == 204
    led = await stage.operator()
    assert await _id(led) == await _id(second)
    async with stage.app.db.read() as session:
        left = select(func.count()).select_from(Session).where(Session.user_id == own)
        assert await session.scalar(left) == 0
