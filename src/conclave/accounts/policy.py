"""Who may. The one way for routes and sockets of every slice to learn who asks."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from conclave.accounts import cookies
from conclave.accounts.actors import OPERATOR, Actor, actor_of
from conclave.kernel.app import App, current_app
from conclave.kernel.errors import Forbidden, Unauthenticated
from conclave.kernel.origin import is_loopback_host


async def maybe_actor(
    connection: HTTPConnection, app: Annotated[App, Depends(current_app)]
) -> Actor | None:
    """Who is signed in, if anybody. Not a policy: an answer that depends on it still needs one."""
    token = cookies.session_token(app, connection)
    return None if token is None else await actor_of(app, token)


async def require_operator(actor: Annotated[Actor | None, Depends(maybe_actor)]) -> Actor:
    if actor is None:
        raise Unauthenticated
    if actor.role != OPERATOR:
        raise Forbidden
    return actor


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
    await require_operator(await maybe_actor(connection, app))
