"""`/healthz` (the process answers), `/readyz` (it can serve), and the text of `/metrics`."""

from __future__ import annotations

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from conclave.kernel.app import App, current_app
from conclave.kernel.errors import Unavailable
from conclave.kernel.slices import guarded


@guarded("anyone")
async def healthz(_request: Request) -> Response:
    return PlainTextResponse("ok", headers={"cache-control": "no-store"})


@guarded("anyone")
async def readyz(request: Request) -> Response:
    app = await current_app(request)
    reason = None if app.is_ready else "starting or stopping"
    if reason is None:
        try:
            async with app.db.read() as session:
                await session.execute(text("SELECT 1"))
        except Unavailable:
            reason = "database"
    return PlainTextResponse(
        reason or "ok", 503 if reason else 200, headers={"cache-control": "no-store"}
    )


def metrics_text(app: App) -> Response:
    return Response(
        generate_latest(app.metrics),
        media_type=CONTENT_TYPE_LATEST,
        headers={"cache-control": "no-store"},
    )
