"""Webhooks as a receiver sees them: signed, in order, over failures and restarts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from livekit.api import TokenVerifier, WebhookReceiver
from livekit.protocol import models, rtc, webhook
from prometheus_client import CollectorRegistry
from pydantic import ValidationError
from sqlalchemy import func, select
from structlog.testing import capture_logs

from conclave.kernel.clock import ManualClock
from conclave.kernel.db import Database
from conclave.kernel.errors import Invalid
from conclave.media.metrics import WebhookCounters
from conclave.media.transport import TrackActive, TransportChanged
from conclave.media.webhooks import Webhooks
from conclave.media.webhooks.lanes import MAX_AGE, MAX_ATTEMPTS
from conclave.media.webhooks.sender import WebhookSender
from conclave.media.webhooks.store import WebhookDelivery
from conclave.settings import MediaSettings
from tests.media.receiver import receiving
from tests.media.server import MediaServer, RawClient, free_udp_port, serve

pytestmark = [pytest.mark.unit, pytest.mark.anyio]


def _clock() -> ManualClock:
    """It stands still at the present: LiveKit's verifier asks the machine for the time."""
    return ManualClock(datetime.now(UTC))


@asynccontextmanager
async def _serving(
    folder: Path, clock: ManualClock, *urls: str, **more: Any
) -> AsyncIterator[MediaServer]:
    async with serve(folder, clock=clock, webhook_urls=list(urls), **more) as server:
        yield server


async def _settled(server: MediaServer) -> None:
    async with asyncio.timeout(10):
        await server.app.use(Webhooks).settled()


async def _connected(server: MediaServer, identity: str, room: str = "room") -> RawClient:
    client = await server.join(identity, room)
    server.fake.emit(TransportChanged(client.sid, "connected"))
    return client


async def _leave(client: RawClient) -> None:
    await client.send(leave=rtc.LeaveRequest())
    await client.closed()


def _metric(server: MediaServer, name: str) -> float:
    value = server.app.metrics.get_sample_value(f"conclave_webhooks_{name}")
    assert value is not None
    return value


async def _stored(server: MediaServer) -> int:
    async with server.app.db.read() as session:
        return await session.scalar(select(func.count()).select_from(WebhookDelivery)) or 0


async def test_a_meetings_life_is_told_in_order_and_signed(tmp_path: Path) -> None:
    async with receiving() as receiver, _serving(tmp_path, _clock(), receiver.url) as server:
        alice = await _connected(server, "alice")
        await alice.send(
            add_track=rtc.AddTrackRequest(
                cid="mic", type=models.TrackType.AUDIO, source=models.TrackSource.MICROPHONE
            )
        )
        sid = (await alice.next("track_published")).track.sid
        server.fake.emit(TrackActive(alice.sid, sid, "audio/opus", "1"))
        await server.join("bob")
        await server.engine.remove_participant("room", "bob")
        await _leave(alice)
        await server.engine.delete_room("room")
        await _settled(server)
        assert receiver.taken() == [
            "room_started",
            "participant_joined",
            "track_published",
            "participant_connection_aborted",
            "track_unpublished",
            "participant_left",
            "room_finished",
        ]
        keys = server.engine.keys
        verifier = WebhookReceiver(TokenVerifier(keys.primary, keys.secret(keys.primary)))
        events = []
        for headers, body in receiver.requests:
            assert headers["content-type"] == "application/webhook+json"
            events.append(verifier.receive(body.decode(), headers["authorization"]))
            with pytest.raises(Exception, match="hash mismatch"):
                verifier.receive(body.decode() + " ", headers["authorization"])
        assert len({event.id for event in events}) == 7
        assert all(event.id.startswith("EV_") for event in events)
        assert {event.created_at for event in events} == {int(server.engine.now().at.timestamp())}
        assert {event.room.name for event in events} == {"room"}
        assert {event.room.sid for event in events} == {events[0].room.sid}
        joined, published = events[1], events[2]
        assert (joined.participant.identity, joined.participant.sid) == ("alice", alice.sid)
        assert joined.participant.state == models.ParticipantInfo.State.ACTIVE
        assert published.track.sid == sid
        assert published.participant == models.ParticipantInfo(sid=alice.sid, identity="alice")
        assert published.room == models.Room(sid=events[0].room.sid, name="room")
        assert events[3].participant.identity == "bob"
        reason = models.DisconnectReason.PARTICIPANT_REMOVED
        assert events[3].participant.disconnect_reason == reason
        assert events[5].participant.state == models.ParticipantInfo.State.DISCONNECTED
        assert (_metric(server, "sent_total"), _metric(server, "waiting")) == (7, 0)
        assert await _stored(server) == 0


async def test_a_token_without_a_name_makes_events_without_one(tmp_path: Path) -> None:
    """As those for sealed meetings are: the engine knows identities alone."""
    async with receiving() as receiver, _serving(tmp_path, _clock(), receiver.url) as server:
        await _connected(server, "seat")
        await _settled(server)
        event = json.loads(receiver.requests[-1][1])
        assert event["participant"]["identity"] == "seat"
        assert not {"name", "metadata", "attributes"} & set(event["participant"])


async def test_two_failures_keep_the_order_and_hold_up_nobody_else(tmp_path: Path) -> None:
    clock, failures = _clock(), 0

    def judge(event: dict[str, Any]) -> str:
        nonlocal failures
        if event["room"]["name"] == "broken" and failures < 2:
            failures += 1
            return "503 Later"
        return "204 Taken\r\n\r\n"

    async with receiving(judge) as receiver, _serving(tmp_path, clock, receiver.url) as server:
        await _connected(server, "alice", "broken")
        await _connected(server, "bob", "good")
        await _settled(server)
        assert receiver.taken("good") == ["room_started", "participant_joined"]
        assert receiver.taken("broken") == []
        assert _metric(server, "waiting") == 2
        clock.advance(1)
        await _settled(server)
        assert failures == 2
        clock.advance(1.5)
        await _settled(server)
        assert receiver.taken("broken") == [], "the second pause is longer"
        clock.advance(0.5)
        await _settled(server)
        assert receiver.taken("broken") == ["room_started", "participant_joined"]
        tries = [event["id"] for event, _ in receiver.seen if event["room"]["name"] == "broken"]
        assert len(tries) == 4
        assert len(set(tries)) == 2, "tried again with the same id"
        assert _metric(server, "failed_total") == 2


async def test_events_survive_a_restart(tmp_path: Path) -> None:
    clock = _clock()
    port = free_udp_port()
    url = f"http://127.0.0.1:{port}/hook"
    async with receiving() as good:
        async with _serving(tmp_path, clock, url, good.url) as server:
            await _connected(server, "alice")
            await _settled(server)
            assert good.taken() == ["room_started", "participant_joined"]
            waiting = _metric(server, "waiting")
        # The stop ended the room, which is told as well, now or at the next start.
        told = ["room_started", "participant_joined", "participant_left", "room_finished"]
        assert waiting == 2
        async with (
            receiving(port=port) as late,
            _serving(tmp_path, clock, url, good.url) as server,
        ):
            await _settled(server)
            assert late.taken() == told
            assert [e["id"] for e, _ in late.seen] == [e["id"] for e, _ in good.seen]
            assert await _stored(server) == 0
        assert good.taken() == told, "nothing comes twice"


async def test_attempts_are_counted_over_restarts_and_given_up(tmp_path: Path) -> None:
    clock = _clock()
    async with receiving(lambda _event: "500 No") as receiver:
        async with _serving(tmp_path, clock, receiver.url) as server:
            await server.engine.create_room("room", empty_timeout=timedelta(days=30))
            await _settled(server)
            for _ in range(3):
                clock.advance(600)
                await _settled(server)
            assert len(receiver.seen) == 4
            # The room of this run ends with it.
            receiver.judge = lambda event: (
                "200 OK" if event["event"] != "room_started" else "500 No"
            )
        async with _serving(tmp_path, clock, receiver.url) as server:
            await _settled(server)
            for _ in range(MAX_ATTEMPTS):
                clock.advance(600)
                await _settled(server)
            started = [e for e, _ in receiver.seen if e["event"] == "room_started"]
            assert len(started) == MAX_ATTEMPTS
            assert receiver.taken() == ["room_finished"], "the lane goes on behind it"
            assert _metric(server, "given_up_total") == 1
            assert await _stored(server) == 0


async def test_what_is_too_old_is_given_up(tmp_path: Path) -> None:
    clock = _clock()
    async with receiving(lambda _event: "500 No") as receiver:
        async with _serving(tmp_path, clock, receiver.url) as server:
            await server.engine.create_room("room")
        count = len(receiver.seen)
        clock.advance(MAX_AGE)
        async with _serving(tmp_path, clock, receiver.url) as server:
            await _settled(server)
            assert len(receiver.seen) == count
            assert _metric(server, "given_up_total") == 2
            assert await _stored(server) == 0


async def test_a_receiver_that_is_not_configured_any_more(tmp_path: Path) -> None:
    clock = _clock()
    gone = f"http://127.0.0.1:{free_udp_port()}/"
    async with receiving() as receiver:
        async with _serving(tmp_path, clock, gone, receiver.url) as server:
            await server.engine.create_room("room")
            await _settled(server)
            assert await _stored(server) == 1
        async with _serving(tmp_path, clock, receiver.url) as server:
            assert await _stored(server) == 0
            assert _metric(server, "given_up_total") == 2
        async with _serving(tmp_path, clock, gone) as server:
            await server.engine.create_room("room")
            await _settled(server)
            assert await _stored(server) == 1
        async with _serving(tmp_path, clock) as server:
            assert await _stored(server) == 0


async def test_without_receivers_nothing_is_made_or_stored(tmp_path: Path) -> None:
    async with serve(tmp_path) as server:
        await _connected(server, "alice")
        assert not server.engine.machine.world.is_observed
        assert await _stored(server) == 0
        with pytest.raises(LookupError):
            server.app.use(Webhooks)


@pytest.mark.parametrize(
    "answer",
    [
        "302 Found\r\nlocation: http://127.0.0.1:{port}/other\r\ncontent-length: 0\r\n\r\n",
        "404 Nothing",
        "nonsense",
        "200 OK\r\ncontent-length: -5\r\n\r\n",
    ],
    ids=["redirect", "not found", "no status", "bad length"],
)
async def test_answers_that_are_no_yes(tmp_path: Path, answer: str) -> None:
    async with receiving() as receiver, _serving(tmp_path, _clock(), receiver.url) as server:
        receiver.judge = lambda _event: answer.replace("{port}", str(receiver.port))
        await server.engine.create_room("room")
        await _settled(server)
        assert len(receiver.seen) == 1, "a redirect is not followed"
        assert (_metric(server, "failed_total"), _metric(server, "waiting")) == (1, 1)


async def test_a_long_answer_is_not_read_to_its_end(tmp_path: Path) -> None:
    endless = "200 OK\r\ncontent-length: 100000000000\r\n\r\n" + "x" * 100_000
    async with (
        receiving(lambda _event: endless) as receiver,
        _serving(tmp_path, _clock(), receiver.url) as server,
    ):
        await server.engine.create_room("room")
        await _settled(server)
        assert _metric(server, "sent_total") == 1


async def test_logs_say_nothing_of_events_and_receivers(tmp_path: Path) -> None:
    async with receiving(lambda _event: "500 No") as receiver:
        with capture_logs() as logs:
            async with _serving(tmp_path, _clock(), receiver.url) as server:
                await _connected(server, "alice", "salon")
                await _settled(server)
        assert any(entry["event"] == "webhook failed" for entry in logs)
        words = str(logs)
        for word in ("alice", "salon", "hidden", "hooks", str(receiver.port)):
            assert word not in words


# --- the running part alone, on both databases


@asynccontextmanager
async def _webhooks(
    db: Database, clock: ManualClock, *urls: str, timeout_s: float = 5.0
) -> AsyncIterator[tuple[Webhooks, CollectorRegistry]]:
    registry = CollectorRegistry()
    sender = WebhookSender(clock, "key", "a secret of some length", timeout_s=timeout_s)
    webhooks = Webhooks(db, clock, WebhookCounters(registry), urls, sender)
    await webhooks.start()
    try:
        yield webhooks, registry
    finally:
        await webhooks.stop()


def _event(number: int, room: str = "room") -> webhook.WebhookEvent:
    return webhook.WebhookEvent(
        event="room_started", id=f"EV_{number}", room=models.Room(name=room)
    )


async def test_many_events_keep_their_order(db: Database) -> None:
    clock = _clock()
    async with receiving() as receiver, _webhooks(db, clock, receiver.url) as (webhooks, _):
        for number in range(250):
            webhooks.take(_event(number, f"room{number % 3}"))
        await webhooks.settled()
        for room in range(3):
            ids = [e["id"] for e, _ in receiver.seen if e["room"]["name"] == f"room{room}"]
            assert ids == [f"EV_{number}" for number in range(room, 250, 3)]


async def test_a_slow_receiver_holds_up_nobody(db: Database) -> None:
    clock = _clock()
    async with AsyncExitStack() as stack:
        slow, good = [await stack.enter_async_context(receiving()) for _ in range(2)]
        slow.stall.clear()
        webhooks, registry = await stack.enter_async_context(
            _webhooks(db, clock, slow.url, good.url, timeout_s=2)
        )
        for number in range(8):
            webhooks.take(_event(number, f"room{number}"))
        await webhooks.settled()
        assert len(good.seen) == 8
        assert registry.get_sample_value("conclave_webhooks_failed_total") == 8
        slow.stall.set()
        clock.advance(1)
        await webhooks.settled()
        assert registry.get_sample_value("conclave_webhooks_waiting") == 0
        assert len(good.seen) == 8


async def test_a_stop_waits_for_no_slow_receiver(db: Database) -> None:
    async with receiving() as slow:
        slow.stall.clear()
        async with _webhooks(db, _clock(), slow.url, timeout_s=60):
            pass
        async with _webhooks(db, _clock(), slow.url, timeout_s=60) as (webhooks, _):
            webhooks.take(_event(1))
        slow.stall.set()
        async with _webhooks(db, _clock(), slow.url) as (webhooks, _):
            await webhooks.settled()
        assert slow.taken()[-1] == "room_started"


async def test_a_database_that_fails_loses_nothing(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = _clock()
    async with receiving() as receiver, _webhooks(db, clock, receiver.url) as (webhooks, registry):
        with monkeypatch.context() as patch:
            patch.setattr(db, "_is_closed", True)
            webhooks.take(_event(1))
            webhooks.take(_event(2))
        await webhooks.settled()
        assert [event["id"] for event, _ in receiver.seen] == ["EV_1", "EV_2"]
        assert registry.get_sample_value("conclave_webhooks_given_up_total") == 0


# --- settings


async def test_the_key_that_signs_can_be_chosen(tmp_path: Path) -> None:
    keys = "first: a secret of some length, second: another secret of thirty-two bytes"
    async with (
        receiving() as receiver,
        _serving(
            tmp_path, _clock(), receiver.url, api_keys=keys, webhook_api_key="second"
        ) as server,
    ):
        await server.engine.create_room("room")
        await _settled(server)
        ((headers, body),) = receiver.requests
        verifier = WebhookReceiver(TokenVerifier("second", "another secret of thirty-two bytes"))
        assert verifier.receive(body.decode(), headers["authorization"]).event == "room_started"


async def test_a_key_that_does_not_exist_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="WEBHOOK_API_KEY"):
        async with _serving(tmp_path, _clock(), "http://127.0.0.1:1/", webhook_api_key="none"):
            pass


@pytest.mark.parametrize(
    "url",
    ["", "example.org", "ftp://example.org", "http://", "http://a:0/", "http://u:p@a/",
     "http://a/#x", "http://[::1", "http://a/" + "x" * 2048, "http://ä/"],
)  # fmt: skip
def test_urls_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ValidationError):
        MediaSettings(webhook_urls=[url])


def test_urls_as_a_list_in_one_variable() -> None:
    settings = MediaSettings(webhook_urls="https://a.example/x, http://[::1]:9/")
    assert settings.webhook_urls == ["https://a.example/x", "http://[::1]:9/"]
    assert MediaSettings().webhook_urls == []
