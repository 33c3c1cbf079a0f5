"""Problem documents (RFC 9457): the one form in which the product's API says no.

`type`, `title`, `status`, `detail` and `code`; `code` is what programs compare and what
docs/reference/errors.md lists. Must never echo what was sent, nor say more about a failure inside
than that there was one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from conclave.kernel.errors import ConclaveError, LimitReached

_TITLES = {
    400: ("bad_request", "The request cannot be read"),
    404: ("not_found", "There is nothing here"),
    405: ("method_not_allowed", "This address does not take that kind of request"),
}


def problem(
    status: int,
    code: str,
    title: str,
    detail: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> Response:
    body = {
        "type": f"urn:conclave:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail or title,
        "code": code,
        **members,
    }
    return Response(
        json.dumps(body, ensure_ascii=False),
        status_code=status,
        media_type="application/problem+json",
        headers=headers,
    )


def problem_of(error: ConclaveError) -> Response:
    headers = {}
    if isinstance(error, LimitReached):
        headers["retry-after"] = str(max(1, math.ceil(error.retry_after)))
    elif error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = "2"
    return problem(error.status, error.code, error.title, error.detail, headers=headers)


def internal_error(request_id: str) -> Response:
    return problem(
        500,
        "internal_error",
        ConclaveError.title,
        "The server met an error of its own. The operator finds it in the log by this number: "
        f"{request_id}",
        request_id=request_id,
    )


def install(web: FastAPI) -> None:
    web.add_exception_handler(ConclaveError, _on_error)
    web.add_exception_handler(RequestValidationError, _on_invalid)
    web.add_exception_handler(HTTPException, _on_http)
    web.add_exception_handler(Exception, _on_failure)


async def _on_error(_request: Request, error: Exception) -> Response:
    return problem_of(cast("ConclaveError", error))


async def _on_failure(request: Request, _error: Exception) -> Response:
    # The error goes on to `Guard`, which logs it.
    return internal_error(request.state.request_id)


async def _on_invalid(_request: Request, error: Exception) -> Response:
    faults = [
        {"field": ".".join(str(part) for part in fault["loc"][1:]), "message": fault["msg"]}
        for fault in cast("RequestValidationError", error).errors()
    ]
    return problem(
        422,
        "invalid",
        "The request cannot be used",
        "; ".join(f"{fault['field'] or 'body'}: {fault['message']}" for fault in faults[:5]),
        faults=faults[:20],
    )


async def _on_http(_request: Request, error: Exception) -> Response:
    raised = cast("HTTPException", error)
    code, title = _TITLES.get(
        raised.status_code, ("refused", HTTPStatus(raised.status_code).phrase)
    )
    return problem(raised.status_code, code, title, headers=raised.headers)
