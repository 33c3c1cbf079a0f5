"""The session cookie.

`__Host-` ties it to this host, path `/` and TLS; without TLS (localhost) that prefix is impossible
and the plain name is used. HttpOnly, and SameSite=Lax so that links from mails still find the
operator signed in.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

from conclave.accounts.actors import SESSION_LIFETIME
from conclave.kernel.app import App

SECURE_NAME = "__Host-conclave"
PLAIN_NAME = "conclave"


def is_secure(app: App, connection: HTTPConnection) -> bool:
    return connection.url.scheme in {"https", "wss"} or (
        app.settings.http.public_url or ""
    ).startswith("https:")


def session_token(app: App, connection: HTTPConnection) -> str | None:
    return connection.cookies.get(SECURE_NAME if is_secure(app, connection) else PLAIN_NAME)


def set_session(app: App, connection: HTTPConnection, response: Response, token: str) -> None:
    _set(app, connection, response, token, int(SESSION_LIFETIME.total_seconds()))


def clear_session(app: App, connection: HTTPConnection, response: Response) -> None:
    _set(app, connection, response, "", 0)


def _set(
    app: App, connection: HTTPConnection, response: Response, value: str, max_age: int
) -> None:
    secure = is_secure(app, connection)
    response.set_cookie(
        SECURE_NAME if secure else PLAIN_NAME,
        value,
        max_age=max_age,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
