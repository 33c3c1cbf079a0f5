"""What people do with their accounts, step by step, as our pages do it."""

from __future__ import annotations

from base64 import b32decode
from datetime import timedelta
from typing import Any

import httpx2

from conclave.accounts.credentials import totp
from conclave.accounts.credentials.hashing import Parameters, PasswordHashing
from tests.accounts.authenticator import Authenticator
from tests.stage import Person, Stage

API = "/api/v1"
PASSWORD = "seven purple otters"
LOGIN = "anna@example.org"


def cheap_hashes(stage: Stage) -> None:
    """Passwords that cost next to nothing: their strength is not what is tested."""
    stage.app.use(PasswordHashing).parameters = Parameters(memory_kib=8, passes=1, lanes=1)


def hashes_computed(stage: Stage) -> float:
    value = stage.app.metrics.get_sample_value("conclave_accounts_password_hashes_total")
    assert value is not None
    return value


async def post(person: Person, path: str, body: Any = None) -> httpx2.Response:
    return await person.post(f"{API}{path}", json={} if body is None else body)


async def good(answer: httpx2.Response, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json() if answer.content else None


async def account(person: Person) -> dict[str, Any]:
    found: dict[str, Any] = await good(await person.get(f"{API}/account"))
    return found


async def notices(person: Person) -> list[str]:
    """Kinds, newest first."""
    return [notice["kind"] for notice in (await account(person))["notices"]]


async def user(person: Person) -> dict[str, Any] | None:
    found: dict[str, Any] | None = (await good(await person.get(f"{API}/session")))["user"]
    return found


async def add_passkey(
    person: Person, authenticator: Authenticator, name: str = "Laptop"
) -> dict[str, Any]:
    offered = await good(await post(person, "/account/passkeys/options"))
    made: dict[str, Any] = await good(
        await post(
            person,
            "/account/passkeys",
            {
                "challenge_id": offered["challenge_id"],
                "credential": authenticator.create(offered["options"]),
                "name": name,
            },
        ),
        201,
    )
    return made


async def offer_sign_in(person: Person) -> tuple[str, dict[str, Any]]:
    offered = await good(await post(person, "/sign-in/passkey/options"))
    return offered["challenge_id"], offered["options"]


async def sign_in(person: Person, authenticator: Authenticator, **changes: Any) -> httpx2.Response:
    challenge_id, options = await offer_sign_in(person)
    credential = authenticator.get(options, **changes)
    body = {"challenge_id": challenge_id, "credential": credential}
    return await post(person, "/sign-in/passkey", body)


async def set_password(person: Person, *, login: str = LOGIN, password: str = PASSWORD) -> bytes:
    """The secret of the one-time codes. Uses up the present code."""
    stage = person.stage
    cheap_hashes(stage)
    await good(await person.put(f"{API}/account/login", json={"login": login}), 204)
    begun = await good(await post(person, "/account/password/begin", {"password": password}))
    text = begun["secret"]
    secret = b32decode(text + "=" * (-len(text) % 8))
    body = {"setup_id": begun["setup_id"], "code": code(stage, secret)}
    await good(await post(person, "/account/password/confirm", body), 204)
    return secret


def code(stage: Stage, secret: bytes, *, steps: int = 0) -> str:
    now = stage.clock.now() + timedelta(seconds=30 * steps)
    return totp.code_at(secret, int(now.timestamp()) // 30)


async def sign_in_by_password(
    person: Person, code: str, *, login: str = LOGIN, password: str = PASSWORD
) -> httpx2.Response:
    body = {"login": login, "password": password, "code": code}
    return await post(person, "/sign-in/password", body)


async def invited(stage: Stage, operator: Person, address: str = "198.51.100.20") -> Person:
    """A new member, signed in."""
    link = await good(await post(operator, "/members/invitations", {"role": "member"}), 201)
    person = stage.guest(address=address)
    await good(await post(person, "/welcome", {"token": link["url"].partition("#")[2]}))
    return person
