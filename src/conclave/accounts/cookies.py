"""Two cookies: the session's, and the one by which a browser is known again to who has signed in
there before (it opens nothing).

`__Host-` ties each to this host, path `/` and TLS; without TLS (localhost) that prefix is
impossible and the plain name is used. HttpOnly, and SameSite=Lax so that links from mails still
find people signed in.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.responses import Response

from conclave.accounts.actors import SESSION_LIFETIME
from conclave.kernel.app import App

SECURE_NAME = "__Host-conclave"
PLAIN_NAME = "conclave"
SECURE_DEVICE_NAME = "__Host-conclave-device"
PLAIN_DEVICE_NAME = "conclave-device"
# Browsers keep no cookie for longer (RFC 6265bis, 5.5).
_DEVICE_SECONDS = 400 * 86_400


def is_secure(app: App, connection: HTTPConnection) -> bool:
    return connection.url.scheme in {"https", "wss"} or (
        app.settings.http.public_url or ""
    ).startswith("https:")


def session_token(app: App, connection: HTTPConnection) -> str | None:
    return connection.cookies.get(SECURE_NAME if is_secure(app, connection) else PLAIN_NAME)


def device_token(app: App, connection: HTTPConnection) -> str | None:
    return connection.cookies.get(
        SECURE_DEVICE_NAME if is_secure(app, connection) else PLAIN_DEVICE_NAME
    )


def set_session(app: App, connection: HTTPConnection, response: Response, token: str) -> None:
    secure = is_secure(app, connection)
    name = SECURE_NAME if secure else PLAIN_NAME
    _set(response, name, token, seconds=int(SESSION_LIFETIME.total_seconds()), secure=secure)


def clear_session(app: App, connection: HTTPConnection, response: Response) -> None:
    secure = is_secure(app, connection)
    _set(response, SECURE_NAME if secure else PLAIN_NAME, "", seconds=0, secure=secure)


def set_device(app: App, connection: HTTPConnection, response: Response, token: str) -> None:
    secure = is_secure(app, connection)
    name = SECURE_DEVICE_NAME if secure else PLAIN_DEVICE_NAME
    _set(response, name, token, seconds=_DEVICE_SECONDS, secure=secure)


def _set(response: Response, name: str, value: str, *, seconds: int, secure: bool) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax"
    )
