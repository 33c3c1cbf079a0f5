"""Sealing: the delivery service of the meetings' MLS groups (RFC 9420).

This room holds sittings: their epochs, seats and the log of what members sent. It lets one commit
win each epoch, passes on bytes that it cannot read, and gives the media ticket to whom the members
have admitted. Slices above get `Sealing` by `app.use(Sealing)` and set its doorkeeper. It must
never import anything that could encrypt, decrypt, sign or verify, never know what a meeting is
beyond its id, and never store or log a name, a link secret or a ticket.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import BaseRoute, WebSocketRoute

from conclave.kernel.app import App
from conclave.kernel.slices import Slice
from conclave.sealing.doorkeeper import (
    Doorkeeper,
    Entry,
    EntryRole,
    EpochListener,
    Invited,
    MemberRole,
    MuteListener,
    MuteSource,
    PermitListener,
    SilenceListener,
    Ticket,
)
from conclave.sealing.events import SealingInstanceEnded, SealingMemberGone
from conclave.sealing.jobs import Janitor
from conclave.sealing.metrics import SealingMetrics
from conclave.sealing.realtime import sealing_socket
from conclave.sealing.service import Sealing

__all__ = [
    "SLICE",
    "Doorkeeper",
    "Entry",
    "EntryRole",
    "EpochListener",
    "Invited",
    "MemberRole",
    "MuteListener",
    "MuteSource",
    "PermitListener",
    "Sealing",
    "SealingInstanceEnded",
    "SealingMemberGone",
    "SilenceListener",
    "Ticket",
]


def _setup(app: App) -> None:
    app.provide(SealingMetrics, SealingMetrics(app.metrics))
    app.provide(Sealing, Sealing(app))
    app.provide(Janitor, Janitor(app.use(Sealing)))


def _routes(_app: App) -> Sequence[BaseRoute]:
    return [WebSocketRoute("/api/v1/meetings/{meeting_id}/sealing", sealing_socket)]


async def _start(app: App) -> None:
    await app.use(Janitor).start()


async def _stop(app: App) -> None:
    await app.use(Janitor).stop()


SLICE = Slice(name="sealing", asgi_routes=_routes, setup=_setup, start=_start, stop=_stop)
