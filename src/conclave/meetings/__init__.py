"""Meetings: what opens a room, who gets a token for it, and when it ends.

This room holds open and ended meetings, planned ones among them. It decides who may enter
(the engine's gate) and tells the engine to close. It must never store a participant's name, nor
look into the engine other than through its port.
"""

from __future__ import annotations

from functools import partial

from conclave.accounts import MemberRemoved, MemberSuspended
from conclave.kernel.app import App
from conclave.kernel.realtime import Realtime
from conclave.kernel.slices import Slice
from conclave.media.engine import MediaEngine
from conclave.meetings import service
from conclave.meetings.doorkeeper import MeetingsDoorkeeper
from conclave.meetings.events import MeetingEnded, MeetingSittingEnded
from conclave.meetings.invitation_routes import router as invitation_router
from conclave.meetings.jobs import Follower
from conclave.meetings.past import OwnMeeting, list_opened_by
from conclave.meetings.plan_routes import router as plan_router
from conclave.meetings.realtime import show
from conclave.meetings.routes import router
from conclave.meetings.service import MeetingsMetrics, was_opened_by
from conclave.sealing import Sealing, SealingMemberGone

__all__ = ["SLICE", "Follower", "OwnMeeting", "list_opened_by", "was_opened_by"]


def _setup(app: App) -> None:
    engine = app.use(MediaEngine)
    app.provide(MeetingsMetrics, MeetingsMetrics(app))
    app.provide(Follower, Follower(app))
    engine.set_gate(partial(service.may_enter, app))
    engine.subscribe(app.use(Follower).note)
    sealing = app.use(Sealing)
    sealing.set_doorkeeper(MeetingsDoorkeeper(app))
    sealing.on_epoch_in_use(partial(service.ask_for_keyframes, app))
    sealing.on_mute(partial(service.mute_source, app))
    sealing.on_silence(partial(service.silence, app))
    sealing.on_permit(partial(service.permit, app))
    app.outbox.consume(
        "meetings",
        {
            MeetingEnded.type,
            MeetingSittingEnded.type,
            SealingMemberGone.type,
            MemberRemoved.type,
            MemberSuspended.type,
        },
        partial(service.react, app),
    )
    show(app.use(Realtime))


async def _start(app: App) -> None:
    await app.use(Follower).start()


async def _stop(app: App) -> None:
    await app.use(Follower).stop()


SLICE = Slice(
    name="meetings",
    routers=(router, plan_router, invitation_router),
    setup=_setup,
    start=_start,
    stop=_stop,
)
