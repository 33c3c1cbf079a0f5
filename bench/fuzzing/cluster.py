"""What a LiveKit cluster tells us: its webhooks, and its answers when it is one that lies."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx2
from livekit.protocol import models
from livekit.protocol import room as wire
from livekit.protocol.webhook import WebhookEvent
from prometheus_client import CollectorRegistry

from conclave.kernel.clock import ManualClock
from conclave.kernel.errors import ConclaveError
from conclave.media import tokens
from conclave.media.engine import (
    ParticipantJoined,
    ParticipantLeft,
    Permission,
    RoomEvent,
    RoomFinished,
    RoomStarted,
)
from conclave.media.livekit.engine import ClusterEngine
from conclave.media.livekit.metrics import ClusterCounters
from conclave.media.livekit.receiver import IDS_KEPT, PATH
from conclave.media.livekit.twirp import Twirp
from fuzzing.dice import Dice, Parser
from fuzzing.messages import Messages, value_of
from fuzzing.products import KEYS, ROOM, Server

CLUSTER = "http://cluster.invalid"


class Listener:
    """What is told can have been: nobody comes twice, or goes without having come."""

    def __init__(self) -> None:
        self.rooms: dict[str, set[str]] = {}

    async def __call__(self, event: RoomEvent) -> None:
        match event:
            case RoomStarted(room):
                assert room not in self.rooms
                self.rooms[room] = set()
            case RoomFinished(room):
                assert not self.rooms.pop(room)
            case ParticipantJoined(room, identity):
                assert identity not in self.rooms[room]
                self.rooms[room].add(identity)
            case ParticipantLeft(room, identity):
                self.rooms[room].remove(identity)


class Webhooks(Parser):
    """Signed, so that what is signed is read; now and then with another signature."""

    INPUTS = 3000

    def __init__(self) -> None:
        # Port 9 of this machine: nobody is there, and nothing here calls it.
        self.server = Server(engine="livekit", livekit_url="ws://127.0.0.1:9")
        self.engine = self.server.product.app.use(ClusterEngine)
        self.listener = Listener()
        kinds = (
            "room_started", "room_finished", "participant_joined", "participant_left",
            "participant_connection_aborted", "track_published", "egress_started",
        )  # fmt: skip
        self.values = [self._event(kind) for kind in kinds]

    def _event(self, kind: str) -> dict[str, Any]:
        event = WebhookEvent(
            event=kind,
            room=models.Room(sid="RM_1", name=ROOM, creation_time=1, num_participants=2),
            participant=models.ParticipantInfo(
                sid="PA_1", identity="alice", attributes={"a": "b"}, joined_at=7
            ),
            track=models.TrackInfo(sid="TR_1", type=models.TrackType.VIDEO),
            id=f"EV_{kind}",
            created_at=int(self.server.clock.now().timestamp()),
        )
        return value_of(event)

    async def start(self) -> None:
        self.engine.subscribe(self.listener)
        await self.engine.start(reconciling=False)

    def damaged(self, dice: Dice) -> bytes:
        value = json.loads(json.dumps(dice.pick(self.values)))
        value["id"] = f"EV_{dice.roll(10**6)}"
        value["participant"]["identity"] = dice.pick(("alice", "bob"))
        value["participant"]["sid"] = f"PA_{dice.roll(6)}"
        value["room"]["name"] = f"room {dice.roll(4)}"
        value["createdAt"] = str(int(self.server.clock.now().timestamp()) - dice.roll(100))
        return json.dumps(value).encode() if dice.one_in(3) else dice.json([value])

    async def take(self, dice: Dice, data: bytes) -> bool:
        claims: dict[str, Any] = {"sha256": b64encode(sha256(data).digest()).decode()}
        if dice.one_in(20):
            claims = dice.value(claims) or {}
        now = self.server.clock.now()
        try:
            token = tokens.sign(claims, KEYS, now, timedelta(minutes=5)).encode()
        except (ValueError, TypeError, RecursionError):
            token = b""
        if dice.one_in(20):
            token = dice.damaged([token, b"Bearer " + token]).replace(b"\n", b"")
        headers = [(b"authorization", token)]
        if dice.one_in(30):
            length = dice.damaged([str(len(data)).encode()])
            headers.append((b"content-length", length))
        asked = await self.server.ask("POST", PATH, body=data, headers=headers)
        assert asked.status == 200 or 400 <= asked.status < 500, (asked.status, asked.body)
        assert len(asked.body) < 200
        await self.engine.settled()
        if dice.one_in(50):
            self.server.clock.advance(dice.roll(200))
        return asked.status == 200

    async def stop(self) -> None:
        await self.engine.stop()
        assert self.INPUTS < IDS_KEPT
        self.server.close()


PERSON = models.ParticipantInfo(
    sid="PA_1",
    identity="alice",
    state=models.ParticipantInfo.State.ACTIVE,
    tracks=[models.TrackInfo(sid="TR_1", type=models.TrackType.VIDEO, source=1, muted=True)],
    metadata="m",
    joined_at=1_790_000_000,
    joined_at_ms=1_790_000_000_123,
    name="Alice",
    attributes={"hand": "up"},
    permission=models.ParticipantPermission(can_publish=True, can_publish_sources=[1]),
)
HALL = models.Room(
    sid="RM_1", name=ROOM, creation_time=1_790_000_000, creation_time_ms=1_790_000_000_123,
    num_participants=2, metadata="m", enabled_codecs=[models.Codec(mime="video/vp8")],
)  # fmt: skip
ANSWERS = Messages(
    [
        HALL,
        PERSON,
        wire.ListRoomsResponse(rooms=[HALL, models.Room(sid="RM_2", name="other")]),
        wire.ListParticipantsResponse(
            participants=[PERSON, models.ParticipantInfo(sid="PA_2", identity="bob", state=2)]
        ),
        wire.MuteRoomTrackResponse(track=PERSON.tracks[0]),
        wire.DeleteRoomResponse(),
    ]
)
FITTING = {
    "CreateRoom": 0, "GetParticipant": 1, "UpdateParticipant": 1, "ListRooms": 2,
    "ListParticipants": 3, "MutePublishedTrack": 4,
}  # fmt: skip
ERRORS = [
    {"code": code, "msg": "metadata exceeds the limit", "meta": {"cause": "x"}}
    for code in ("not_found", "invalid_argument", "unauthenticated", "unavailable", "internal")
]


class Body(httpx2.AsyncByteStream):
    """Of an answer, as it comes over a wire."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        half = len(self._content) // 2
        for part in (self._content[:half], self._content[half:]):
            yield part


class Answers(Parser):
    """Each input is what the cluster answers to the next calls, whatever they are."""

    INPUTS = 1000

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.listener = Listener()
        twirp = Twirp(CLUSTER, pauses=(0.0,))
        self.dice = Dice(0)
        self.data = b""
        transport = httpx2.MockTransport(self._answer)
        twirp._http = httpx2.AsyncClient(transport=transport, base_url=CLUSTER)
        counters = ClusterCounters(CollectorRegistry())
        self.engine = ClusterEngine(
            url=CLUSTER, twirp=twirp, keys=KEYS, clock=self.clock, counters=counters
        )

    async def start(self) -> None:
        async def gate(room: str, identity: str) -> bool:
            return identity != "bob" or not self.dice.one_in(3)

        self.engine.subscribe(self.listener)
        self.engine.set_gate(gate)
        await self.engine.start(reconciling=False)

    def damaged(self, dice: Dice) -> bytes:
        return dice.json(ERRORS) if dice.one_in(6) else ANSWERS.damaged(dice)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        dice = self.dice
        method = request.url.path.rpartition("/")[2]
        if dice.one_in(2):
            # As it should be, or near to it: so that the next call is made.
            at = FITTING.get(method, len(ANSWERS.written) - 1)
            body = ANSWERS.written[at] if dice.one_in(2) else ANSWERS.damaged(dice, at)
            return httpx2.Response(200, stream=Body(body))
        status = dice.pick((200, 200, 200, 400, 401, 403, 404, 429, 500, 503, 204, 302, 101, 999))
        headers = {}
        if dice.one_in(10):
            headers["content-encoding"] = dice.pick(("gzip", "br", "identity", "x"))
        return httpx2.Response(status, stream=Body(self.data), headers=headers)

    async def take(self, dice: Dice, data: bytes) -> bool:
        self.dice, self.data = dice, data
        engine = self.engine
        calls = (
            engine.reconcile,
            engine.list_rooms,
            lambda: engine.list_participants(ROOM),
            lambda: engine.create_room(ROOM, empty_timeout=timedelta(seconds=5)),
            lambda: engine.delete_room(ROOM),
            lambda: engine.remove_participant(ROOM, "alice"),
            lambda: engine.mute_track(ROOM, "alice", "TR_1", True),
            lambda: engine.update_participant(
                ROOM, "alice", name="A", attributes={"a": ""}, permission=Permission()
            ),
            lambda: engine.send_data(ROOM, b"x", identities=["alice"]),
            lambda: engine.request_keyframes(ROOM),
        )
        for _ in range(2):
            error: ConclaveError | None = None
            try:
                await dice.pick(calls)()
            except ConclaveError as refusal:
                error = refusal
            assert error is None or 0 < len(error.detail) < 300, "what others say stays there"
        if dice.one_in(10):
            with suppress(ConclaveError):
                engine.note_left(ROOM, "alice", dice.pick(("PA_1", "PA_2")))
        await engine.settled()
        return error is None

    async def stop(self) -> None:
        await self.engine.stop()
