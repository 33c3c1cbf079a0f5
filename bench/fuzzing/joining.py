"""What a client says before it is let in: query parameters, join requests, access tokens."""

from __future__ import annotations

import gzip
import math
from base64 import b64encode, urlsafe_b64encode
from contextlib import suppress
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from livekit.protocol import models, rtc
from starlette.datastructures import QueryParams

from conclave.kernel.clock import ManualClock
from conclave.media import tokens
from conclave.media.signal.parameters import parse_parameters
from conclave.media.signal.wire import Unreadable, parse_join_request
from conclave.media.sockets import SocketQueue
from conclave.media.tokens import TokenRefused
from fuzzing.dice import Dice, Parser
from fuzzing.messages import Messages
from fuzzing.products import KEYS, ROOM, Meeting

CLAIMS: dict[str, Any] = {
    "sub": "carol",
    "name": "Carol",
    "metadata": '{"a": 1}',
    "attributes": {"hand": "up"},
    "kind": "standard",
    "video": {
        "room": ROOM,
        "roomJoin": True,
        "canPublish": True,
        "canSubscribe": True,
        "canPublishData": True,
        "canUpdateOwnMetadata": True,
        "canPublishSources": ["camera", "microphone"],
        "hidden": False,
        "recorder": False,
        "agent": False,
        "roomAdmin": True,
        "roomCreate": True,
        "roomList": True,
    },
}
CONFIG: dict[str, Any] = {
    "name": "set-up",
    "emptyTimeout": 300,
    "departureTimeout": 20,
    "maxParticipants": 12,
    "metadata": "m",
    "egress": {"room": {"roomName": "x", "layout": "grid"}},
    "agents": [{"agentName": "a", "metadata": "{}"}],
    "minPlayoutDelay": 0,
    "maxPlayoutDelay": 500,
    "syncStreams": True,
    "tags": {"a": "b"},
}
QUERIES = [
    {"protocol": "16", "sdk": "go", "version": "2.19.0", "auto_subscribe": "1", "os": "linux",
     "network": "", "client_protocol": "1", "capabilities": "CAP_PACKET_TRAILER,CAP_X",
     "attributes": b64encode(b'{"hand": "up"}').decode()},
    {"sdk": "rust", "protocol": "15", "auto_subscribe": "1", "adaptive_stream": "0",
     "version": "0.7.38", "os": "Linux", "device_model": "x", "publish": "audio"},
    {"sdk": "swift", "protocol": "13", "reconnect": "1", "sid": "PA_1", "reconnect_reason": "3",
     "auto_subscribe": "0", "os_version": "17.1", "subscriber_allow_pause": "true",
     "disable_ice_lite": "1", "browser": "b", "browser_version": "1"},
]  # fmt: skip
REQUESTS = [
    rtc.JoinRequest(
        client_info=models.ClientInfo(
            sdk=models.ClientInfo.SDK.JS, version="2.22.0", protocol=17, capabilities=[1]
        ),
        connection_settings=rtc.ConnectionSettings(auto_subscribe=True, adaptive_stream=True),
        metadata="m",
        participant_attributes={"hand": "up", "empty": ""},
        publisher_offer=rtc.SessionDescription(type="offer", sdp="v=0\r\nm=audio 9 X 0\r\n", id=1),
        add_track_requests=[rtc.AddTrackRequest(cid="c", type=models.TrackType.VIDEO)],
    ),
    rtc.JoinRequest(
        reconnect=True,
        participant_sid="PA_1",
        reconnect_reason=models.ReconnectReason.RR_SIGNAL_DISCONNECTED,
        sync_state=rtc.SyncState(
            subscription=rtc.UpdateSubscription(track_sids=["TR_1"], subscribe=True),
            track_sids_disabled=["TR_1"],
            datachannel_receive_states=[
                rtc.DataChannelReceiveState(publisher_sid="PA_1", last_seq=7)
            ],
        ),
    ),
]
MESSAGES = Messages(REQUESTS)
BOMBS = [gzip.compress(b"\0" * size, 9, mtime=0) for size in (65_536, 65_537, 30_000_000)]


def signed(claims: dict[str, Any], clock: ManualClock) -> str:
    return tokens.sign(claims, KEYS, clock.now(), timedelta(hours=10))


class AtTheDoor(Parser):
    """Asks `validate`, which says what the socket would; of those let in, some come in."""

    INPUTS = 1000
    PATH = ""

    def __init__(self) -> None:
        self.meeting = Meeting()
        self.token = signed(CLAIMS, self.meeting.clock)

    async def start(self) -> None:
        await self.meeting.open()

    async def ask(self, dice: Dice, query: bytes) -> int:
        headers = []
        if b"access_token" not in query:
            headers.append((b"authorization", f"Bearer {self.token}".encode()))
        # Others do not pass the door (`kernel/listen.py`).
        query = bytes(byte for byte in query if 0x20 < byte < 0x7F)
        asked = await self.meeting.ask("GET", self.PATH, query=query, headers=headers)
        assert asked.status == 200 or 400 <= asked.status < 500, (asked.status, asked.body)
        assert asked.body
        assert len(asked.body) < 300, "what was sent is not repeated"
        return asked.status

    def come_in(self, request: rtc.JoinRequest, *, dual: bool) -> None:
        """With what was read: whatever it says, the machine copes."""
        engine = self.meeting.engine
        connection = engine.connect(SocketQueue())
        claims = tokens.verify(self.token, KEYS, self.meeting.clock.now())
        engine.join(connection, claims, request, dual=dual)
        engine.tick()
        engine.disconnect(connection)
        self.meeting.clock.advance(30)
        engine.tick()
        assert engine.machine.counts()["participants"] <= 3

    async def stop(self) -> None:
        await self.meeting.end()


class Parameters(AtTheDoor):
    PATH = "/rtc/validate"

    def damaged(self, dice: Dice) -> bytes:
        query: dict[str, str] = dict(dice.pick(QUERIES))
        for name in list(query):
            if dice.one_in(4):
                query[name] = dice.text([query[name], *query.values()])
            if dice.one_in(12):
                query[name] = str(dice.odd())
        if dice.one_in(3):
            attributes = dice.json([{"hand": "up", "a": "b"}])
            query["attributes"] = b64encode(attributes).decode()
        if dice.one_in(30):
            query["attributes"] = "A" * dice.pick((80_000, 90_000, 200_000))
        written = urlencode(query, errors="surrogatepass", quote_via=quote).encode()
        return dice.damaged([written]) if dice.one_in(3) else written

    async def take(self, dice: Dice, data: bytes) -> bool:
        status = await self.ask(dice, data)
        with suppress(Unreadable):
            request = parse_parameters(QueryParams(data))
            assert len(request.SerializeToString()) < 200_000
            if dice.one_in(4):
                self.come_in(request, dual=True)
        return status == 200


class JoinRequests(AtTheDoor):
    PATH = "/rtc/v1/validate"

    def damaged(self, dice: Dice) -> bytes:
        content = dice.pick(REQUESTS).SerializeToString()
        if not dice.one_in(8):
            content = MESSAGES.damaged(dice)
        compression = dice.pick((0, 1, 1, 2, 77)) if dice.one_in(10) else dice.roll(2)
        if compression == 1:
            content = gzip.compress(content, mtime=0)
            if dice.one_in(6):
                content = dice.damaged([content])
            if dice.one_in(40):
                content = dice.pick(BOMBS)[: dice.pick((48_000, 10**9))]
        wrapped = rtc.WrappedJoinRequest(join_request=content)
        wrapped.compression = compression  # type: ignore[assignment]
        message = wrapped.SerializeToString()
        if dice.one_in(10):
            message = dice.damaged([message])
        encoded = urlsafe_b64encode(message)
        if dice.one_in(20):
            encoded = encoded.replace(b"-", b"+").replace(b"_", b"/")
        return dice.damaged([encoded]) if dice.one_in(10) else encoded

    async def take(self, dice: Dice, data: bytes) -> bool:
        query = b"join_request=" + (data if dice.one_in(10) else quote(data).encode())
        status = await self.ask(dice, query)
        with suppress(Unreadable):
            request = parse_join_request(data.decode("latin-1"))
            if dice.one_in(4):
                self.come_in(request, dual=False)
        return status == 200


class Tokens(Parser):
    INPUTS = 20_000

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.claims: list[Any] = [CLAIMS]

    def damaged(self, dice: Dice) -> bytes:
        if dice.one_in(4):
            return dice.damaged([signed(CLAIMS, self.clock).encode()])
        damage = dice.pick((dice.value, dice.leaf))
        claims = damage(dice.pick(self.claims))
        if not isinstance(claims, dict):
            claims = {"sub": claims}
        now = int(self.clock.now().timestamp())
        for name in ("nbf", "exp", "iss"):
            if dice.one_in(30):
                claims[name] = dice.pick((dice.odd(), now, now - 100, float(now + 100)))
        try:
            return signed(claims, self.clock).encode("utf-8", "surrogatepass")
        except (ValueError, TypeError, RecursionError):
            return dice.json([claims])

    async def take(self, dice: Dice, data: bytes) -> bool:
        token = data.decode("utf-8", "surrogateescape")
        now = self.clock.now()
        with suppress(TokenRefused):
            tokens.verify_api(token, KEYS, now)
        try:
            claims = tokens.verify(token, KEYS, now)
        except TokenRefused:
            return False
        assert claims.room
        assert claims.identity
        assert math.isfinite(claims.not_before)
        payload = tokens.signed_payload(token, KEYS, now)
        assert now.timestamp() <= payload["exp"] + 10, "a token has an end"
        # What was let in can be said again, and then means the same.
        again = tokens.verify(tokens.mint(claims, KEYS, now, timedelta(minutes=1)), KEYS, now)
        assert (again.identity, again.room, again.permission) == (
            claims.identity,
            claims.room,
            claims.permission,
        )
        self.use(claims)
        return True

    def use(self, claims: tokens.Claims) -> None:
        """For those whose claims are to be put to use."""


class RoomConfigs(Tokens):
    """How the bearer's room is to be set up, in its token; then the room is opened."""

    INPUTS = 2000

    def __init__(self) -> None:
        super().__init__()
        self.meeting = Meeting()
        self.clock = self.meeting.clock

    async def start(self) -> None:
        await self.meeting.open()

    def damaged(self, dice: Dice) -> bytes:
        config = dice.pick((dice.value, dice.leaf))(CONFIG)
        video = {**CLAIMS["video"], "room": f"room {dice.roll(20)}"}
        try:
            return signed({**CLAIMS, "video": video, "roomConfig": config}, self.clock).encode()
        except (ValueError, TypeError, RecursionError):
            return dice.damaged([signed({**CLAIMS, "roomConfig": CONFIG}, self.clock).encode()])

    def use(self, claims: tokens.Claims) -> None:
        engine = self.meeting.engine
        connection = engine.connect(SocketQueue())
        engine.join(connection, claims, rtc.JoinRequest())
        for room in engine.machine.world.rooms.values():
            room.proto(engine.limits).SerializeToString()
        engine.disconnect(connection)
        self.clock.advance(40)
        engine.tick()
        # Of rooms that keep their places for very long there are no more than names.
        assert engine.machine.counts()["rooms"] <= 21

    async def stop(self) -> None:
        await self.meeting.end()
