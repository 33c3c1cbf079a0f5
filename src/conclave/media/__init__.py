"""Media: rooms, participants, tracks and data, spoken in LiveKit's protocol.

The slice's facade: other slices get a `MediaEngine` by `app.use(MediaEngine)`. Which engine stands
behind it is a setting. Must never know what a meeting or a call is, and never see a frame key.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from conclave.kernel.errors import Invalid
from conclave.kernel.slices import Slice
from conclave.media.engine import MediaEngine

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from conclave.kernel.app import App
    from conclave.media.livekit.engine import ClusterEngine
    from conclave.media.signal_engine import SignalEngine
    from conclave.media.transport import Transport
    from conclave.media.webhooks import Webhooks
    from conclave.settings import Settings

__all__ = ["SLICE", "MediaEngine"]


def _setup(app: App) -> None:
    from conclave.media import pings
    from conclave.media.keys import load_keys
    from conclave.media.metrics import SignalCounters, TransportCollector, WebhookCounters
    from conclave.media.signal import Limits
    from conclave.media.signal_engine import SignalEngine

    settings = app.settings
    if _is_cluster(app):
        _setup_cluster(app)
        return
    engine = SignalEngine(
        transport=lambda: _transport(settings),
        keys=lambda: load_keys(settings),
        clock=app.clock,
        counters=SignalCounters(app.metrics),
        limits=Limits(
            participants_per_room=settings.media.room_participants,
            tracks_per_participant=settings.media.participant_tracks,
        ),
        pongs=pings.load(),
    )
    app.provide(SignalEngine, engine)
    app.provide(WebhookCounters, WebhookCounters(app.metrics))
    app.provide(MediaEngine, engine)
    app.metrics.register(TransportCollector(engine))


def _is_cluster(app: App) -> bool:
    return app.settings.media.engine == "livekit"


def _setup_cluster(app: App) -> None:
    from conclave.media.keys import load_keys
    from conclave.media.livekit.engine import ClusterEngine
    from conclave.media.livekit.metrics import ClusterCounters
    from conclave.media.livekit.twirp import Twirp

    media = app.settings.media
    counters = ClusterCounters(app.metrics)
    engine = ClusterEngine(
        url=media.livekit_url or "",
        twirp=Twirp(media.livekit_api, observe=counters.called),
        keys=load_keys(app.settings),
        clock=app.clock,
        counters=counters,
    )
    app.provide(ClusterEngine, engine)
    app.provide(MediaEngine, engine)


def _transport(settings: Settings) -> Transport:
    if settings.media.engine == "fake":
        from conclave.media.fake import FakeTransport

        return FakeTransport()
    from conclave.media.embedded import EmbeddedTransport

    return EmbeddedTransport.from_settings(settings.media)


def _engine(app: App) -> SignalEngine | ClusterEngine:
    if _is_cluster(app):
        from conclave.media.livekit.engine import ClusterEngine

        return app.use(ClusterEngine)
    from conclave.media.signal_engine import SignalEngine

    return app.use(SignalEngine)


def _routes(app: App) -> Sequence[BaseRoute]:
    if _is_cluster(app):
        from conclave.media.livekit.engine import ClusterEngine
        from conclave.media.livekit.receiver import routes as webhook_routes
        from conclave.media.routes import elsewhere_routes

        return [*elsewhere_routes(), *webhook_routes(app.use(ClusterEngine), app.clock)]
    from conclave.media.routes import routes
    from conclave.media.service.routes import routes as service_routes
    from conclave.media.signal_engine import SignalEngine

    engine = app.use(SignalEngine)
    return [*routes(engine), *service_routes(app, engine)]


def _connects_to(app: App) -> Sequence[str]:
    return app.settings.media.livekit_origins


async def _start(app: App) -> None:
    from conclave.media.signal_engine import SignalEngine

    engine = _engine(app)
    await engine.start()
    if isinstance(engine, SignalEngine) and app.settings.media.webhook_urls:
        webhooks = _webhooks(app, engine)
        await webhooks.start()
        engine.observe(webhooks.take)
        app.provide(type(webhooks), webhooks)
    else:
        from conclave.media.webhooks.store import WebhookStore

        # Of receivers that are not configured any more.
        await WebhookStore(app.db).keep_only(())


async def _stop(app: App) -> None:
    await _engine(app).stop()
    if app.settings.media.webhook_urls:
        from conclave.media.webhooks import Webhooks

        with suppress(LookupError):  # the start did not come that far
            await app.use(Webhooks).stop()


def _webhooks(app: App, engine: SignalEngine) -> Webhooks:
    """Made only where somebody wants them: they call other servers."""
    settings = app.settings.media
    from conclave.media.metrics import WebhookCounters
    from conclave.media.webhooks import Webhooks
    from conclave.media.webhooks.sender import WebhookSender

    key = settings.webhook_api_key or engine.keys.primary
    if key not in engine.keys:
        msg = "CONCLAVE_MEDIA__WEBHOOK_API_KEY names no API key of this server"
        raise Invalid(msg)
    sender = WebhookSender(app.clock, key, engine.keys.secret(key))
    counters = app.use(WebhookCounters)
    return Webhooks(app.db, app.clock, counters, settings.webhook_urls, sender)


SLICE = Slice(
    name="media",
    asgi_routes=_routes,
    connects_to=_connects_to,
    setup=_setup,
    start=_start,
    stop=_stop,
)
