"""Accounts: who is here, who is signed in, and how they get in.

This room holds organisations, users, credentials, sessions, links and vaults; other slices ask it
who acts (`require_member`, `require_operator`, `maybe_actor`) and hear who is gone
(`MemberRemoved`) or shut out (`MemberSuspended`). It must never know what a meeting is, look into
a vault, nor hand out or log a token other than to the person it was made for.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from starlette.routing import BaseRoute, WebSocketRoute

from conclave.accounts import reactions
from conclave.accounts.account.routes import router as account_router
from conclave.accounts.actors import Actor
from conclave.accounts.credentials.hashing import PasswordHashing
from conclave.accounts.credentials.logins import is_address
from conclave.accounts.device_links.mailbox import Waits
from conclave.accounts.device_links.routes import router as device_links_router
from conclave.accounts.events import MemberRemoved, MemberSuspended, SignedIn, SignInRefused
from conclave.accounts.members.routes import router as members_router
from conclave.accounts.organisations import ensure_organisation
from conclave.accounts.people import has_operator
from conclave.accounts.policy import (
    maybe_actor,
    require_loopback_or_operator,
    require_member,
    require_operator,
)
from conclave.accounts.realtime import realtime
from conclave.accounts.routes import router
from conclave.accounts.sign_in.operator_link import new_operator_link
from conclave.accounts.sign_in.routes import router as sign_in_router
from conclave.accounts.vaults import MAX_BYTES
from conclave.kernel.app import App
from conclave.kernel.mail import Mailer
from conclave.kernel.slices import Slice

__all__ = [
    "SLICE",
    "Actor",
    "MemberRemoved",
    "MemberSuspended",
    "ensure_organisation",
    "has_operator",
    "is_address",
    "maybe_actor",
    "new_operator_link",
    "require_loopback_or_operator",
    "require_member",
    "require_operator",
]


def _routes(_app: App) -> Sequence[BaseRoute]:
    return [WebSocketRoute("/api/v1/realtime", realtime)]


def _setup(app: App) -> None:
    app.provide(PasswordHashing, PasswordHashing(app.metrics))
    app.provide(Mailer, Mailer(app.settings.mail, app.clock, app.metrics))
    app.provide(Waits, Waits())
    app.outbox.consume(
        "accounts refusals", {SignInRefused.type}, partial(reactions.tell_of_refusals, app)
    )
    app.outbox.consume(
        "accounts letters", {SignedIn.type}, partial(reactions.write_about_new_device, app)
    )


async def _start(app: App) -> None:
    await ensure_organisation(app.db, app.clock)


async def _stop(app: App) -> None:
    app.use(PasswordHashing).stop()


SLICE = Slice(
    name="accounts",
    routers=(router, sign_in_router, account_router, device_links_router, members_router),
    asgi_routes=_routes,
    body_limits={"/api/v1/vault": MAX_BYTES},
    setup=_setup,
    start=_start,
    stop=_stop,
)
