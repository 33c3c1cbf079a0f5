"""The App: what one running server consists of, passed explicitly to whoever needs it.

Slices offer each other values by type: `app.provide(MediaEngine, engine)` in a slice's `setup`,
`app.use(MediaEngine)` in the slices above. There is no container and no global; must never hold
domain state (that is in the database) nor import a slice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar, cast

from prometheus_client import CollectorRegistry
from starlette.requests import HTTPConnection

if TYPE_CHECKING:
    from conclave.kernel.bus import Bus
    from conclave.kernel.clock import Clock
    from conclave.kernel.db import Database
    from conclave.kernel.outbox import Outbox
    from conclave.kernel.ratelimit import RateLimiter
    from conclave.settings import Settings

T = TypeVar("T")


@dataclass(slots=True)
class App:
    settings: Settings
    clock: Clock
    db: Database
    bus: Bus
    outbox: Outbox
    limiter: RateLimiter
    metrics: CollectorRegistry
    is_ready: bool = False
    """True between the end of start and the beginning of stop; what `/readyz` answers."""
    port: int = 0
    """The TCP port that is served, known once the socket is bound (the setting may be 0)."""
    _provided: dict[type, object] = field(default_factory=dict)

    def provide(self, kind: type[T], value: T) -> None:
        """Offer `value` to the slices above. Each type is provided once."""
        if kind in self._provided:
            msg = f"{kind.__name__} is provided twice"
            raise RuntimeError(msg)
        self._provided[kind] = value

    def use(self, kind: type[T]) -> T:
        """What a slice below has provided; `LookupError` when none has."""
        try:
            return cast("T", self._provided[kind])
        except KeyError:
            msg = f"no slice provides {kind.__name__}"
            raise LookupError(msg) from None


async def current_app(connection: HTTPConnection) -> App:
    """The App that serves a request or a socket; also a FastAPI dependency."""
    return cast("App", connection.app.state.conclave)
