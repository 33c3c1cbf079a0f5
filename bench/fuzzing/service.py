"""RoomService: bodies in both encodings, tokens, routes; by HTTP and as a call of the engine."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from google.protobuf.message import Message
from livekit.protocol import models, room

from conclave.media import tokens
from conclave.media.service.calls import CALLS, SERVICE
from conclave.media.service.twirp import JSON, PROTOBUF
from fuzzing.dice import Dice, Parser
from fuzzing.messages import Messages
from fuzzing.products import KEYS, ROOM, Meeting

SEEDS: list[tuple[str, Message]] = [
    (
        "CreateRoom",
        room.CreateRoomRequest(
            name="other", empty_timeout=77, departure_timeout=7, max_participants=2, metadata="m"
        ),
    ),
    ("CreateRoom", room.CreateRoomRequest(name=ROOM, metadata="{}")),
    ("ListRooms", room.ListRoomsRequest(names=[ROOM, "none"])),
    ("ListRooms", room.ListRoomsRequest()),
    ("DeleteRoom", room.DeleteRoomRequest(room="other")),
    ("ListParticipants", room.ListParticipantsRequest(room=ROOM)),
    ("GetParticipant", room.RoomParticipantIdentity(room=ROOM, identity="alice")),
    (
        "RemoveParticipant",
        room.RoomParticipantIdentity(room=ROOM, identity="bob", revoke_token_ts=1_800_000_000),
    ),
    (
        "MutePublishedTrack",
        room.MuteRoomTrackRequest(room=ROOM, identity="alice", track_sid="TR_1", muted=True),
    ),
    (
        "UpdateParticipant",
        room.UpdateParticipantRequest(
            room=ROOM,
            identity="alice",
            name="Alice",
            metadata="m",
            attributes={"hand": "up", "gone": ""},
            permission=models.ParticipantPermission(
                can_subscribe=True, can_publish=True, can_publish_sources=[1, 2]
            ),
        ),
    ),
    (
        "UpdateSubscriptions",
        room.UpdateSubscriptionsRequest(
            room=ROOM,
            identity="bob",
            track_sids=["TR_1"],
            subscribe=True,
            participant_tracks=[
                models.ParticipantTracks(participant_sid="PA_1", track_sids=["TR_1"])
            ],
        ),
    ),
    (
        "SendData",
        room.SendDataRequest(
            room=ROOM,
            data=b"hello",
            kind=models.DataPacket.LOSSY,
            destination_identities=["bob"],
            topic="chat",
            nonce=b"0123456789abcdef",
        ),
    ),
    ("UpdateRoomMetadata", room.UpdateRoomMetadataRequest(room=ROOM, metadata="new")),
    (
        "ForwardParticipant",
        room.ForwardParticipantRequest(room=ROOM, identity="bob", destination_room="other"),
    ),
    (
        "MoveParticipant",
        room.MoveParticipantRequest(room=ROOM, identity="bob", destination_room="other"),
    ),
    (
        "PerformRpc",
        room.PerformRpcRequest(room=ROOM, destination_identity="bob", method="m", payload="p"),
    ),
]
VIDEO = {"roomCreate": True, "roomList": True, "roomAdmin": True, "room": ROOM}


class Twirp(Parser):
    """The first byte says of which method and in which encoding the rest is."""

    INPUTS = 1000

    def __init__(self) -> None:
        self.meeting = Meeting()
        self.token = tokens.sign(
            {"video": VIDEO}, KEYS, self.meeting.clock.now(), timedelta(hours=10)
        )
        self.messages = Messages([message for _, message in SEEDS])

    async def start(self) -> None:
        await self.meeting.open()

    def damaged(self, dice: Dice) -> bytes:
        at = dice.roll(len(SEEDS))
        if dice.one_in(2):
            return bytes([2 * at]) + self.messages.damaged(dice, at)
        return bytes([2 * at + 1]) + self.messages.damaged_json(dice, at)

    async def take(self, dice: Dice, data: bytes) -> bool:
        method, encoding = SEEDS[data[0] // 2][0], JSON if data[0] % 2 else PROTOBUF
        headers = [(b"authorization", self._authorization(dice))]
        headers.append((b"content-type", self._content_type(dice, encoding)))
        if dice.one_in(20):
            headers.append((b"origin", dice.damaged([b"https://app.example"]).replace(b"\n", b"")))
        path = f"/twirp/{SERVICE}/{method}"
        if dice.one_in(50):
            path = dice.text([path]).encode("utf-8", "replace").decode()
        verb = dice.pick(("POST",) * 60 + ("GET", "OPTIONS", "PUT"))
        asked = await self.meeting.ask(verb, path, body=data[1:], headers=headers)
        is_known = 200 <= asked.status < 300 or 400 <= asked.status < 500
        assert is_known or asked.status in (501, 503), (asked.status, asked.body)
        if asked.status == 200 and method in CALLS and path.endswith(f"/{method}"):
            self.engine_is_sound()
        elif asked.status >= 400 and path.startswith("/twirp/") and "\n" not in path:
            problem = json.loads(asked.body)
            assert problem["code"] != "internal"
            assert problem["msg"]
        if dice.one_in(5):
            self.meeting.clock.advance(dice.roll(30))
            self.meeting.engine.tick()
        return asked.status == 200

    def engine_is_sound(self) -> None:
        counts = self.meeting.engine.machine.counts()
        assert counts["participants"] <= 2
        assert counts["rooms"] <= self.INPUTS

    def _authorization(self, dice: Dice) -> bytes:
        whole = f"Bearer {self.token}".encode()
        return dice.damaged([whole]).replace(b"\n", b"") if dice.one_in(40) else whole

    def _content_type(self, dice: Dice, encoding: str) -> bytes:
        other: Any = dice.pick(("", "text/plain", f"{encoding}; charset=utf-8", encoding.upper()))
        return (other if dice.one_in(40) else encoding).encode()

    async def stop(self) -> None:
        await self.meeting.end()
