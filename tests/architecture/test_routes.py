"""Every route and socket says who may use it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import BaseRoute

from conclave.app import build
from conclave.settings import Settings

pytestmark = pytest.mark.unit


ENGINES = (
    {"engine": "fake"},
    {"engine": "livekit", "livekit_url": "ws://127.0.0.1:9", "api_keys": {"key": "s" * 32}},
)


def _routes() -> list[tuple[BaseRoute, str]]:
    return [
        (context.original_route, str(context.path))
        for engine in ENGINES
        for context in iter_route_contexts(build(Settings(media=engine)).routes.routes)
    ]


def _policies(dependant: Dependant) -> Iterator[str]:
    for child in dependant.dependencies:
        module = getattr(child.call, "__module__", "")
        name = getattr(child.call, "__name__", "")
        if module.endswith(".policy") and name.startswith("require_"):
            yield name
        yield from _policies(child)


@pytest.mark.parametrize("route", _routes(), ids=lambda found: found[1])
def test_it_has_a_policy(route: tuple[BaseRoute, str]) -> None:
    found, path = route
    if isinstance(found, APIRoute):
        assert list(_policies(found.dependant)), f"{path}: no require_* of a policy.py"
    else:
        endpoint = getattr(found, "endpoint", None)
        assert getattr(endpoint, "__conclave_policy__", ""), f"{path}: not marked with @guarded"


def test_all_kinds_of_routes_are_seen() -> None:
    paths = {path for _, path in _routes()}
    assert {"/api/v1/meetings", "/api/v1/realtime", "/rtc/v1", "/metrics", "/{path:path}"} <= paths
    assert "/livekit/webhook" in paths
