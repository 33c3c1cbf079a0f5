"""What a room's listeners have been told, and what is still to be told so that it is the truth.

Pure: a `Ledger` is fed with what webhooks say and with what the cluster lists, and returns the
events that listeners do not know yet. Webhooks may be lost, late, repeated or out of order across
a join and a leave; sids, which are one per join, tell these apart. Must never ask anybody anything.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from conclave.media.engine import (
    ParticipantJoined,
    ParticipantLeft,
    RoomEvent,
    RoomFinished,
    RoomStarted,
)

People = Mapping[str, str]
"""Identity -> sid of everybody in a room."""
GONE_KEPT = 20_000


def differences(room: str, before: People | None, after: People | None) -> list[RoomEvent]:
    """The events that lead from one snapshot of a room to another; None: there is no such room.

    Somebody with the same identity and another sid has left and come again.
    """
    old, new = before or {}, after or {}
    events: list[RoomEvent] = []
    if before is None and after is not None:
        events.append(RoomStarted(room))
    events += [ParticipantLeft(room, who) for who, sid in old.items() if new.get(who) != sid]
    events += [ParticipantJoined(room, who) for who, sid in new.items() if old.get(who) != sid]
    if before is not None and after is None:
        events.append(RoomFinished(room))
    return events


class Ledger:
    """What listeners know. Each change returns the events that they are to be told of it."""

    def __init__(self) -> None:
        self._rooms: dict[str, dict[str, str]] = {}
        self._gone: OrderedDict[str, None] = OrderedDict()

    @property
    def rooms(self) -> frozenset[str]:
        return frozenset(self._rooms)

    def people(self, room: str) -> People | None:
        return self._rooms.get(room)

    def is_news(self, room: str, identity: str, sid: str) -> bool:
        """Is this a join that listeners do not know, of somebody who has not left since?"""
        return sid not in self._gone and self._rooms.get(room, {}).get(identity) != sid

    def started(self, room: str) -> list[RoomEvent]:
        return self.settle(room, self._rooms.get(room, {}))

    def finished(self, room: str) -> list[RoomEvent]:
        return self.settle(room, None)

    def joined(self, room: str, identity: str, sid: str) -> list[RoomEvent]:
        if not self.is_news(room, identity, sid):
            return []
        return self.settle(room, {**self._rooms.get(room, {}), identity: sid})

    def left(self, room: str, identity: str, sid: str) -> list[RoomEvent]:
        self._forget(sid)
        people = self._rooms.get(room)
        # The same identity with another sid is a later join.
        if people is None or people.get(identity) != sid:
            return []
        return self.settle(room, {who: its for who, its in people.items() if who != identity})

    def settle(self, room: str, after: People | None) -> list[RoomEvent]:
        """The room is like this now; None: it is gone."""
        before = self._rooms.get(room)
        events = differences(room, before, after)
        for who, sid in (before or {}).items():
            if (after or {}).get(who) != sid:
                self._forget(sid)
        if after is None:
            self._rooms.pop(room, None)
        else:
            self._rooms[room] = dict(after)
        return events

    def _forget(self, sid: str) -> None:
        self._gone[sid] = None
        self._gone.move_to_end(sid)
        while len(self._gone) > GONE_KEPT:
            self._gone.popitem(last=False)
