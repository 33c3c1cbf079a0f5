"""The vault: opaque bytes, one for each user, replaced only by who has seen the present ones."""

from __future__ import annotations

import asyncio
import os

import pytest
from sqlalchemy import select

from conclave.accounts.models import Vault
from tests.databases import sqlite_only
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit

PATH = "/api/v1/vault"
FIRST = {"if-none-match": "*"}


async def _stored(person: Person, content: bytes = b"first") -> str:
    answer = await person.put(PATH, content=content, headers=FIRST)
    assert answer.status_code == 204, answer.text
    return str(answer.headers["etag"])


async def test_what_was_stored_comes_back_byte_for_byte(stage: Stage) -> None:
    person = await stage.operator()
    content = os.urandom(70_000)
    tag = await _stored(person, content)
    answer = await person.get(PATH)
    assert answer.status_code == 200
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["etag"] == tag == '"1"'
    assert answer.headers["cache-control"] == "no-store"


async def test_before_the_first_there_is_nothing(stage: Stage) -> None:
    person = await stage.operator()
    answer = await person.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_a_write_replaces_the_version_it_was_made_from(stage: Stage) -> None:
    person = await stage.operator()
    tag = await _stored(person)
    answer = await person.put(PATH, content=b"second", headers={"if-match": tag})
    assert (answer.status_code, answer.headers["etag"]) == (204, '"2"')
    late = await person.put(PATH, content=b"late", headers={"if-match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert (await person.get(PATH)).content == b"second"


async def test_a_first_write_never_replaces_anything(stage: Stage) -> None:
    person = await stage.operator()
    await _stored(person)
    answer = await person.put(PATH, content=b"another first", headers=FIRST)
    assert (answer.status_code, answer.json()["code"]) == (412, "precondition_failed")
    assert (await person.get(PATH)).content == b"first"


async def test_a_version_of_nothing_is_not_the_present_one(stage: Stage) -> None:
    person = await stage.operator()
    answer = await person.put(PATH, content=b"x", headers={"if-match": '"1"'})
    assert answer.status_code == 412
    assert (await person.get(PATH)).status_code == 404


@pytest.mark.parametrize("is_first", [True, False])
async def test_of_writes_that_come_at_once_one_wins(stage: Stage, is_first: bool) -> None:
    person = await stage.operator()
    headers = FIRST if is_first else {"if-match": await _stored(person)}
    answers = await asyncio.gather(
        *(person.put(PATH, content=b"%d" % n, headers=headers) for n in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [204] + [412] * 7
    winner = [answer.status_code for answer in answers].index(204)
    assert (await person.get(PATH)).content == b"%d" % winner


async def test_it_takes_a_megabyte_and_no_byte_more(stage: Stage) -> None:
    person = await stage.operator()
    tag = await _stored(person, b"x" * 1024 * 1024)
    answer = await person.put(PATH, content=b"x" * (1024 * 1024 + 1), headers={"if-match": tag})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert (await person.get(PATH)).headers["etag"] == tag


@sqlite_only
async def test_other_paths_keep_their_bound(stage: Stage) -> None:
    person = await stage.operator()
    answer = await person.post("/api/v1/operator-link", content=b"x" * (64 * 1024 + 1))
    assert answer.status_code == 413


@sqlite_only
async def test_an_empty_one_never_replaces_a_full_one(stage: Stage) -> None:
    person = await stage.operator()
    tag = await _stored(person)
    answer = await person.put(PATH, content=b"", headers={"if-match": tag})
    assert answer.status_code == 422
    assert (await person.get(PATH)).content == b"first"


@sqlite_only
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"if-match": "*"},
        {"if-match": "1"},
        {"if-match": 'W/"1"'},
        {"if-match": '"0"'},
        {"if-match": '"-1"'},
        {"if-match": '"1", "2"'},
        {"if-match": '"' + "9" * 40 + '"'},
        {"if-match": '"\N{FULLWIDTH DIGIT ONE}"'.encode()},
        {"if-match": '"1"', "if-none-match": "*"},
        {"if-none-match": '"1"'},
    ],
)
async def test_a_write_says_what_it_replaces(stage: Stage, headers: dict[str, str | bytes]) -> None:
    person = await stage.operator()
    await _stored(person)
    raw = [
        (name.encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in headers.items()
    ]
    answer = await person.put(PATH, content=b"x", headers=raw)
    assert (answer.status_code, answer.json()["code"]) == (422, "precondition")
    assert (await person.get(PATH)).content == b"first"


@sqlite_only
async def test_it_is_for_who_is_signed_in(stage: Stage) -> None:
    guest = stage.guest()
    assert (await guest.get(PATH)).status_code == 401
    assert (await guest.put(PATH, content=b"x", headers=FIRST)).status_code == 401
    async with stage.app.db.read() as session:
        assert (await session.scalars(select(Vault.version))).all() == []


@sqlite_only
async def test_another_page_cannot_write_it(stage: Stage) -> None:
    person = await stage.operator()
    answer = await person.put(
        PATH, content=b"x", headers={**FIRST, "origin": "https://elsewhere.example"}
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "origin")


@sqlite_only
async def test_it_survives_signing_out_and_in(stage: Stage) -> None:
    await _stored(await stage.operator())
    again = await stage.operator()
    assert (await again.get(PATH)).content == b"first"


@sqlite_only
async def test_calls_are_limited(stage: Stage) -> None:
    person = await stage.operator()
    codes = [(await person.get(PATH)).status_code for _ in range(121)]
    assert codes == [404] * 120 + [429]
    stage.clock.advance(1)
    assert (await person.get(PATH)).status_code == 404


@sqlite_only
async def test_nothing_of_it_is_in_an_event(stage: Stage) -> None:
    person = await stage.operator()
    before = await _head(stage)
    await _stored(person)
    assert await _head(stage) == before


async def _head(stage: Stage) -> int:
    return await stage.app.outbox.head()
