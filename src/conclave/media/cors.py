"""CORS of LiveKit's endpoints: any origin may use them with a token, and never with cookies.

`Origin` is echoed for these and nowhere else in the product. Must never allow credentials.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection


def cors_headers(connection: HTTPConnection, methods: str) -> dict[str, str]:
    origin = connection.headers.get("origin")
    if not origin:
        return {"Vary": "Origin"}
    headers = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    if connection.scope.get("method") == "OPTIONS":
        wanted = connection.headers.get("access-control-request-headers")
        headers["Access-Control-Allow-Methods"] = methods
        headers["Access-Control-Allow-Headers"] = wanted or "Authorization"
        headers["Access-Control-Max-Age"] = "600"
    return headers
