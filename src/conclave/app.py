"""The composition root: the slices, the App they share, and the ASGI application they make.

A new capability is one word in `SLICES`. Must never decide anything itself: what a route does is
in its slice, what all requests pass is in `kernel/http.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy.engine import URL, make_url
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

import conclave
from conclave import accounts, audit, media, meetings, sealing
from conclave.kernel import health, problems
from conclave.kernel.app import App, current_app
from conclave.kernel.bus import MemoryBus
from conclave.kernel.clock import Clock, SystemClock
from conclave.kernel.db import Database
from conclave.kernel.http import Guard, HttpMetrics
from conclave.kernel.migrate import migrate
from conclave.kernel.outbox import Outbox
from conclave.kernel.ratelimit import RateLimiter
from conclave.kernel.realtime import Realtime
from conclave.kernel.slices import Slice, guarded
from conclave.kernel.static import StaticSite
from conclave.kernel.telemetry import new_metrics
from conclave.server_info import router as server_info
from conclave.settings import Settings

SLICES: tuple[Slice, ...] = (
    accounts.SLICE,
    media.SLICE,
    sealing.SLICE,
    meetings.SLICE,
    audit.SLICE,
)
"""Lower slices first: each may use those before it."""

STATIC = Path(__file__).parent / "static"


@dataclass(slots=True)
class Product:
    """One running server without its sockets: `web` is the ASGI application."""

    app: App
    web: ASGIApp
    routes: FastAPI
    slices: Sequence[Slice]
    site: StaticSite

    async def start(self) -> None:
        """Migrate, start the slices, then say ready. Raises what keeps the server from starting."""
        app = self.app
        await migrate(app.db)
        for part in self.slices:
            await part.start(app)
        await app.outbox.start()
        app.is_ready = True

    async def stop(self) -> None:
        """Not ready, goodbye to realtime sockets, slices top down, then storage."""
        app = self.app
        app.is_ready = False
        await app.use(Realtime).close()
        for part in reversed(self.slices):
            await part.stop(app)
        await app.outbox.stop()
        await app.bus.close()
        await app.db.close()


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    slices: Sequence[Slice] = SLICES,
    static: Path = STATIC,
    process_metrics: bool = True,
) -> Product:
    """Put a server together; nothing is opened, bound or started yet."""
    clock = clock or SystemClock()
    db = Database(database_url(settings), busy_timeout_ms=settings.db.busy_timeout_ms)
    app = App(
        settings=settings,
        clock=clock,
        db=db,
        bus=MemoryBus(),
        outbox=Outbox(db, clock),
        limiter=RateLimiter(clock),
        metrics=new_metrics(process=process_metrics),
    )
    app.provide(Realtime, Realtime(app.outbox, app.bus, app.metrics))
    for part in slices:
        part.setup(app)
    site = StaticSite(static)
    routes = _routes(app, slices, site)
    limits = {path: limit for part in slices for path, limit in part.body_limits.items()}
    web = Guard(
        routes,
        app,
        HttpMetrics(app.metrics),
        body_limits=limits,
        connects_to=[origin for part in slices for origin in part.connects_to(app)],
    )
    return Product(app, web, routes, slices, site)


def database_url(settings: Settings) -> URL:
    """The database of `CONCLAVE_DB__URL`, or `conclave.db` in the data folder."""
    if settings.db.url is None:
        return URL.create(
            "sqlite+aiosqlite", database=str(settings.data_dir.absolute() / "conclave.db")
        )
    url = make_url(settings.db.url.get_secret_value())
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
    return url.set(drivername=drivers.get(url.get_backend_name(), url.drivername))


def _routes(app: App, slices: Sequence[Slice], site: StaticSite) -> FastAPI:
    web = FastAPI(
        title="conclave",
        version=conclave.__version__,
        # FastAPI's own pages load scripts from elsewhere; docs/reference/http-api.md is ours.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Metrics and logs are ours; nothing may be exported because an environment says so.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    web.state.conclave = app
    problems.install(web)
    web.include_router(server_info)
    for part in slices:
        for router in part.routers:
            web.include_router(router)
        web.router.routes.extend(part.asgi_routes(app))
    web.router.routes.extend(
        [
            Route("/healthz", health.healthz),
            Route("/readyz", health.readyz),
            Route("/metrics", metrics),
            Route("/{path:path}", site.serve),  # last: whatever nobody else took is a page
        ]
    )
    return web


@guarded("loopback or operator session")
async def metrics(request: Request) -> Response:
    app = await current_app(request)
    await accounts.require_loopback_or_operator(request, app)
    return health.metrics_text(app)
