"""What a host may do to participants, and that it holds."""

from __future__ import annotations

import pytest

from conclave.kernel.errors import Unavailable
from conclave.media.engine import Permission, PublishedTrack
from conclave.meetings.service import reconcile
from tests.databases import sqlite_only
from tests.sealing.delivery.tab import identity
from tests.stage import Stage

pytestmark = pytest.mark.unit


async def _remove(stage: Stage, meeting: str, number: int, *, epoch: int) -> None:
    """The first member takes another one out of the group."""
    host, target = stage.members[meeting][0], stage.members[meeting][number]
    answer = await host.commit(epoch, removed={target.seat: "removed"})
    assert answer["t"] == "ok", answer
    await stage.settled()


async def test_a_removed_participant_stays_out(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.seat(meeting, identity(1), by=operator)
    assert await stage.enter(meeting, identity(2))
    assert await stage.enter(meeting, identity(3))
    await _remove(stage, meeting, 1, epoch=2)
    assert ("remove_participant", meeting, identity(2)) in stage.engine.calls
    assert not await stage.engine.enter(meeting, identity(2)), "an old token opens nothing"
    assert await stage.engine.enter(meeting, identity(3))


async def test_somebody_who_is_not_in_the_media_can_still_be_kept_out(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.seat(meeting, identity(1), by=operator)
    await stage.seat(meeting, identity(2))
    await _remove(stage, meeting, 1, epoch=1)
    assert not await stage.engine.enter(meeting, identity(2))


async def test_a_removal_is_of_one_meeting(stage: Stage) -> None:
    operator = await stage.operator()
    one, two = await stage.meeting(operator), await stage.meeting(operator)
    for meeting in (one, two):
        await stage.seat(meeting, identity(1), by=operator)
        assert await stage.enter(meeting, identity(2))
    await _remove(stage, one, 1, epoch=1)
    assert not await stage.engine.enter(one, identity(2))
    assert await stage.engine.enter(two, identity(2))


async def test_a_device_that_is_back_already_keeps_its_media(stage: Stage) -> None:
    """Its old seat is replaced, and the outbox tells so only after it came in again."""
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.seat(meeting, identity(1), by=operator)
    assert await stage.enter(meeting, identity(2))
    host, old = stage.members[meeting]
    tab = await stage.knocker(meeting)
    answer = await host.commit(1, admitted={tab.seat: identity(2)}, removed={old.seat: "replaced"})
    assert answer["t"] == "ok", answer
    assert await stage.engine.enter(meeting, identity(2))
    await stage.settled()
    assert ("remove_participant", meeting, identity(2)) not in stage.engine.calls
    assert identity(2) in stage.engine.rooms[meeting]


def _tracks() -> tuple[PublishedTrack, ...]:
    return (
        PublishedTrack("TR_mic", "audio", "microphone", muted=False),
        PublishedTrack("TR_cam", "video", "camera", muted=False),
        PublishedTrack("TR_screen", "video", "screen_share", muted=False),
        PublishedTrack("TR_sound", "audio", "screen_share_audio", muted=False),
        PublishedTrack("TR_old", "video", "camera", muted=True),
    )


@sqlite_only
@pytest.mark.parametrize(
    ("source", "muted"),
    [
        ("microphone", ["TR_mic"]),
        ("camera", ["TR_cam"]),
        ("screen_share", ["TR_screen", "TR_sound"]),
    ],
)
async def test_a_host_mutes_what_a_member_sends(
    stage: Stage, source: str, muted: list[str]
) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.seat(meeting, identity(1), by=operator)
    await stage.engine.enter(meeting, identity(1))
    await stage.enter(meeting, identity(2))
    for number in (1, 2):
        stage.engine.publish(meeting, identity(number), *_tracks())
    host, guest = stage.members[meeting]
    refused = await guest.ask("mute", seat=host.seat, source=source)
    assert refused["code"] == "forbidden"
    assert stage.engine.calls == []
    assert (await host.ask("mute", seat=guest.seat, source=source))["t"] == "ok"
    assert stage.engine.calls == [
        ("mute_track", meeting, identity(2), track, True) for track in muted
    ]


@sqlite_only
async def test_muting_who_sends_nothing_is_nothing(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.seat(meeting, identity(1), by=operator)
    await stage.seat(meeting, identity(2))
    host, guest = stage.members[meeting]
    order = {"seat": guest.seat, "source": "microphone"}
    assert (await host.ask("mute", **order))["t"] == "ok", "no media room yet"
    await stage.engine.enter(meeting, identity(1))
    assert (await host.ask("mute", **order))["t"] == "ok", "not in the media"
    await stage.engine.enter(meeting, identity(2))
    assert (await host.ask("mute", **order))["t"] == "ok", "nothing published"
    assert stage.engine.calls == []


async def test_rooms_that_are_no_meetings_are_open_to_api_keys(stage: Stage) -> None:
    assert await stage.engine.enter("load-test", "bot")
    assert not await stage.engine.enter("mtg_notreally", "bot")


async def test_an_engine_out_of_order_is_said_and_nothing_is_lost(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.seat(meeting, identity(1), by=operator)
    await stage.engine.enter(meeting, identity(1))
    stage.engine.failure = Unavailable("the media engine does not answer")
    (tab,) = stage.members[meeting]
    mute = await tab.ask("mute", seat=tab.seat, source="microphone")
    assert mute["code"] == "unavailable"
    assert (await operator.post(f"/api/v1/meetings/{meeting}/end")).status_code == 204
    assert stage.engine.calls == []
    stage.engine.failure = None
    await stage.settled()
    assert ("delete_room", meeting) in stage.engine.calls, "done as soon as it can be"


async def test_a_host_silences_everybody_else(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.seat(meeting, identity(1), by=operator)
    await stage.engine.enter(meeting, identity(1))
    await stage.enter(meeting, identity(2))
    for number in (1, 2):
        stage.engine.publish(meeting, identity(number), *_tracks())
    host, guest = stage.members[meeting]
    assert (await guest.ask("silence"))["code"] == "forbidden"
    assert (await host.ask("silence"))["t"] == "ok"
    assert stage.engine.calls == [
        ("mute_track", meeting, identity(2), track.sid, True)
        for track in _tracks()
        if not track.muted
    ]


@sqlite_only
async def test_what_a_member_may_send_is_carried_out_in_the_media(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.seat(meeting, identity(1), by=operator)
    await stage.engine.enter(meeting, identity(1))
    await stage.seat(meeting, identity(2))
    host, guest = stage.members[meeting]
    camera = Permission(publish_sources=("camera",))
    assert (await host.ask("permit", all=2))["t"] == "ok", "not in the media yet"
    assert stage.engine.calls == []
    assert (await guest.ask("ticket"))["t"] == "ok"
    assert stage.engine.minted[-1].permission == camera
    await stage.engine.enter(meeting, identity(2))
    floor = [{"seat": guest.seat, "may": 3}]
    assert (await host.ask("permit", all=2, seats=floor))["t"] == "ok"
    assert (await host.ask("permit", all=0))["t"] == "ok"
    assert (await host.ask("permit", all=4))["t"] == "ok"
    assert (await host.ask("permit", all=7))["t"] == "ok"
    assert stage.engine.calls == [
        ("permit", meeting, identity(2), Permission(publish_sources=("microphone", "camera"))),
        ("permit", meeting, identity(2), Permission(can_publish=False)),
        ("permit", meeting, identity(2), SHARING),
        ("permit", meeting, identity(2), Permission()),
    ]


@sqlite_only
async def test_a_ticket_from_before_gives_no_more_than_is_given_now(stage: Stage) -> None:
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.seat(meeting, identity(1), by=operator)
    await stage.seat(meeting, identity(2))
    await stage.seat(meeting, identity(3))
    host, early, late = stage.members[meeting]
    assert (await early.ask("ticket"))["t"] == "ok"
    assert stage.engine.minted[-1].permission == Permission()
    assert (await host.ask("permit", all=2))["t"] == "ok"
    assert (await late.ask("ticket"))["t"] == "ok"
    for number in (1, 2, 3):
        assert await stage.engine.enter(meeting, identity(number))
    await stage.settled()
    assert stage.engine.calls == [
        ("permit", meeting, identity(2), Permission(publish_sources=("camera",)))
    ], "who leads, and who has a ticket of today, are left alone"


@sqlite_only
async def test_what_the_media_missed_is_made_good(stage: Stage) -> None:
    """The engine was out of order when the host said it."""
    operator = await stage.operator()
    meeting = await stage.meeting(operator)
    await stage.seat(meeting, identity(1), by=operator)
    await stage.enter(meeting, identity(2))
    await stage.settled()
    host, guest = stage.members[meeting]
    stage.engine.failure = Unavailable("the media engine does not answer")
    assert (await host.ask("permit", all=0))["t"] == "ok"
    stage.engine.failure = None
    assert stage.engine.calls == []
    await reconcile(stage.app)
    assert stage.engine.calls == [("permit", meeting, identity(2), Permission(can_publish=False))]
    assert (await host.ask("grant", seat=guest.seat, role="cohost"))["t"] == "ok"
    assert stage.engine.calls[1:] == [("permit", meeting, identity(2), Permission())]
    await reconcile(stage.app)
    assert len(stage.engine.calls) == 2, "it holds already"


SHARING = Permission(publish_sources=("screen_share", "screen_share_audio"))
