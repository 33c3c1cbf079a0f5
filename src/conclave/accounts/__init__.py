"""Accounts: who is signed in, and how the operator gets in.

This room holds organisations, users, sessions, operator links and vaults; other slices ask it who
acts (`require_operator`, `maybe_actor`). It must never know what a meeting is, look into a vault,
nor hand out or log a token other than to the person it was made for.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, WebSocketRoute

from conclave.accounts.actors import Actor
from conclave.accounts.policy import maybe_actor, require_loopback_or_operator, require_operator
from conclave.accounts.realtime import realtime
from conclave.accounts.routes import router
from conclave.accounts.service import (
    ensure_organisation,
    has_operator,
    new_operator_link,
)
from conclave.accounts.vaults import MAX_BYTES
from conclave.kernel.app import App
from conclave.kernel.slices import Slice

__all__ = [
    "SLICE",
    "Actor",
    "ensure_organisation",
    "has_operator",
    "maybe_actor",
    "new_operator_link",
    "require_loopback_or_operator",
    "require_operator",
]


def _routes(_app: App) -> Sequence[BaseRoute]:
    return [WebSocketRoute("/api/v1/realtime", realtime)]


async def _start(app: App) -> None:
    await ensure_organisation(app.db, app.clock)


SLICE = Slice(
    name="accounts",
    routers=(router,),
    asgi_routes=_routes,
    body_limits={"/api/v1/vault": MAX_BYTES},
    start=_start,
)
