"""Webhooks of a LiveKit server: genuine ones are taken once and in order, others refused."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conclave import media
from conclave.app import Product, build
from conclave.kernel.clock import ManualClock
from conclave.kernel.csp import CONTENT_SECURITY_POLICY
from conclave.media import tokens
from conclave.media.engine import (
    ParticipantJoined,
    ParticipantLeft,
    RoomEvent,
    RoomFinished,
    RoomStarted,
)
from conclave.media.keys import ApiKeys
from conclave.media.livekit import receiver
from conclave.media.livekit.engine import ClusterEngine
from conclave.media.livekit.receiver import Inbox, Rejected
from conclave.settings import MediaSettings, Settings

pytestmark = [pytest.mark.unit, pytest.mark.anyio]

SECRET = "s" * 32
KEYS = ApiKeys({"key": SECRET})
_numbers = count(1)


def event(kind: str, room: str = "room", who: str = "", **more: Any) -> dict[str, Any]:
    """As LiveKit writes it; `who` is both identity and the end of the sid."""
    body: dict[str, Any] = {"event": kind, "room": {"name": room, "sid": "RM_1"}}
    if who:
        body["participant"] = {"identity": who, "sid": f"PA_{who}"}
    return {**body, "id": f"EV_{next(_numbers)}", **more}


@dataclass
class Cluster:
    """The side that sends."""

    product: Product
    clock: ManualClock
    http: httpx2.AsyncClient
    heard: list[RoomEvent] = field(default_factory=list)

    @property
    def engine(self) -> ClusterEngine:
        return self.product.app.use(ClusterEngine)

    def written(self, body: dict[str, Any]) -> bytes:
        return json.dumps({"createdAt": str(int(self.clock.now().timestamp())), **body}).encode()

    def signed(self, body: bytes, keys: ApiKeys = KEYS, **claims: Any) -> str:
        claims = {"sha256": b64encode(sha256(body).digest()).decode(), **claims}
        return tokens.sign(claims, keys, self.clock.now(), timedelta(minutes=5))

    async def post(self, body: bytes, token: str | None) -> httpx2.Response:
        headers = {"content-type": "application/webhook+json"}
        if token is not None:
            headers["authorization"] = token
        return await self.http.post(receiver.PATH, content=body, headers=headers)

    async def tell(self, kind: str, room: str = "room", who: str = "", **more: Any) -> None:
        body = self.written(event(kind, room, who, **more))
        answer = await self.post(body, self.signed(body))
        assert (answer.status_code, answer.text) == (200, "ok")

    def counted(self, outcome: str) -> float:
        value = self.product.app.metrics.get_sample_value(
            "conclave_livekit_webhooks_total", {"outcome": outcome}
        )
        return value or 0.0


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    clock = ManualClock()
    product = build(
        Settings(
            data_dir=tmp_path,
            media=MediaSettings(
                # Port 9 of this machine: nobody is there, and nothing here calls it.
                engine="livekit", livekit_url="ws://127.0.0.1:9", api_keys={"key": SECRET},
            ),
        ),
        clock=clock,
        slices=(media.SLICE,),
        process_metrics=False,
    )  # fmt: skip
    transport = httpx2.ASGITransport(app=product.web)
    async with httpx2.AsyncClient(transport=transport, base_url="http://conclave") as http:
        cluster = Cluster(product, clock, http)

        async def listen(told: RoomEvent) -> None:
            cluster.heard.append(told)

        cluster.engine.subscribe(listen)
        await cluster.engine.start(reconciling=False)
        yield cluster
        await cluster.engine.stop()


async def test_a_rooms_life_is_told(cluster: Cluster) -> None:
    await cluster.tell("room_started")
    await cluster.tell("participant_joined", who="alice")
    await cluster.tell("track_published", who="alice")
    await cluster.tell("participant_left", who="alice")
    await cluster.tell("room_finished", roomEndReason="ROOM_DELETED")
    await cluster.engine.settled()
    assert cluster.heard == [
        RoomStarted("room"),
        ParticipantJoined("room", "alice"),
        ParticipantLeft("room", "alice"),
        RoomFinished("room"),
    ]
    assert (cluster.counted("taken"), cluster.counted("ignored")) == (4, 1)


async def test_a_token_may_come_as_bearer(cluster: Cluster) -> None:
    body = cluster.written(event("room_started"))
    assert (await cluster.post(body, f"Bearer {cluster.signed(body)}")).status_code == 200


async def test_what_nobody_knows_yet_is_ignored(cluster: Cluster) -> None:
    await cluster.tell("room_flooded", who="alice", waterLevel={"cm": 12})
    await cluster.tell("egress_started", room="")
    await cluster.tell("participant_joined")
    await cluster.tell("participant_joined", who="a" * 300)
    await cluster.tell("room_started", room="r" * 300)
    await cluster.engine.settled()
    assert cluster.heard == []
    assert cluster.counted("ignored") == 5


FORGERIES = [
    "none", "garbage", "other key", "other secret", "other body", "no sha", "sha of another kind",
    "hex sha", "expired", "not yet", "join token", "unsigned",
]  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_forged_ones_are_refused_and_say_nothing(cluster: Cluster, forgery: str) -> None:
    body = cluster.written(event("participant_joined", who="mallory"))
    now, minute = cluster.clock.now(), timedelta(minutes=1)
    good = cluster.signed(body)
    head, payload, _ = good.split(".")
    token = {
        "none": None,
        "garbage": "x.y.z",
        "other key": cluster.signed(body, ApiKeys({"other": SECRET})),
        "other secret": cluster.signed(body, ApiKeys({"key": "t" * 32})),
        "other body": cluster.signed(body + b" "),
        "no sha": tokens.sign({}, KEYS, now, minute),
        "sha of another kind": cluster.signed(body, sha256=7),
        "hex sha": cluster.signed(body, sha256=sha256(body).hexdigest()),
        "expired": tokens.sign({}, KEYS, now - 10 * minute, minute),
        "not yet": tokens.sign({}, KEYS, now + 10 * minute, minute),
        "join token": cluster.engine.mint("room", "mallory").token,
        "unsigned": f"{head}.{payload}.",
    }[forgery]
    with structlog.testing.capture_logs() as logs:
        answer = await cluster.post(body, token)
    assert answer.status_code == 401
    assert "mallory" not in answer.text
    assert "mallory" not in str(logs)
    await cluster.engine.settled()
    assert cluster.heard == []
    assert cluster.counted("unsigned") == 1
    # The genuine one is still taken.
    assert (await cluster.post(body, good)).status_code == 200


async def test_repeated_ones_are_taken_once(cluster: Cluster) -> None:
    body = cluster.written(event("participant_joined", who="alice"))
    token = cluster.signed(body)
    for _ in range(3):
        assert (await cluster.post(body, token)).status_code == 200
    await cluster.engine.settled()
    assert cluster.heard == [RoomStarted("room"), ParticipantJoined("room", "alice")]
    assert cluster.counted("repeated") == 2


async def test_old_ones_are_refused(cluster: Cluster) -> None:
    body = cluster.written(event("room_started"))
    token = cluster.signed(body)
    cluster.clock.advance(timedelta(minutes=7))
    assert (await cluster.post(body, token)).status_code == 401, "its token is over"
    assert (await cluster.post(body, cluster.signed(body))).status_code == 400
    ahead = str(int(cluster.clock.now().timestamp()) + 120)
    body = cluster.written(event("room_started", createdAt=ahead))
    assert (await cluster.post(body, cluster.signed(body))).status_code == 400
    assert cluster.counted("stale") == 2


async def test_the_memory_of_ids_is_bounded(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "IDS_KEPT", 3)
    inbox = Inbox(KEYS, cluster.clock)
    for _ in range(10):
        body = cluster.written(event("room_started"))
        opened = inbox.opened(cluster.signed(body), body)
        assert opened is not None
        inbox.remember(opened)
        assert inbox.opened(cluster.signed(body), body) is None
        assert len(inbox._seen) <= 3
    cluster.clock.advance(timedelta(hours=1))
    body = cluster.written(event("room_started"))
    opened = inbox.opened(cluster.signed(body), body)
    assert opened is not None
    inbox.remember(opened)
    assert len(inbox._seen) == 1


async def test_huge_bodies_are_refused_before_they_are_read(cluster: Cluster) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 65_536

    answer = await cluster.http.post(receiver.PATH, content=endless())
    assert answer.status_code == 413
    assert sent < 30
    stated = {"content-length": str(10**12)}
    answer = await cluster.http.post(receiver.PATH, content=b"x", headers=stated)
    assert answer.status_code == 413
    assert cluster.counted("too_large") == 2


async def test_slow_bodies_are_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "BODY_TIMEOUT_S", 0.05)

    async def stuck() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    answer = await cluster.http.post(receiver.PATH, content=stuck())
    assert answer.status_code == 408


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"null", b"{", b"\xff\xfe", b"{}",
    b'{"event":7}', b'{"id":"EV"}', b'{"id":""}', b"[" * 100_000, b'{"room":[]}',
    b'{"id":"EV","track":{"type":"\\ud800"}}', b'{"createdAt":"soon","id":"EV"}',
    b'{"id":"' + b"x" * 500 + b'"}'])  # fmt: skip
async def test_signed_nonsense_is_refused_in_words(cluster: Cluster, body: bytes) -> None:
    answer = await cluster.post(body, cluster.signed(body))
    assert answer.status_code == 400
    await cluster.engine.settled()
    assert cluster.heard == []


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300), st.text(max_size=300))
def test_nothing_unsigned_is_ever_taken(body: bytes, authorization: str) -> None:
    with pytest.raises(Rejected):
        Inbox(KEYS, ManualClock()).opened(authorization, body)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["event", "room", "name", "sid", "participant", "identity", "id",
            "createdAt", "created_at", "tracks", "x"]), inner, max_size=6),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(_json)
def test_signed_json_of_any_shape_does_no_harm(value: Any) -> None:
    clock = ManualClock()
    body = json.dumps(value).encode()
    claims = {"sha256": b64encode(sha256(body).digest()).decode()}
    token = tokens.sign(claims, KEYS, clock.now(), timedelta(minutes=1))
    with suppress(Rejected):
        Inbox(KEYS, clock).opened(token, body)


async def _nothing() -> None:
    pass


async def test_order_holds_within_a_room_and_rooms_do_not_wait(cluster: Cluster) -> None:
    open_gate, asked = asyncio.Event(), asyncio.Event()

    async def gate(room: str, identity: str) -> bool:
        asked.set()
        if room == "slow":
            await open_gate.wait()
        return True

    cluster.engine.set_gate(gate)
    await cluster.tell("participant_joined", "slow", "alice")
    await cluster.tell("participant_left", "slow", "alice")
    await cluster.tell("participant_joined", "slow", "bob")
    await cluster.tell("room_finished", "slow")
    await cluster.tell("participant_joined", "quick", "carol")
    await asyncio.wait_for(asked.wait(), 5)
    await asyncio.wait_for(cluster.engine._sequence.run("quick", _nothing), 5)
    assert cluster.heard == [RoomStarted("quick"), ParticipantJoined("quick", "carol")]
    open_gate.set()
    await cluster.engine.settled()
    assert cluster.heard[2:] == [
        RoomStarted("slow"),
        ParticipantJoined("slow", "alice"),
        ParticipantLeft("slow", "alice"),
        ParticipantJoined("slow", "bob"),
        ParticipantLeft("slow", "bob"),
        RoomFinished("slow"),
    ]


async def test_too_many_are_sent_back_to_come_again(cluster: Cluster) -> None:
    closed, asked = asyncio.Event(), asyncio.Event()

    async def gate(room: str, identity: str) -> bool:
        asked.set()
        await closed.wait()
        return True

    cluster.engine.set_gate(gate)
    cluster.engine._sequence._max_waiting = 3
    await cluster.tell("participant_joined", who="alice")
    await asyncio.wait_for(asked.wait(), 5)
    for _ in range(3):
        await cluster.tell("participant_joined", who="alice")
    body = cluster.written(event("participant_joined", who="bob"))
    token = cluster.signed(body)
    assert (await cluster.post(body, token)).status_code == 503
    closed.set()
    await cluster.engine.settled()
    assert (await cluster.post(body, token)).status_code == 200, "it counts as new"
    await cluster.engine.settled()
    assert cluster.heard[-1] == ParticipantJoined("room", "bob")


async def test_nothing_is_taken_before_the_start_and_after_the_end(cluster: Cluster) -> None:
    await cluster.engine.stop()
    body = cluster.written(event("room_started"))
    assert (await cluster.post(body, cluster.signed(body))).status_code == 503


async def test_a_gate_without_an_answer_decides_nothing(cluster: Cluster) -> None:
    async def gate(room: str, identity: str) -> bool:
        raise RuntimeError(room)

    cluster.engine.set_gate(gate)
    await cluster.tell("participant_joined", who="alice")
    await cluster.engine.settled()
    assert cluster.heard == []


async def test_signalling_is_not_served_here(cluster: Cluster) -> None:
    for path in ("/rtc/validate", "/rtc/v1/validate"):
        answer = await cluster.http.get(path, headers={"origin": "https://elsewhere.example"})
        assert answer.status_code == 404
        assert "LiveKit server" in answer.text
        assert answer.headers["access-control-allow-origin"] == "https://elsewhere.example"
    assert (await cluster.http.options("/rtc/validate")).status_code == 204


async def test_pages_may_connect_to_the_cluster_and_nowhere_else(cluster: Cluster) -> None:
    answer = await cluster.http.get("/healthz")
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY.replace(
        "connect-src 'self'", "connect-src 'self' ws://127.0.0.1:9 http://127.0.0.1:9"
    )
