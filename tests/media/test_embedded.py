"""The built engine through its binding, and the transport over it. Loopback only."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from conclave.kernel.errors import Unavailable
from conclave.media.digest import is_stale
from conclave.media.embedded import EmbeddedTransport
from conclave.media.transport import (
    Answered,
    EventsLost,
    ExpectedTrack,
    Grant,
    OfferRejected,
    ParticipantFailed,
    Quality,
    QualityMeasured,
    SectionsNeeded,
    Speaker,
    SpeakersChanged,
    StreamStateChanged,
    Subscribed,
    SubscriptionFailed,
    TrackActive,
    TrackEnded,
    Transport,
    TransportChanged,
    TransportEvent,
)

media = pytest.importorskip("conclave._media", reason="the media engine is not built: make setup")

pytestmark = pytest.mark.media

CHECKOUT = Path(__file__).resolve().parents[2]
LIMIT = 5.0


def make(**changes: Any) -> Any:
    arguments: dict[str, Any] = {"shards": 1, "udp_port": 0, "addresses": ["127.0.0.1"]}
    return media.Engine(**{**arguments, **changes})


@pytest.fixture
def engine() -> Iterator[Any]:
    made = make()
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def shared() -> Iterator[Any]:
    made = make(shards=2)
    yield made
    made.shutdown()


def is_readable(engine: Any, timeout: float = 0) -> bool:
    return bool(select.select([engine.fileno()], [], [], timeout)[0])


def wait_for(engine: Any, wanted: Callable[[tuple[Any, ...]], bool]) -> tuple[Any, ...]:
    deadline = time.monotonic() + LIMIT
    while (left := deadline - time.monotonic()) > 0:
        if is_readable(engine, left):
            for event in engine.drain():
                if wanted(event):
                    return cast("tuple[Any, ...]", event)
    raise AssertionError("the event did not come")


def wait_until(engine: Any, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + LIMIT
    while time.monotonic() < deadline:
        stats: dict[str, Any] = engine.stats()
        if holds(stats):
            return stats
        select.select([], [], [], 0.01)
    raise AssertionError("the figures did not come")


def open_(engine: Any, participant: str, room: str = "room") -> None:
    engine.open(room, participant, "", can_publish=True, can_subscribe=True, can_publish_data=True)


# --- the binding


def test_the_stub_describes_the_extension() -> None:
    stubtest = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "conclave._media"],
        cwd=CHECKOUT,
        env={**os.environ, "MYPYPATH": str(CHECKOUT / "src")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert stubtest.returncode == 0, stubtest.stdout + stubtest.stderr


def test_the_extension_is_built_from_these_sources() -> None:
    assert not is_stale(media.DIGEST), "make setup builds the engine again"


def test_malformed_arguments_raise_value_error(engine: Any) -> None:
    refused: list[dict[str, Any]] = [
        {"shards": 0},
        {"shards": 1000},
        {"addresses": []},
        {"addresses": ["0.0.0.0"]},  # noqa: S104 - must be refused
        {"addresses": ["example.org"]},
        {"addresses": ["127.0.0.1", "127.0.0.1"]},
        {"public_ip": "nowhere"},
        {"event_limit": 0},
        {"udp_port": 65535, "shards": 2},
    ]
    for arguments in refused:
        with pytest.raises(ValueError, match=r".+"):
            make(**arguments)
    flags = {"can_publish": True, "can_subscribe": True, "can_publish_data": True}
    track = {"stream": "camera", "muted": False, "stereo": False, "dtx": False}
    calls: list[Callable[[], object]] = [
        lambda: engine.open("", "PA_1", "", **flags),
        lambda: engine.open("room", "", "", **flags),
        lambda: engine.subscribe("PA_1", ""),
        lambda: engine.offer("", 1, ""),
        lambda: engine.offer("PA_1", 1, "\ud800"),
        lambda: engine.add_track("PA_1", "TR_1", "c", kind="text", **track),
        lambda: engine.add_track("PA_1", "TR_1", "c", kind="video", **{**track, "stream": "x"}),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r".+"):
            call()
    with pytest.raises(OverflowError):
        engine.offer("PA_1", 1 << 32, "")


def test_unknown_ids_are_ignored(shared: Any) -> None:
    shared.set_permission("PA_x", can_publish=True, can_subscribe=True, can_publish_data=True)
    shared.offer("PA_x", 1, "v=0")
    shared.trickle("PA_x", "")
    shared.set_bandwidth("PA_x", None)
    shared.close("PA_x")
    shared.close_room("nowhere")
    shared.add_track(
        "PA_x", "TR_x", "c", kind="audio", stream="camera", muted=False, stereo=False, dtx=True
    )
    shared.remove_track("PA_x", "TR_x")
    shared.mute_track("PA_x", "TR_x", True)
    shared.subscribe("PA_x", "TR_x")
    shared.unsubscribe("PA_x", "TR_x")
    shared.pause("PA_x", "TR_x", True)
    shared.request_keyframes("nowhere")
    shared.send_data("nowhere", b"\0", reliable=True, destinations=("PA_x",))
    shared.replay_data("PA_x", {"PA_y": 3})
    shared.inject_fault("PA_x")
    assert shared.last_reliable_sequence("PA_x") == 0
    open_(shared, "PA_known", "ignored")
    shared.subscribe("PA_known", "TR_x")
    shared.unsubscribe("PA_known", "TR_y")
    shared.offer("PA_known", 77, "nonsense")
    event = wait_for(shared, lambda event: event[0] == "offer_rejected")
    assert event[1:3] == ("PA_known", 77)
    shared.close("PA_known")
    assert sum(shard["panics"] for shard in shared.stats()["shards"]) == 0


def test_a_taken_port_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=rf"127\.0\.0\.1:{port}"):
            make(udp_port=port)


def test_shards_have_their_own_ports_and_give_them_back() -> None:
    first = make(shards=2, udp_port=(port := free_ports(2)))
    for taken in (port, port + 1):
        with pytest.raises(OSError, match=str(taken)):
            make(udp_port=taken)
    first.shutdown()
    make(shards=2, udp_port=port).shutdown()


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody uses."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        try:
            for number in range(port, port + count):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                    probe.bind(("127.0.0.1", number))
        except OSError:
            continue
        return port
    raise AssertionError("no free ports")


def test_the_descriptor_is_readable_while_events_wait(engine: Any) -> None:
    assert not is_readable(engine)
    assert engine.drain() == []
    open_(engine, "PA_1")
    for number in range(10):
        engine.offer("PA_1", number, "nonsense")
    wait_until(engine, lambda stats: stats["event_queue"] == 10)
    assert is_readable(engine)
    first = engine.drain(3)
    assert [event[2] for event in first] == [0, 1, 2]
    assert is_readable(engine)
    assert [event[2] for event in engine.drain(100)] == list(range(3, 10))
    assert not is_readable(engine)
    engine.offer("PA_1", 11, "nonsense")
    assert is_readable(engine, LIMIT)


def test_events_that_nobody_drains_are_counted() -> None:
    engine = make(event_limit=4)
    open_(engine, "PA_1")
    for number in range(20):
        engine.offer("PA_1", number, "nonsense")
    wait_until(engine, lambda stats: stats["events_lost"] == 16)
    events = engine.drain()
    assert [event[0] for event in events] == ["offer_rejected"] * 4 + ["overflow"]
    assert events[-1] == ("overflow", 16)
    assert engine.drain() == []
    engine.shutdown()


def test_a_closed_engine_refuses_commands_and_closes_twice() -> None:
    engine = make()
    open_(engine, "PA_1")
    started = time.monotonic()
    engine.shutdown()
    engine.shutdown()
    assert time.monotonic() - started < 1.5
    with pytest.raises(RuntimeError, match="closed"):
        engine.close("PA_1")
    with pytest.raises(RuntimeError, match="closed"):
        open_(engine, "PA_2")
    assert isinstance(engine.drain(), list)
    assert engine.fileno() >= 0
    assert len(engine.stats()["shards"]) == 1


def test_a_busy_interpreter_does_not_stop_a_shard() -> None:
    port = free_ports(1)
    engine = make(udp_port=port)
    wait_until(engine, lambda stats: stats["shards"][0]["cpu_seconds"] > 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for _ in range(100):
            sender.sendto(b"\xffgarbage", ("127.0.0.1", port))
    # Nothing here lets go of the interpreter until the figures, a second old at most, are read.
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        pass
    dropped = engine.stats()["shards"][0]["datagrams_dropped"]
    assert sum(dropped.values()) == 100
    engine.shutdown()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sdp=st.one_of(
        st.text(max_size=300),
        st.lists(
            st.sampled_from(
                [
                    "v=0",
                    "o=- 1 1 IN IP4 0.0.0.0",
                    "s=-",
                    "t=0 0",
                    "a=group:BUNDLE 0 0",
                    "m=audio 9 UDP/TLS/RTP/SAVPF 111",
                    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
                    "m=video 99999999999 RTP 1 2 3",
                    "a=mid:0",
                    "a=mid:" + "x" * 70,
                    "a=ice-ufrag:abcd",
                    "a=ice-pwd:",
                    "a=fingerprint:sha-256 zz:yy",
                    "a=rtpmap:111 opus/48000/2",
                    "a=fmtp:111 ;;;=",
                    "a=extmap:99999 x",
                    "a=simulcast:send ;;~",
                    "a=ssrc-group:FID 1",
                    "\0",
                ]
            ),
            max_size=30,
        ).map("\r\n".join),
    )
)
def test_no_offer_breaks_anything(shared: Any, sdp: str) -> None:
    open_(shared, "PA_fuzz", "fuzz")
    shared.offer("PA_fuzz", 1, sdp)
    event = wait_for(shared, lambda event: event[1] == "PA_fuzz")
    assert event[0] == "offer_rejected"
    assert isinstance(event[3], str)
    shared.close("PA_fuzz")
    assert sum(shard["panics"] for shard in shared.stats()["shards"]) == 0


# --- the transport


class FakeEngine:
    """Hands out prepared events, as the engine does."""

    def __init__(self, events: Sequence[tuple[Any, ...]]) -> None:
        self.events = list(events)
        self.reader, self.writer = os.pipe()
        os.write(self.writer, b"x")

    def __call__(self, **_: Any) -> Self:
        return self

    def fileno(self) -> int:
        return self.reader

    def drain(self, limit: int) -> list[tuple[Any, ...]]:
        taken, self.events = self.events[:limit], self.events[limit:]
        if not self.events:
            os.read(self.reader, 1)
        return taken

    def shutdown(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


def transport(**changes: Any) -> EmbeddedTransport:
    return EmbeddedTransport(**{"shards": 1, "udp_port": 0, "addresses": ["127.0.0.1"], **changes})


async def next_batch(batches: asyncio.Queue[Sequence[TransportEvent]]) -> Sequence[TransportEvent]:
    return await asyncio.wait_for(batches.get(), LIMIT)


async def test_events_reach_the_listener_as_dataclasses() -> None:
    batches: asyncio.Queue[Sequence[TransportEvent]] = asyncio.Queue()
    made: Transport = transport()
    made.start(batches.put_nowait)
    made.open("room", "PA_1", "someone", Grant())
    made.set_grant("PA_1", Grant(can_publish=False))
    made.add_track("PA_1", ExpectedTrack("TR_1", "cid", "audio", "camera"))
    made.offer("PA_1", 9, "nonsense")
    rejected: TransportEvent | None = None
    while not isinstance(rejected, OfferRejected):
        rejected = (await next_batch(batches))[-1]
    assert (rejected.participant, rejected.offer_id) == ("PA_1", 9)
    assert made.last_reliable_sequence("PA_1") == 0
    assert made.stats()["participants"] == 1
    made.stop()
    made.stop()
    with pytest.raises(Unavailable):
        made.close("PA_1")


async def test_every_kind_of_event_is_mapped_and_unknown_ones_are_told_once() -> None:
    fake = FakeEngine(
        [
            ("answer", "PA_1", 1, "v=0", [("0", "TR_1")]),
            ("offer_rejected", "PA_1", 2, "why"),
            ("transport", "PA_1", "connected"),
            ("sections_needed", "PA_1", 1, 2),
            ("subscribed", "PA_1", "TR_1", "3"),
            ("subscription_failed", "PA_1", "TR_1", "track_unknown"),
            ("track_active", "PA_1", "TR_1", "video/VP8", "0"),
            ("track_ended", "PA_1", "TR_1"),
            ("stream_state", "PA_1", "TR_1", "paused"),
            ("speakers", "room", [("PA_1", 0.5, True)]),
            ("quality", "room", [("PA_1", "good", 4.0)]),
            ("participant_failed", "PA_1", "why"),
            ("brand_new", 1),
            ("brand_new", 2),
            ("overflow", 7),
        ]
    )
    batches: asyncio.Queue[Sequence[TransportEvent]] = asyncio.Queue()
    made = transport(make_engine=cast("Any", fake))
    with capture_logs() as logs:
        made.start(batches.put_nowait)
        batch = await next_batch(batches)
    assert list(batch) == [
        Answered("PA_1", 1, "v=0", {"0": "TR_1"}),
        OfferRejected("PA_1", 2, "why"),
        TransportChanged("PA_1", "connected"),
        SectionsNeeded("PA_1", 1, 2),
        Subscribed("PA_1", "TR_1", "3"),
        SubscriptionFailed("PA_1", "TR_1", "track_unknown"),
        TrackActive("PA_1", "TR_1", "video/VP8", "0"),
        TrackEnded("PA_1", "TR_1"),
        StreamStateChanged("PA_1", "TR_1", "paused"),
        SpeakersChanged("room", [Speaker("PA_1", 0.5, True)]),
        QualityMeasured("room", [Quality("PA_1", "good", 4.0)]),
        ParticipantFailed("PA_1", "why"),
        EventsLost(7),
    ]
    assert [entry["event"] for entry in logs] == ["media.unknown_event"]
    made.stop()


async def test_a_flood_of_events_is_handled_in_turns_and_a_failing_listener_is_survived() -> None:
    fake = FakeEngine([("track_ended", "PA_1", f"TR_{number}") for number in range(2000)])
    seen: list[int] = []
    done = asyncio.Event()

    def listener(events: Sequence[TransportEvent]) -> None:
        seen.append(len(events))
        if sum(seen) == 2000:
            done.set()
        if len(seen) == 1:
            raise KeyError("a defect above")

    made = transport(make_engine=cast("Any", fake))
    with capture_logs() as logs:
        made.start(listener)
        await asyncio.wait_for(done.wait(), LIMIT)
    assert len(seen) >= 4
    assert max(seen) <= 512
    assert [entry["event"] for entry in logs] == ["media.listener_failed"]
    made.stop()


async def test_without_the_extension_there_is_a_clear_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "conclave._media", None)
    made = transport()
    with pytest.raises(Unavailable, match="make setup"):
        made.start(lambda events: None)
    with pytest.raises(Unavailable):
        made.open("room", "PA_1", "", Grant())
    assert made.stats() == {}
    made.stop()
