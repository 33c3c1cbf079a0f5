"""The rules of a sitting: seats, knocks, roles, messages, and when it ends. No clock, no I/O.

A call either raises `Refused` and has changed nothing, or changes the sitting and notes what has to
be stored and told (`take`). The order of commits is in `epochs.py`. Must never trust a client
about another one further than the protocol says (docs/reference/sealing-protocol.md, 7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from conclave.sealing import frames, header
from conclave.sealing.events import (
    EndReason,
    GoneReason,
    SealingInstanceEnded,
    SealingMemberGone,
)
from conclave.sealing.schemas import decoded
from conclave.sealing.state import (
    Granted,
    Instance,
    Knock,
    Limits,
    Row,
    RowKind,
    Seat,
)

Event = SealingMemberGone | SealingInstanceEnded
Denial = Literal["denied", "full", "locked"]


class Refused(Exception):
    """A request that is answered by an `error`; nothing was changed."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Changes:
    """What has to be stored, all of it or nothing."""

    rows: tuple[Row, ...]
    touched: frozenset[str]
    dropped: frozenset[str]
    events: tuple[Event, ...]
    ended: EndReason | None
    is_instance_changed: bool

    @property
    def is_empty(self) -> bool:
        return not (
            self.rows
            or self.touched
            or self.dropped
            or self.events
            or self.ended
            or self.is_instance_changed
        )


class Sitting:
    def __init__(self, instance: Instance, seats: dict[str, Seat], limits: Limits) -> None:
        self.instance = instance
        self.seats = seats
        self.limits = limits
        self.ended: EndReason | None = None
        self.reconsider: Callable[[Sitting, datetime], None] = _nothing
        """What else follows from a change of seats: set by `epochs`."""
        self._rows: list[Row] = []
        self._touched: set[str] = set()
        self._dropped: set[str] = set()
        self._events: list[Event] = []
        self._is_instance_changed = False

    # --- reading
    def members(self) -> Iterator[Seat]:
        """Those with a leaf in the group."""
        return (seat for seat in self.seats.values() if seat.is_inside)

    def live(self) -> Iterator[Seat]:
        return (seat for seat in self.seats.values() if seat.is_live)

    def knocks(self) -> Iterator[Seat]:
        return (seat for seat in self.seats.values() if seat.state == "knocking")

    def require_member(self, seat_id: str) -> Seat:
        seat = self.seats.get(seat_id)
        if seat is None or seat.state != "member":
            raise Refused("forbidden", "Only members may do this.")
        return seat

    def require_knocking(self, seat_id: str) -> Seat:
        seat = self.seats.get(seat_id)
        if seat is None or seat.state != "knocking":
            raise Refused("unknown_seat", "Nobody knocks from this seat.")
        return seat

    def check_free(self, seat_id: str) -> None:
        if seat_id in self.seats:
            raise Refused("forbidden", "This seat has knocked already.")

    # --- requests
    def knock(
        self,
        now: datetime,
        seat: Seat,
        instance_id: str,
        content: Knock,
        *,
        is_expected: bool = False,
    ) -> None:
        """`is_expected`: who is at the door already does not take this one's place there."""
        del now
        self.check_free(seat.id)
        if instance_id != self.instance.id:
            raise Refused("no_instance", "This sitting is over; another one may have begun.")
        if sum(1 for _ in self.members()) >= self.limits.members:
            raise Refused("full", "This meeting is full.")
        most = self.limits.waiting + (self.limits.members if is_expected else 0)
        waiting = [knocking.knock for knocking in self.knocks()]
        if len(waiting) >= most:
            raise Refused("rate", "Too many are waiting at this meeting's door.")
        alike = sum(1 for other in waiting if other is not None and other.bound == content.bound)
        if content.bound and alike >= self.limits.waiting_alike:
            raise Refused("rate", "Too many are waiting with this invitation.")
        seat.state = "knocking"
        seat.knock = content
        self.add(seat)
        self.tell("knock", frames.knock(seat.id, content))
        seat.since_pos = self.instance.pos

    def note(self, now: datetime, seat_id: str, note: str) -> None:
        """The knock once more, with a line to who may open the door; the last one holds."""
        del now
        seat = self.require_knocking(seat_id)
        if seat.knock is None:
            return
        seat.knock = replace(seat.knock, note=note)
        self.touch(seat)
        self.tell("knock", frames.knock(seat.id, seat.knock))

    def withdraw(self, now: datetime, seat_id: str) -> None:
        del now
        self.require_knocking(seat_id)
        self._end_knock(seat_id)

    def deny(self, now: datetime, by: str, seat_id: str, reason: Denial) -> None:
        del now
        if self.require_member(by).member_role == "member":
            raise Refused("forbidden", "Only a host or co-host may do this.")
        self.require_knocking(seat_id)
        self.tell("denied", frames.text("denied", reason=reason), seat=seat_id)
        self._end_knock(seat_id)

    def identity_to_mute(self, by: str, seat_id: str) -> str:
        if self.require_member(by).member_role == "member":
            raise Refused("forbidden", "Only a host or co-host may do this.")
        seat = self.seats.get(seat_id)
        if seat is None or seat.state != "member" or seat.identity is None:
            raise Refused("unknown_seat", "There is no such member.")
        return seat.identity

    def identities_to_silence(self, by: str) -> frozenset[str]:
        """Of every member who is neither host nor co-host."""
        if self.require_member(by).member_role == "member":
            raise Refused("forbidden", "Only a host or co-host may do this.")
        return frozenset(
            seat.identity
            for seat in self.members()
            if seat.identity is not None and seat.member_role == "member"
        )

    def media_of(self, seat: Seat) -> int:
        return seat.media_under(self.instance.media)

    def permit(
        self, now: datetime, by: str, everybody: int, seats: Mapping[str, int]
    ) -> Mapping[str, int]:
        """Who may send what, as it follows from the group's policy: `seats` are those for whom it
        is not as for everybody. The identities for whom something has changed by it. Seats that
        are not here (any more) are passed over."""
        del now
        if self.require_member(by).member_role == "member":
            raise Refused("forbidden", "Only a host or co-host may do this.")
        before = {seat.id: self.media_of(seat) for seat in self.members()}
        if self.instance.media != everybody:
            self.instance.media = everybody
            self._is_instance_changed = True
        for seat in self.members():
            if seat.media != seats.get(seat.id):
                seat.media = seats.get(seat.id)
                self.touch(seat)
        return {
            seat.identity: self.media_of(seat)
            for seat in self.members()
            if seat.identity is not None and self.media_of(seat) != before[seat.id]
        }

    def grant(self, now: datetime, by: str, seat_id: str, role: Granted) -> Mapping[str, int]:
        """Co-hosts name co-hosts, hosts take that back. What the member may send from now on."""
        del now
        by_role = self.require_member(by).member_role
        if by_role == "member" or (by_role == "cohost" and role == "member"):
            raise Refused("forbidden", "Only a host may do this.")
        seat = self.seats.get(seat_id)
        if seat is None or seat.state != "member":
            raise Refused("unknown_seat", "There is no such member.")
        if seat.role == "host":
            raise Refused("forbidden", "A host stays a host.")
        seat.granted = role
        self.touch(seat)
        self.tell("granted", frames.text("granted", seat=seat.id, role=role))
        return {} if seat.identity is None else {seat.identity: self.media_of(seat)}

    def message(self, now: datetime, by: str, epoch: int, content: str) -> int:
        """The number of the message."""
        del now
        self.require_member(by)
        self.check_head(content, epoch, header.ContentType.APPLICATION)
        if abs(epoch - self.instance.epoch) > self.limits.epochs_apart:
            raise Refused("epoch", "This is from another epoch; wait for the commits between.")
        self.instance.seq += 1
        self.tell(
            "message",
            frames.text(
                "message",
                seq=self.instance.seq,
                epoch=epoch,
                bytes=content,
                **{"from": by},
            ),
            sender=by,
        )
        return self.instance.seq

    def leave(self, now: datetime, seat_id: str) -> None:
        seat = self.seats.get(seat_id)
        if seat is None or seat.state == "left":
            return
        if seat.state == "knocking":
            self._end_knock(seat_id)
            return
        self.take_out(seat)
        self.gone(seat, "left")
        self.follow(now)

    # --- connections
    def resume(
        self, now: datetime, resume_hash: bytes, worker: str, since: int | None
    ) -> Seat | None:
        """The seat with this secret, connected again; None: there is none, or its log has gone."""
        seat = next((s for s in self.seats.values() if s.resume_hash == resume_hash), None)
        if seat is None or seat.state == "left":
            return None
        if seat.state == "member":
            instance = self.instance
            if since is not None and since > instance.seq:
                return None
            is_kept = (
                since >= instance.floor_seq
                if since is not None and since >= seat.since_seq
                else seat.since_pos > instance.floor_pos or instance.floor_pos == 0
            )
            if not is_kept:
                return None
        was_away = seat.worker is None
        seat.connection += 1
        seat.worker = worker
        seat.lost_at = None
        self.touch(seat)
        # A socket of the seat that still lives, here or in another process, ends by this row.
        self.tell("taken", str(seat.connection), seat=seat.id)
        if seat.state == "member" and was_away:
            self.tell("presence", frames.text("presence", seat=seat.id, state="live"))
        self.follow(now)
        return seat

    def disconnect(self, now: datetime, seat_id: str, connection: int) -> None:
        seat = self.seats.get(seat_id)
        if seat is not None and seat.connection == connection:
            self._lose(now, seat)
            self.follow(now)

    def lose(self, now: datetime, workers: frozenset[str]) -> None:
        """The processes `workers` are gone, and the sockets that they held with them."""
        for seat in self.seats.values():
            if seat.worker in workers:
                self._lose(now, seat)
        self.follow(now)

    def expire(self, now: datetime) -> None:
        """What time alone brings about."""
        for seat in list(self.knocks()):
            if seat.lost_at is not None and seat.lost_at + self.limits.lost <= now:
                self._end_knock(seat.id)
        self.follow(now)
        empty_since = self.instance.empty_since_at
        if empty_since is not None and empty_since + self.limits.empty <= now:
            self.end("empty")

    def restarted(self, now: datetime, *, is_alone: bool) -> None:
        """This server has come back: everybody gets the whole time to do so too.

        `is_alone`: there is no other process that could hold a socket.
        """
        if is_alone:
            for seat in self.seats.values():
                self._lose(now, seat)
            self.follow(now)
        if self.instance.empty_since_at is not None:
            self.instance.empty_since_at = now
            self._is_instance_changed = True

    def end(self, why: EndReason) -> None:
        if self.ended is None:
            self.ended = why
            instance = self.instance
            self._events.append(
                SealingInstanceEnded(instance.org_id, instance.meeting_id, instance.id, why)
            )

    # --- what requests are made of
    def check_head(self, content: str, epoch: int, content_type: header.ContentType) -> None:
        try:
            head = header.parse_private(decoded(content))
            is_right = (
                head.group_id == decoded(self.instance.id)
                and head.epoch == epoch
                and head.content_type == content_type
            )
        except header.Unreadable:
            is_right = False
        if not is_right:
            raise Refused(
                "malformed", "This is no private message of this group, epoch and content type."
            )

    def tell(
        self, kind: RowKind, frame: str, *, seat: str | None = None, sender: str | None = None
    ) -> None:
        self.instance.pos += 1
        self._rows.append(Row(self.instance.pos, self.instance.seq, kind, seat, sender, frame))

    def add(self, seat: Seat) -> None:
        self.seats[seat.id] = seat
        self.touch(seat)

    def touch(self, seat: Seat) -> None:
        self._touched.add(seat.id)
        self._dropped.discard(seat.id)

    def drop(self, seat_id: str) -> Seat:
        self._touched.discard(seat_id)
        self._dropped.add(seat_id)
        return self.seats.pop(seat_id)

    def take_out(self, seat: Seat) -> None:
        """It is gone, but its leaf is in the group until a commit removes it."""
        seat.state = "left"
        seat.resume_hash = None
        seat.worker = None
        seat.nacked = None
        self.touch(seat)
        self.tell("presence", frames.text("presence", seat=seat.id, state="left"))

    def gone(self, seat: Seat, why: GoneReason) -> None:
        instance = self.instance
        if seat.identity is not None:
            self._events.append(
                SealingMemberGone(instance.org_id, instance.meeting_id, seat.identity, why)
            )

    def follow(self, now: datetime) -> None:
        """Draw the conclusions from a change of who is there."""
        self.reconsider(self, now)
        if not any(seat.state == "member" for seat in self.seats.values()):
            self.end("left")
        elif any(self.live()):
            self.instance.empty_since_at = None
        elif self.instance.empty_since_at is None:
            self.instance.empty_since_at = now

    def take(self) -> Changes:
        """What the calls since the last `take` have brought about."""
        changes = Changes(
            tuple(self._rows),
            frozenset(self._touched),
            frozenset(self._dropped),
            tuple(self._events),
            self.ended,
            self._is_instance_changed,
        )
        self._is_instance_changed = False
        self._rows.clear()
        self._touched.clear()
        self._dropped.clear()
        self._events.clear()
        return changes

    def _lose(self, now: datetime, seat: Seat) -> None:
        if seat.worker is None:
            return
        seat.worker = None
        seat.lost_at = now
        self.touch(seat)
        if seat.state == "member":
            self.tell("presence", frames.text("presence", seat=seat.id, state="lost"))

    def _end_knock(self, seat_id: str) -> None:
        self.drop(seat_id)
        self.tell("knock_gone", frames.text("knock_gone", seat=seat_id))


def _nothing(sitting: Sitting, now: datetime) -> None:
    del sitting, now
