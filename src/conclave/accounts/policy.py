"""Who may. The one way for routes and sockets of every slice to learn who asks."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from conclave.accounts import cookies
from conclave.accounts.actors import OPERATOR, Actor, actor_of
from conclave.accounts.sessions import keeping
from conclave.accounts.visitors import visitor_of
from conclave.kernel.app import App, current_app
from conclave.kernel.errors import Forbidden, Unauthenticated
from conclave.kernel.origin import is_loopback_host


@dataclass(frozen=True, slots=True)
class Presence:
    """What a request's cookie says, before anybody relies on it."""

    actor: Actor | None
    moved: Actor | None
    """Whose session it would be, had it not come from another address family: nobody's."""


async def presence(
    connection: HTTPConnection, app: Annotated[App, Depends(current_app)]
) -> Presence:
    token = cookies.session_token(app, connection)
    actor = None if token is None else await actor_of(app, token)
    if actor is None:
        return Presence(None, None)
    visitor = visitor_of(connection)
    if app.settings.accounts.bind_sessions and not actor.is_at_home_in(visitor.family):
        await keeping.tell_moved(app, actor, visitor)
        return Presence(None, actor)
    return Presence(actor, None)


Here = Annotated[Presence, Depends(presence)]


async def maybe_actor(
    connection: HTTPConnection, app: Annotated[App, Depends(current_app)]
) -> Actor | None:
    """Who is signed in, if anybody. Not a policy: an answer that depends on it still needs one."""
    return (await presence(connection, app)).actor


async def require_member(here: Here) -> Actor:
    """An operator or a member."""
    if here.moved is not None:
        raise session_moved()
    if here.actor is None:
        raise Unauthenticated
    return here.actor


async def require_operator(actor: Annotated[Actor, Depends(require_member)]) -> Actor:
    if actor.role != OPERATOR:
        raise Forbidden
    return actor


async def require_fresh(
    actor: Annotated[Actor, Depends(require_member)],
    app: Annotated[App, Depends(current_app)],
) -> Actor:
    """Somebody who has proven themselves within the last ten minutes."""
    if not actor.is_fresh(app.clock.now()):
        raise Forbidden("Please confirm first that it is you.", code="reauthenticate")
    return actor


async def require_fresh_operator(
    actor: Annotated[Actor, Depends(require_operator)],
    app: Annotated[App, Depends(current_app)],
) -> Actor:
    return await require_fresh(actor, app)


async def require_claim(here: Here) -> Actor:
    """For proving oneself again, and nothing else: also from where the session is refused."""
    actor = here.actor or here.moved
    if actor is None:
        raise Unauthenticated
    return actor


def session_moved() -> Unauthenticated:
    return Unauthenticated(
        "This session was used from another kind of network than the one you signed in from. "
        "Please sign in again here.",
        code="session_moved",
    )


async def require_loopback_or_operator(connection: HTTPConnection, app: App) -> None:
    """For figures about the machine: from the machine itself, or by the operator.

    A loopback address proves little behind a proxy on the same machine or against a page that
    has rebound its name to 127.0.0.1: forwarded requests and foreign Host names do not count.
    """
    host = connection.client.host if connection.client else ""
    try:
        is_local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local = False
    headers = connection.headers
    is_forwarded = "x-forwarded-for" in headers or "forwarded" in headers
    if is_local and not is_forwarded and is_loopback_host(headers.get("host", "")):
        return
    await require_operator(await require_member(await presence(connection, app)))
