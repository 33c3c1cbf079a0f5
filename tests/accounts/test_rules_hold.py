"""Whatever people do with accounts, in whatever order: an account that has a way in keeps one, and
at least one operator can act."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select

from conclave.accounts.credentials.ways import ways_of
from conclave.accounts.models import User
from conclave.settings import DbSettings, LimitsSettings, Settings
from tests.accounts.authenticator import Authenticator
from tests.accounts.steps import add_passkey, invited, set_password, sign_in, user
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit

PEOPLE = 3
Step = tuple[str, int, int]

steps_strategy = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "add_passkey",
                "remove_passkey",
                "set_password",
                "remove_password",
                "promote",
                "demote",
                "suspend",
                "restore",
                "remove",
                "leave",
                "sign_in",
            ]
        ),
        st.integers(0, PEOPLE - 1),
        st.integers(0, PEOPLE - 1),
    ),
    min_size=4,
    max_size=14,
)


class World:
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.people: list[Person] = []
        self.ids: list[str] = []
        self.keys = [Authenticator() for _ in range(PEOPLE)]
        self.had_way: set[str] = set()

    async def begin(self) -> None:
        operator = await self.stage.operator()
        others = [await invited(self.stage, operator, f"198.51.100.{n}") for n in (21, 22)]
        self.people = [operator, *others]
        for person in self.people:
            found = await user(person)
            assert found is not None
            self.ids.append(found["id"])

    async def take(self, step: Step) -> None:
        """What it answers may be a refusal; never a fault."""
        what, who, whom = step
        person, target = self.people[who], self.ids[whom]
        if await user(person) is None and what != "sign_in":
            return
        answer: Any = None
        if what == "add_passkey":
            await add_passkey(person, self.keys[who])
        elif what == "remove_passkey":
            own = (await person.get("/api/v1/account")).json()["passkeys"]
            if own:
                answer = await person.delete(f"/api/v1/account/passkeys/{own[0]['id']}")
        elif what == "set_password":
            await set_password(person, login=f"person.{who}")
        elif what == "remove_password":
            answer = await person.delete("/api/v1/account/password")
        elif what in {"promote", "demote"}:
            role = "operator" if what == "promote" else "member"
            answer = await person.put(f"/api/v1/members/{target}/role", json={"role": role})
        elif what in {"suspend", "restore"}:
            answer = await person.post(f"/api/v1/members/{target}/{what}")
        elif what == "remove":
            answer = await person.delete(f"/api/v1/members/{target}")
        elif what == "leave":
            answer = await person.delete("/api/v1/account")
        elif self.keys[who].credentials:
            answer = await sign_in(person, self.keys[who])
        assert answer is None or answer.status_code < 500

    async def hold(self) -> None:
        async with self.stage.app.db.read() as session:
            there = [*await session.scalars(select(User))]
            assert [u for u in there if u.role == "operator" and u.suspended_at is None]
            for account in there:
                has_any = (await ways_of(session, account.org_id, account.id)).has_any
                assert has_any or account.id not in self.had_way
                if has_any:
                    self.had_way.add(account.id)


async def _play(folder: Path, template: Path, taken: list[Step]) -> None:
    shutil.copy(template, folder / "conclave.db")
    many = 1_000_000
    stage = Stage(
        Settings(
            data_dir=folder,
            db=DbSettings(url=SecretStr(f"sqlite+aiosqlite:///{folder}/conclave.db")),
            limits=LimitsSettings(sign_ins_per_source=many, sign_ins_per_account=many),
        ),
        folder / "static",
    )
    await stage.start()
    try:
        world = World(stage)
        await world.begin()
        for step in taken:
            await world.take(step)
            await world.hold()
    finally:
        await stage.stop()


@given(taken=steps_strategy)
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_the_rules_hold_in_any_order(empty_sqlite: Path, taken: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_play(Path(folder), empty_sqlite, taken))
