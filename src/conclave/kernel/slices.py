"""What a slice is to the program: the one value each slice's `__init__` exports as `SLICE`.

Life of a slice: `setup(app)` (provide and look up services, register consumers; no I/O, lower
slices first) -> `start(app)` -> requests -> `stop(app)` (higher slices first). The composition
root (`conclave/app.py`) calls them; must never know any slice by name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from fastapi import APIRouter
    from starlette.routing import BaseRoute

    from conclave.kernel.app import App

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


def _nothing(app: App) -> None:
    del app


async def _nothing_async(app: App) -> None:
    del app


def _nowhere(app: App) -> Sequence[str]:
    del app
    return ()


def _no_routes(app: App) -> Sequence[BaseRoute]:
    del app
    return ()


@dataclass(frozen=True, slots=True)
class Slice:
    name: str
    routers: Sequence[APIRouter] = ()
    """The product's own API: each route depends on a `require_*` of a `policy.py`."""
    asgi_routes: Callable[[App], Sequence[BaseRoute]] = _no_routes
    """Plain Starlette routes (sockets, media); each endpoint is marked with `@guarded`."""
    body_limits: Mapping[str, int] = field(default_factory=dict)
    """Paths whose bodies may hold another amount than others do (`http.BODY_LIMIT`), in bytes."""
    connects_to: Callable[[App], Sequence[str]] = _nowhere
    """Origins beside our own that pages may connect to, as the settings name them."""
    setup: Callable[[App], None] = _nothing
    start: Callable[[App], Awaitable[None]] = _nothing_async
    stop: Callable[[App], Awaitable[None]] = _nothing_async


def guarded(policy: str) -> Callable[[Endpoint], Endpoint]:
    """Say how a plain endpoint decides who may use it ("LiveKit token", "operator session").

    The check itself is the endpoint's; the mark makes it visible to the test that walks all routes.
    """

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__conclave_policy__ = policy  # type: ignore[attr-defined]
        return endpoint

    return mark
