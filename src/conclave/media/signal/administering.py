"""What RoomService may want of a room: its set-up, its metadata, revocations, data from the server.

Who may ask has been decided by then. Must never speak for a participant: a microphone is not opened
and a data packet names no sender.
"""

from __future__ import annotations

from livekit.protocol import models

from conclave.kernel.errors import TooLarge
from conclave.media.room_config import RoomConfig
from conclave.media.signal import effects, membership
from conclave.media.signal.state import Room, Turn

MAX_DATA = 64_000
MAX_REVOCATIONS = 10_000


def configure_room(turn: Turn, name: str, config: RoomConfig) -> None:
    _check_metadata(turn, config.metadata)
    if name in turn.world.rooms:
        membership.configure(turn.world.rooms[name], config)
    else:
        membership.open_room(turn, name, config=config)


def update_room(turn: Turn, room: Room, metadata: str) -> None:
    _check_metadata(turn, metadata)
    room.metadata = metadata
    room.is_stale = False
    turn.broadcast(room, membership.room_update(turn, room))


def _check_metadata(turn: Turn, metadata: str) -> None:
    if len(metadata.encode()) > turn.world.limits.metadata_size:
        msg = "the metadata is too large"
        raise TooLarge(msg)


def revoke(turn: Turn, room: str, identity: str, before: float) -> None:
    """Kept when the room ends: the token is still good then. The oldest make room for new ones."""
    revoked = turn.world.revoked
    revoked.pop((room, identity), None)
    revoked[room, identity] = before
    while len(revoked) > MAX_REVOCATIONS:
        del revoked[next(iter(revoked))]


def send_data(turn: Turn, room: Room, user: models.UserPacket, *, reliable: bool) -> None:
    """To everybody, or to those whom the packet names; who is not there is passed over."""
    if len(user.payload) + len(user.topic.encode()) > MAX_DATA:
        msg = "data for a room may have 64,000 bytes"
        raise TooLarge(msg)
    wanted = {*user.destination_identities, *user.destination_sids}
    destinations = tuple(
        p.sid for p in room.participants.values() if p.identity in wanted or p.sid in wanted
    )
    if wanted and not destinations:
        return
    packet = models.DataPacket(
        kind=models.DataPacket.RELIABLE if reliable else models.DataPacket.LOSSY,
        destination_identities=user.destination_identities,
        user=user,
    )
    turn.do(effects.SendData(room.name, packet.SerializeToString(), reliable, destinations))
