"""The outermost layer: who may call, how much they may send, and what every answer carries."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import pytest
from starlette.types import Message

from conclave.kernel import http
from conclave.kernel.csp import CONTENT_SECURITY_POLICY
from conclave.kernel.outbox import Outbox
from conclave.settings import HttpSettings, Settings
from tests.databases import sqlite_only
from tests.stage import Person, Stage

pytestmark = [pytest.mark.unit, sqlite_only]

UNSAFE = [
    ("POST", "/api/v1/operator-link"),
    ("DELETE", "/api/v1/session"),
    ("POST", "/api/v1/meetings"),
    ("POST", "/api/v1/meetings/mtg_x/end"),
    ("PUT", "/api/v1/nothing"),
    ("PATCH", "/api/"),
]


@pytest.mark.parametrize(("method", "path"), UNSAFE)
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "", "http://localhost:8081", "http://localhost"]
)
async def test_other_pages_may_change_nothing(
    stage: Stage, method: str, path: str, origin: str
) -> None:
    answer = await stage.guest().request(method, path, headers={"origin": origin})
    assert answer.status_code == 403
    assert answer.json()["code"] == "origin"


@pytest.mark.parametrize(("method", "path"), UNSAFE)
async def test_without_an_origin_nothing_is_changed(stage: Stage, method: str, path: str) -> None:
    person = stage.guest()
    del person.headers["origin"]
    assert (await person.request(method, path)).json()["code"] == "origin"


@pytest.mark.parametrize("value", [None, "", "0", "true", "1, 1"])
async def test_the_header_of_our_client_is_needed(stage: Stage, value: str | None) -> None:
    person = stage.guest()
    del person.headers["x-conclave"]
    answer = await person.post(
        "/api/v1/operator-link",
        json={"token": "x"},
        headers={} if value is None else {"x-conclave": value},
    )
    assert answer.status_code == 403
    assert answer.json()["code"] == "header"


async def test_behind_a_proxy_the_public_address_is_ours_too(
    settings: Settings, new_stage: Callable[[Settings], Stage]
) -> None:
    stage = new_stage(
        settings.model_copy(update={"http": HttpSettings(public_url="https://meet.example")})
    )
    await stage.start()
    inner = Person(stage)
    answer = await inner.post(
        "/api/v1/operator-link",
        json={"token": "A" * 43},
        headers={"origin": "https://meet.example", "host": "10.0.0.5:8080"},
    )
    assert answer.status_code == 404, "it got as far as the token"
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_every_answer_carries_the_common_headers(stage: Stage) -> None:
    person = stage.guest()
    for path in ("/", "/nothing", "/api/v1/session", "/api/v1/nothing", "/healthz", "/metrics"):
        answer = await person.get(path)
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "camera=(self)" in answer.headers["permissions-policy"]
        assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["x-request-id"])
        assert "strict-transport-security" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
        if path.startswith("/api/"):
            assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("content", "headers"),
    [
        (b"x" * (64 * 1024 + 1), {}),
        (b"x", {"content-length": "65537"}),
        (b"x", {"content-length": "9" * 30}),
    ],
)
async def test_a_body_is_at_most_64_kb(
    stage: Stage, content: bytes, headers: dict[str, str]
) -> None:
    answer = await stage.guest().post("/api/v1/operator-link", content=content, headers=headers)
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


async def test_a_body_without_a_stated_length_is_bounded_too(stage: Stage) -> None:
    pieces: list[Message] = [
        {"type": "http.request", "body": b"x" * 1_000, "more_body": True} for _ in range(1_000)
    ]
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return pieces.pop()

    answer = await _raw(stage, receive)
    assert answer[0]["status"] == 413
    assert taken < 70


async def test_a_body_that_does_not_come_is_not_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "BODY_TIMEOUT_S", 0.01)

    async def receive() -> Message:
        await asyncio.Event().wait()
        return {}

    answer = await _raw(stage, receive)
    assert answer[0]["status"] == 422
    assert b"body_timeout" in answer[1]["body"]


async def test_a_client_that_goes_away_is_no_fault_of_ours(stage: Stage) -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    assert (await _raw(stage, receive))[0]["status"] == 422


async def test_a_failure_inside_says_nothing_but_its_number(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the secret plan")

    operator = await stage.operator()
    monkeypatch.setattr(Outbox, "emit", fail)
    answer = await operator.post("/api/v1/meetings")
    assert answer.status_code == 500
    problem = answer.json()
    assert problem["code"] == "internal_error"
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert "secret plan" not in answer.text
    assert "Traceback" not in answer.text
    monkeypatch.undo()
    assert (await operator.get("/api/v1/meetings")).json()["meetings"] == []


async def test_unknown_paths_and_methods_are_problems(stage: Stage) -> None:
    person = stage.guest()
    missing = await person.get("/api/v1/nothing")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    method = await person.put("/api/v1/session")
    assert (method.status_code, method.json()["code"]) == (405, "method_not_allowed")
    for answer in (missing, method):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"].startswith("urn:conclave:problem:")


async def test_faults_in_a_body_are_named_but_not_repeated(stage: Stage) -> None:
    answer = await stage.guest().post(
        "/api/v1/operator-link", json={"token": 5, "geheim": "hunter2"}
    )
    assert answer.status_code == 422
    problem = answer.json()
    assert {fault["field"] for fault in problem["faults"]} == {"token", "geheim"}
    assert "hunter2" not in answer.text


async def test_a_server_that_is_not_ready_takes_no_changes(
    settings: Settings, new_stage: Callable[[Settings], Stage]
) -> None:
    stage = new_stage(settings)
    person = stage.guest()
    assert (await person.get("/healthz")).status_code == 200
    assert (await person.get("/readyz")).status_code == 503
    assert (await person.post("/api/v1/operator-link", json={"token": "x"})).status_code == 503
    await stage.start()
    assert (await person.get("/readyz")).status_code == 200
    stage.app.is_ready = False
    assert (await person.get("/readyz")).text == "starting or stopping"


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("127.0.0.1", {"host": "evil.example"}, 401),
        ("127.0.0.1", {"x-forwarded-for": "203.0.113.1"}, 401),
        ("127.0.0.1", {"forwarded": "for=203.0.113.1"}, 401),
        ("203.0.113.1", {}, 401),
        ("testclient", {}, 401),
    ],
)
async def test_metrics_are_for_the_machine_itself_and_the_operator(
    stage: Stage, address: str, headers: dict[str, str], status: int
) -> None:
    person = stage.guest(address=address)
    answer = await person.get("/metrics", headers=headers)
    assert answer.status_code == status
    if status == 200:
        assert "conclave_http_requests_total" in answer.text
    operator = await stage.operator()
    assert (await operator.get("/metrics")).status_code == 200


async def test_what_this_server_is(stage: Stage) -> None:
    answer = (await stage.guest().get("/api/v1/server")).json()
    assert answer["name"] == "conclave"
    assert answer["media"]["engine"] == "embedded"
    assert answer["media"]["udp_ports"][0] == 7882


async def _raw(
    stage: Stage, receive: Callable[[], object], path: str = "/api/v1/operator-link"
) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "server": ("localhost", 8080),
        "client": ("198.51.100.9", 1),
        "root_path": "",
        "headers": [
            (b"host", b"localhost:8080"),
            (b"origin", b"http://localhost:8080"),
            (b"x-conclave", b"1"),
            (b"content-type", b"application/json"),
        ],
    }
    await stage.product.web(scope, receive, send)  # type: ignore[arg-type]
    return sent
