"""The API as its schema describes it: whatever fits the schema, or does not, gives no 5xx."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from conclave.app import build
from conclave.settings import DbSettings, LimitsSettings, Settings
from tests.stage import Person, Stage

pytestmark = pytest.mark.unit

EXAMPLES = 25


class Served:
    """A stage on a loop of its own, driven from synchronous property tests."""

    def __init__(self, folder: Path, template: Path) -> None:
        shutil.copy(template, folder / "conclave.db")
        self.loop = asyncio.new_event_loop()
        many = 1_000_000
        self.stage = Stage(
            Settings(
                data_dir=folder,
                db=DbSettings(url=SecretStr(f"sqlite+aiosqlite:///{folder}/conclave.db")),
                limits=LimitsSettings(
                    lookups_per_source=many,
                    sign_ins_per_source=many,
                ),
            ),
            folder / "static",
        )
        self.people: list[Person] = []
        self.meeting = ""

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def start(self) -> None:
        await self.stage.start()
        operator = await self.stage.operator()
        self.meeting = await self.stage.meeting(operator)
        self.people = [self.stage.guest(), operator]

    def ask(self, method: str, path: str, **content: Any) -> list[httpx2.Response]:
        return [self.run(person.request(method, path, **content)) for person in self.people]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, empty_sqlite: Path) -> Iterator[Served]:
    made = Served(tmp_path_factory.mktemp("served"), empty_sqlite)
    made.run(made.start())
    yield made
    made.run(made.stage.stop())
    made.loop.close()


def _schema() -> Any:
    product = build(Settings(media={"engine": "fake"}))
    return schemathesis.openapi.from_dict(product.routes.openapi())


schema = _schema()


@schema.parametrize()  # type: ignore[untyped-decorator]
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_nothing_that_fits_the_schema_breaks_the_server(case: Any, served: Served) -> None:
    path = case.formatted_path
    if "{" in case.path:
        path = path if len(repr(case)) % 2 else case.path.replace("{meeting_id}", served.meeting)
        path = path.replace("{identity}", "prt_1")
    content: dict[str, Any] = {}
    if isinstance(case.body, dict | list | str | int | float | bool) or case.body is None:
        content["json"] = case.body
    for answer in served.ask(case.method, path, **content):
        assert answer.status_code < 500, f"{case.method} {path}: {answer.text}"


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"]),
    path=st.one_of(
        st.sampled_from(
            [
                "/api/v1/session",
                "/api/v1/operator-link",
                "/api/v1/meetings",
                "/",
                "/m/x",
                "/metrics",
            ]
        ),
        st.text(max_size=40).map(lambda text: f"/api/v1/meetings/{text}"),
        st.text(max_size=40).map(lambda text: f"/{text}"),
    ),
    body=st.binary(max_size=200),
    kind=st.sampled_from(
        ["application/json", "text/plain", "application/json; charset=\udcff", ""]
    ),
)
@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
def test_no_request_at_all_breaks_the_server(
    served: Served, method: str, path: str, body: bytes, kind: str
) -> None:
    headers = {"content-type": kind.encode("utf-8", "surrogateescape")} if kind else {}
    try:
        url = httpx2.URL("http://localhost:8080").copy_with(
            raw_path=path.encode("utf-8", "surrogatepass")
        )
    except (httpx2.InvalidURL, ValueError):
        return
    for answer in served.ask(method, str(url), content=body, headers=headers):
        assert answer.status_code < 500, f"{method} {path!r}: {answer.text}"


def test_the_schema_names_all_calls() -> None:
    assert "/api/v1/meetings/{meeting_id}/end" in schema.raw_schema["paths"]
