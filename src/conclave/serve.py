"""`conclave serve`: one asyncio main around the product, from bind to goodbye.

Exit codes: 0 after a signal, 1 when the server cannot start (one line on stderr says why and what
to do). On SIGTERM or SIGINT: not ready, no new connections, goodbye to realtime and media clients
(they come back by themselves), the rest within ten seconds whatever happens.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import sys
import threading

import structlog
import uvloop

from conclave import accounts
from conclave.app import Product, build
from conclave.kernel.errors import ConclaveError
from conclave.kernel.http import local_url
from conclave.kernel.listen import bind, new_server
from conclave.kernel.telemetry import configure_logging
from conclave.kernel.tls import certificate_for
from conclave.settings import Settings

STOP_DEADLINE_S = 9.0

log = structlog.get_logger()


def run(settings: Settings) -> int:
    configure_logging(form=settings.log.format, level=settings.log.level, pii=settings.log.pii)
    os.umask(0o077)  # the data folder holds keys
    _raise_descriptor_limit()
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(settings))
    except ConclaveError as error:
        print(f"conclave: {error.detail}", file=sys.stderr)
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else error.strerror
        print(f"conclave: {what or error} (conclave doctor tells more)", file=sys.stderr)
    return 1


async def _serve(settings: Settings) -> int:
    sockets = bind(settings.http.host, settings.http.port)
    product = build(settings)
    app = product.app
    app.port = sockets[0].getsockname()[1]
    certificate = certificate_for(settings, app.clock.now())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = new_server(
        product.web,
        clock=app.clock,
        certificate=certificate,
        trusted_proxies=settings.http.trusted_proxies,
    )
    try:
        await product.start()
        await _announce(product)
        serving = asyncio.create_task(server.serve(sockets=sockets))
        await server.listening.wait()
        # What is there now stays: it need not be looked at again in every collection.
        gc.freeze()
        gc.enable()
        await asyncio.wait(
            {serving, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED
        )
        _exit_at_deadline()
        log.info("stopping")
        server.stop_listening()
    finally:
        await product.stop()
    server.leave()
    await serving
    log.info("stopped")
    return 0


async def _announce(product: Product) -> None:
    """Said just before the socket listens, so that who finds the server ready finds the link."""
    app = product.app
    log.info("starting to listen", url=local_url(app), engine=app.settings.media.engine)
    if not product.site.is_built:
        log.warning("the web client is not built", repair="make setup")
    if not await accounts.has_operator(app.db):
        token = await accounts.new_operator_link(app.db, app.clock)
        print(f"Operator link: {local_url(app)}/operator#{token}", flush=True)


def _exit_at_deadline() -> None:
    timer = threading.Timer(STOP_DEADLINE_S, os._exit, (1,))
    timer.daemon = True
    timer.start()


def _raise_descriptor_limit() -> None:
    """Each client is a descriptor; many systems start programs with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, 65_536) if hard != resource.RLIM_INFINITY else 65_536
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
