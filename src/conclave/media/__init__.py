"""Media: rooms, participants, tracks and data, spoken in LiveKit's protocol.

The slice's facade: other slices get a `MediaEngine` by `app.use(MediaEngine)`. Which engine stands
behind it is a setting. Must never know what a meeting or a call is, and never see a frame key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from conclave.kernel.errors import Unavailable
from conclave.kernel.slices import Slice
from conclave.media.engine import MediaEngine

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from conclave.kernel.app import App
    from conclave.media.signal_engine import SignalEngine
    from conclave.media.transport import Transport
    from conclave.settings import Settings

__all__ = ["SLICE", "MediaEngine"]


def _setup(app: App) -> None:
    from conclave.media.keys import load_keys
    from conclave.media.metrics import SignalCounters, TransportCollector
    from conclave.media.signal import Limits
    from conclave.media.signal_engine import SignalEngine

    settings = app.settings
    if settings.media.engine == "livekit":
        msg = (
            "media.engine = livekit (a LiveKit cluster) is not part of this release; "
            "use embedded, or fake for a server without media"
        )
        raise Unavailable(msg)
    engine = SignalEngine(
        transport=lambda: _transport(settings),
        keys=lambda: load_keys(settings),
        clock=app.clock,
        counters=SignalCounters(app.metrics),
        limits=Limits(
            participants_per_room=settings.media.room_participants,
            tracks_per_participant=settings.media.participant_tracks,
        ),
    )
    app.provide(SignalEngine, engine)
    app.provide(MediaEngine, engine)
    app.metrics.register(TransportCollector(engine))


def _transport(settings: Settings) -> Transport:
    if settings.media.engine == "fake":
        from conclave.media.fake import FakeTransport

        return FakeTransport()
    from conclave.media.embedded import EmbeddedTransport

    return EmbeddedTransport.from_settings(settings.media)


def _engine(app: App) -> SignalEngine:
    from conclave.media.signal_engine import SignalEngine

    return app.use(SignalEngine)


def _routes(app: App) -> Sequence[BaseRoute]:
    from conclave.media.routes import routes
    from conclave.media.service.routes import routes as service_routes

    engine = _engine(app)
    return [*routes(engine), *service_routes(app, engine)]


async def _start(app: App) -> None:
    await _engine(app).start()


async def _stop(app: App) -> None:
    await _engine(app).stop()


SLICE = Slice(name="media", asgi_routes=_routes, setup=_setup, start=_start, stop=_stop)
