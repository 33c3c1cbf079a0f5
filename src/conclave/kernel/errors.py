"""The one tree of errors that services raise; `kernel/http.py` turns them into problem documents.

    ConclaveError                500
    ├── Invalid                  422   the request's content cannot be used
    │   └── TooLarge             413
    ├── Unauthenticated          401   nobody is signed in, or the token is not good
    ├── Forbidden                403   known, but may not
    ├── NotFound                 404   also for what has ended: the same answer as for unknown
    ├── Conflict                 409   somebody was faster, or the state does not allow it
    │   └── PreconditionFailed   412   the version named in the request is not the present one
    ├── LimitReached             429   `retry_after` seconds
    └── Unavailable              503   storage or engine cannot answer now; nothing was done

`detail` is for people: what happened and what to do. It never holds a secret or personal data.
"""

from __future__ import annotations

from typing import ClassVar


class ConclaveError(Exception):
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Something went wrong on the server"

    def __init__(self, detail: str = "", *, code: str = "") -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.code = code or _code_of(type(self))


class Invalid(ConclaveError):
    status = 422
    title = "The request cannot be used"


class TooLarge(Invalid):
    status = 413
    title = "The request is too large"


class Unauthenticated(ConclaveError):
    status = 401
    title = "Please sign in"


class Forbidden(ConclaveError):
    status = 403
    title = "This is not allowed"


class NotFound(ConclaveError):
    status = 404
    title = "There is nothing here"


class Conflict(ConclaveError):
    status = 409
    title = "The state has changed in the meantime"


class PreconditionFailed(Conflict):
    status = 412
    title = "There is another version by now"


class LimitReached(ConclaveError):
    status = 429
    title = "Too many requests"

    def __init__(self, detail: str = "", *, retry_after: float = 1.0, code: str = "") -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class Unavailable(ConclaveError):
    status = 503
    title = "The server cannot do this right now"


def _code_of(kind: type[ConclaveError]) -> str:
    name = kind.__name__
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
