"""What one socket's frames do: each becomes work for the meeting's desk, and an answer.

Frames of a socket are dealt with one after the other, so a flood waits in its own connection. Must
never answer before what it says is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar, cast

from conclave.kernel.errors import LimitReached, NotFound, Unavailable
from conclave.kernel.ids import new_id
from conclave.kernel.ratelimit import Rate
from conclave.kernel.tokens import hash_of, new_token
from conclave.sealing import epochs, frames, schemas
from conclave.sealing.connections import NORMAL, VIOLATION, Connection, Goodbye, Outbound
from conclave.sealing.desk import Desk
from conclave.sealing.door import Visit, WorkWanted
from conclave.sealing.doorkeeper import Entry, Invited
from conclave.sealing.machine import Refused
from conclave.sealing.room import Room
from conclave.sealing.schemas import ClientFrame
from conclave.sealing.service import Sealing
from conclave.sealing.state import Instance, Knock, Seat

OUTSIDE_LIMIT = 16 * 1024
MEMBER_LIMIT = 384 * 1024
PREFIX = "sea"
_MINUTE = 60.0
# Anything at all by one socket; who is past it cannot be a client of ours.
_FRAMES = Rate(400, 4.0)
# Lines from one seat in front of the door.
_NOTES = Rate(5, _MINUTE)
# Each looks at everybody's media.
_SILENCES = Rate(10, _MINUTE)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Resumed:
    seat: str
    number: int
    role: str
    is_member: bool
    instance: str
    seq: int
    cursor: int
    since: int | None


class Session:
    def __init__(
        self, sealing: Sealing, room: Room, entry: Entry, source: str, *, ping_s: float
    ) -> None:
        self._sealing = sealing
        self._app = sealing.app
        self._room = room
        self._entry = entry
        self._source = source
        self._ping_s = ping_s
        self.pongs_owed = 0
        self.outbound = Outbound()
        self.connection: Connection | None = None

    # --- frames
    async def receive(self, text: str | None) -> bool:
        """One frame; False when it ends the socket (the goodbye is in the queue)."""
        frame = None
        connection = self.connection
        limit = MEMBER_LIMIT if connection and connection.place == "member" else OUTSIDE_LIMIT
        if text is not None and len(text) <= limit:
            frame = schemas.parse(text)
        self._sealing.metrics.frames.labels("malformed" if frame is None else frame.t).inc()
        if frame is None:
            return self._violation("malformed", "This is no frame of the sealing protocol.")
        if isinstance(frame, schemas.Hello) != (connection is None):
            return self._violation("hello", "The first frame is hello, and no other one.")
        if connection is None:
            await self._hello(cast("schemas.Hello", frame))
        elif connection.place != "gone":
            try:
                self._app.limiter.hit("sealing_frames", connection.seat, _FRAMES)
            except LimitReached:
                return self._violation("rate", "These are more frames than any client sends.")
            await self._dispatch(connection, frame)
        return True

    def _violation(self, code: str, detail: str) -> bool:
        self._sealing.metrics.refusals.labels(code).inc()
        self.outbound.put(frames.error(None, code, detail))
        goodbye = Goodbye(VIOLATION)
        if self.connection is not None:
            self.connection.go(goodbye)
        else:
            self.outbound.end(goodbye)
        return False

    async def _dispatch(self, connection: Connection, frame: ClientFrame) -> None:
        n = getattr(frame, "n", None)
        try:
            await self._do(connection, frame)
        except WorkWanted as wanted:
            self._refuse(
                connection,
                n,
                wanted.code,
                wanted.detail,
                challenge=wanted.challenge,
                bits=wanted.bits,
            )
        except Refused as refused:
            self._refuse(connection, n, refused.code, refused.detail)
        except LimitReached as error:
            self._refuse(connection, n, "rate", error.detail)
        except NotFound as error:
            self._refuse(connection, n, "no_instance", error.detail)
        except Unavailable as error:
            self._refuse(connection, n, "unavailable", error.detail)

    def _refuse(
        self,
        connection: Connection,
        n: int | None,
        code: str,
        detail: str,
        **more: str | int,
    ) -> None:
        self._sealing.metrics.refusals.labels(code).inc()
        if n is not None:
            connection.say(frames.error(n, code, detail, **more))

    async def _do(self, connection: Connection, frame: ClientFrame) -> None:  # noqa: PLR0912
        match frame:
            case schemas.Pong():
                self.pongs_owed = 0
            case schemas.Create():
                await self._create(connection, frame)
            case schemas.KnockFrame():
                await self._knock(connection, frame)
            case schemas.Note():
                self._app.limiter.hit("knock_note", connection.seat, _NOTES)
                await self._ask(
                    connection,
                    lambda desk: desk.require_sitting().note(
                        self._now(), connection.seat, frame.note
                    ),
                    lambda _: connection.say(frames.ok(frame.n)),
                )
            case schemas.Withdraw():
                await self._withdraw(connection, frame)
            case schemas.Deny():
                await self._ask(
                    connection,
                    lambda desk: desk.require_sitting().deny(
                        self._now(), connection.seat, frame.seat, frame.reason
                    ),
                    lambda _: connection.say(frames.ok(frame.n)),
                )
            case schemas.Commit():
                await self._commit(connection, frame)
            case schemas.Message():
                self._limit(connection)
                await self._ask(
                    connection,
                    lambda desk: desk.require_sitting().message(
                        self._now(), connection.seat, frame.epoch, frame.bytes
                    ),
                    lambda seq: connection.say(frames.ok(frame.n, seq)),
                )
            case schemas.Ack():
                await self._ask(
                    connection,
                    lambda desk: epochs.ack(
                        desk.require_sitting(), self._now(), connection.seat, frame.epoch
                    ),
                )
            case schemas.Nack():
                await self._nack(connection, frame)
            case schemas.Using():
                self._require_member(connection)
                await self._sealing.epoch_in_use(self._room.meeting_id, frame.epoch)
            case schemas.Grant():
                changed = await self._ask(
                    connection,
                    lambda desk: desk.require_sitting().grant(
                        self._now(), connection.seat, frame.seat, frame.role
                    ),
                    lambda _: connection.say(frames.ok(frame.n)),
                )
                await self._sealing.permit(self._room.meeting_id, changed)
            case schemas.Permit():
                self._limit(connection)
                seats = {one.seat: one.may for one in frame.seats}
                changed = await self._ask(
                    connection,
                    lambda desk: desk.require_sitting().permit(
                        self._now(), connection.seat, frame.all, seats
                    ),
                    lambda _: connection.say(frames.ok(frame.n)),
                )
                await self._sealing.permit(self._room.meeting_id, changed)
            case schemas.Mute():
                await self._mute(connection, frame)
            case schemas.Silence():
                self._app.limiter.hit("sealing_silence", connection.seat, _SILENCES)
                identities = await self._ask(
                    connection,
                    lambda desk: desk.require_sitting().identities_to_silence(connection.seat),
                )
                await self._sealing.silence(self._room.meeting_id, identities)
                connection.say(frames.ok(frame.n))
            case schemas.TicketFrame():
                await self._ticket(connection, frame)
            case schemas.Leave():
                await self._leave(connection, frame)
            case schemas.Hello():  # `receive` has taken it
                pass

    # --- coming
    async def _hello(self, frame: schemas.Hello) -> None:
        resumed = None
        resume_hash = hash_of(frame.resume) if frame.resume else None
        if resume_hash is not None:
            resumed = await self._resume(frame, resume_hash)
        if frame.resume:
            outcome = "new" if resumed is None else "resumed"
            self._sealing.metrics.resumes.labels(outcome).inc()
        if resumed is None:
            await self._arrive(frame)
        elif self.connection is not None:
            await self._room.replay(self.connection, resumed.since)

    async def _arrive(self, frame: schemas.Hello) -> None:
        token = new_token()
        resume_hash = hash_of(token)
        assert resume_hash is not None  # noqa: S101  its own
        await self._room.opened()
        connection = Connection(
            seat=new_id(PREFIX, self._now()),
            resume_hash=resume_hash,
            role=self._entry.role,
            outbound=self.outbound,
            source=self._source,
            former=self._former(frame),
        )
        self.connection = connection
        self._room.add(connection)
        connection.say(
            frames.text(
                "hello",
                seat=connection.seat,
                resume=token,
                resumed=False,
                role=self._entry.role,
                instance=self._room.instance,
                seq=self._room.seq,
                ping_s=self._ping_s,
            )
        )

    def _former(self, frame: schemas.Hello) -> bytes | None:
        """Of a seat that was inside until its connection was lost, and is not to be had again."""
        hashes = [hash_of(secret) for secret in (frame.resume, frame.former) if secret]
        return next((h for h in hashes if h is not None and self._room.was_inside(h)), None)

    async def _resume(self, frame: schemas.Hello, resume_hash: bytes) -> _Resumed | None:
        def work(desk: Desk) -> _Resumed | None:
            sitting = desk.sitting
            if sitting is None:
                return None
            seat = sitting.resume(self._now(), resume_hash, self._sealing.worker, frame.since)
            if seat is None:
                return None
            is_member = seat.state == "member"
            has_welcome = frame.since is not None and frame.since >= seat.since_seq
            return _Resumed(
                seat.id,
                seat.connection,
                seat.role,
                is_member and (has_welcome or seat.since_pos == 0),
                sitting.instance.id,
                sitting.instance.seq,
                seat.since_pos - (1 if is_member and not has_welcome else 0),
                frame.since if is_member and has_welcome else None,
            )

        def then(resumed: _Resumed | None) -> None:
            if resumed is None:
                return
            connection = Connection(
                seat=resumed.seat,
                resume_hash=resume_hash,
                role="host" if resumed.role == "host" else "guest",
                outbound=self.outbound,
                source=self._source,
                number=resumed.number,
                is_attached=False,
            )
            # Who has not seen its Welcome yet becomes a member by it.
            connection.enter(
                "member" if resumed.is_member else "knocking", resumed.instance, resumed.cursor
            )
            self.connection = connection
            self._room.add(connection)
            connection.say(
                frames.text(
                    "hello",
                    seat=resumed.seat,
                    resume=frame.resume,
                    resumed=True,
                    role=resumed.role,
                    instance=resumed.instance,
                    seq=resumed.seq,
                    ping_s=self._ping_s,
                )
            )

        await self._room.opened()
        return await self._room.desk.ask(work, then)

    # --- at the door
    async def _create(self, connection: Connection, frame: schemas.Create) -> None:
        self._require_outside(connection)
        meeting_id = self._room.meeting_id
        if not self._entry.may_begin:
            raise Refused("closed", "A host has to open this meeting first.")
        # First, so that nothing has happened when there is no ticket.
        ticket = await self._sealing.ticket(
            meeting_id, frame.identity, "host" if connection.role == "host" else "member"
        )

        def work(desk: Desk) -> None:
            if desk.sitting is not None:
                raise Refused("exists", "There is a sitting; knock at it.")
            now = self._now()
            instance = Instance(self._entry.org_id, meeting_id, frame.instance, now)
            desk.found(
                epochs.found(now, instance, self._seat(connection), frame.identity, desk.limits)
            )

        def then(_outcome: None) -> None:
            connection.enter("member", frame.instance, 0)
            connection.say(frames.ok(frame.n, ticket=ticket))

        await self._ask(connection, work, then)

    async def _knock(self, connection: Connection, frame: schemas.KnockFrame) -> None:
        self._require_outside(connection)
        door, room = self._sealing.door, self._room
        visit = Visit(room.meeting_id, self._source, frame.key_package, frame.work, room.pressure)
        is_expected = door.expects(connection, room.meeting_id)
        if frame.invitation is not None and not is_expected:
            door.look_up(visit)
        invited = await self._invited(frame)
        is_expected = is_expected or door.invites(frame.invitation, invited)
        if not is_expected:
            door.charge(visit)
        bound = schemas.encoded(invited.device) if invited is not None and invited.device else ""

        def work(desk: Desk) -> tuple[int, int]:
            sitting = desk.require_sitting()
            content = Knock(frame.key_package, frame.intro, frame.proof, frame.sign, bound)
            seat = self._seat(connection)
            if invited is not None and invited.is_cohost:
                seat.granted = "cohost"
            sitting.knock(self._now(), seat, frame.instance, content, is_expected=is_expected)
            return sitting.instance.pos, sum(1 for _ in sitting.live())

        def then(outcome: tuple[int, int]) -> None:
            pos, members = outcome
            connection.enter("knocking", frame.instance, pos)
            connection.say(frames.ok(frame.n))
            connection.say(frames.text("waiting", members=members))

        await self._ask(connection, work, then)

    async def _invited(self, frame: schemas.KnockFrame) -> Invited | None:
        """What the invitation it names is worth; `Refused` when it opens nothing any more."""
        if frame.invitation is None or frame.device is None or frame.binding is None:
            return None
        invited = await self._sealing.invited(
            self._room.meeting_id,
            frame.invitation,
            schemas.decoded(frame.device),
            schemas.decoded(frame.binding),
        )
        if invited.outcome in {"revoked", "unknown"}:
            raise Refused("revoked", "This invitation has been taken back, or never was one.")
        if invited.outcome == "expired":
            raise Refused("expired", "The time of this invitation is over.")
        return invited

    async def _withdraw(self, connection: Connection, frame: schemas.Withdraw) -> None:
        def then(_outcome: None) -> None:
            connection.move_outside()
            connection.say(frames.ok(frame.n))

        if connection.place != "knocking":
            raise Refused("forbidden", "You are not knocking.")
        await self._ask(
            connection,
            lambda desk: desk.require_sitting().withdraw(self._now(), connection.seat),
            then,
        )

    # --- inside
    async def _commit(self, connection: Connection, frame: schemas.Commit) -> None:
        self._limit(connection)

        def then(seq: int) -> None:
            self._sealing.metrics.commits.inc()
            connection.say(frames.ok(frame.n, seq))

        await self._ask(
            connection,
            lambda desk: epochs.commit(desk.require_sitting(), self._now(), connection.seat, frame),
            then,
        )

    async def _nack(self, connection: Connection, frame: schemas.Nack) -> None:
        is_undone = await self._ask(
            connection,
            lambda desk: epochs.nack(
                desk.require_sitting(), self._now(), connection.seat, frame.hash
            ),
        )
        if is_undone:
            self._sealing.metrics.reopenings.inc()

    async def _mute(self, connection: Connection, frame: schemas.Mute) -> None:
        identity = await self._ask(
            connection,
            lambda desk: desk.require_sitting().identity_to_mute(connection.seat, frame.seat),
        )
        await self._sealing.mute(self._room.meeting_id, identity, frame.source)
        connection.say(frames.ok(frame.n))

    async def _ticket(self, connection: Connection, frame: schemas.TicketFrame) -> None:
        def work(desk: Desk) -> Seat:
            return desk.require_sitting().require_member(connection.seat)

        seat = await self._ask(connection, work)
        ticket = await self._sealing.ticket(
            self._room.meeting_id, seat.identity or "", seat.member_role
        )
        connection.say(frames.ok(frame.n, ticket=ticket))

    async def _leave(self, connection: Connection, frame: schemas.Leave) -> None:
        def then(_outcome: None) -> None:
            connection.say(frames.ok(frame.n))
            connection.go(Goodbye(NORMAL))

        if connection.place == "outside":
            then(None)
            return

        def work(desk: Desk) -> None:
            if desk.sitting is not None:
                desk.sitting.leave(self._now(), connection.seat)

        await self._ask(connection, work, then)

    # --- for all of them
    async def _ask(
        self,
        connection: Connection,
        work: Callable[[Desk], T],
        then: Callable[[T], None] = lambda _outcome: None,
    ) -> T:
        def own(desk: Desk) -> T:
            sitting = desk.sitting
            seat = None if sitting is None else sitting.seats.get(connection.seat)
            if seat is not None and (
                seat.connection != connection.number or seat.worker != self._sealing.worker
            ):
                # Another socket has taken the seat over, or this process was thought to be gone.
                raise Refused("forbidden", "This seat has another connection.")
            return work(desk)

        return await self._room.desk.ask(own, then)

    def _seat(self, connection: Connection) -> Seat:
        return Seat(
            id=connection.seat,
            resume_hash=connection.resume_hash,
            role=connection.role,
            state="knocking",
            worker=self._sealing.worker,
            lost_at=None,
            connection=connection.number,
        )

    def _limit(self, connection: Connection) -> None:
        settings = self._app.settings.sealing
        rate = Rate(settings.messages_burst, settings.messages_burst / settings.messages_per_second)
        self._app.limiter.hit("sealing_messages", connection.seat, rate)

    def _require_outside(self, connection: Connection) -> None:
        if connection.place != "outside":
            raise Refused("forbidden", "You are inside, or have knocked already.")

    def _require_member(self, connection: Connection) -> None:
        if connection.place != "member":
            raise Refused("forbidden", "Only members may do this.")

    def _now(self) -> datetime:
        return self._app.clock.now()
