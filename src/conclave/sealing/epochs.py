"""The order of commits: one winner an epoch, acknowledgements, and what a refusal by most undoes.

Pure, on top of `machine.py`. Must never look into a commit further than its head: whether its
sender may make it is judged by the members, who can read it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from conclave.kernel.tokens import digest_of
from conclave.sealing import frames, header
from conclave.sealing.machine import Refused, Sitting
from conclave.sealing.schemas import Commit, RemovalReason, decoded, encoded
from conclave.sealing.state import Instance, Limits, OpenCommit, Seat, TakenOut

_LENIENCE = timedelta(seconds=1)
"""A client counts the grace of a lost member from when it was told."""


def found(
    now: datetime, instance: Instance, creator: Seat, identity: str, limits: Limits
) -> Sitting:
    """A new sitting with one member."""
    sitting = resumed(instance, {}, limits)
    creator.state = "member"
    creator.identity = identity
    sitting.add(creator)
    sitting.follow(now)
    return sitting


def resumed(instance: Instance, seats: dict[str, Seat], limits: Limits) -> Sitting:
    """A sitting as it stands in the tables."""
    sitting = Sitting(instance, seats, limits)
    sitting.reconsider = _reconsider
    return sitting


def commit(sitting: Sitting, now: datetime, by: str, wish: Commit) -> int:
    """The number of the commit. `conflict` when another one has won this epoch."""
    instance = sitting.instance
    sender = sitting.require_member(by)
    sitting.check_head(wish.bytes, wish.epoch, header.ContentType.COMMIT)
    _check_welcome(wish)
    if wish.epoch != instance.epoch:
        raise Refused("conflict", "Another commit has won this epoch.")
    newcomers = [sitting.require_knocking(admitted.seat) for admitted in wish.admitted]
    leaving = _check_removed(sitting, now, sender, wish)
    _check_admitted(sitting, wish, leaving)

    for seat, removed in zip(leaving, wish.removed, strict=True):
        sitting.tell("removed", frames.text("removed", why=removed.why), seat=seat.id)
        sitting.drop(seat.id)
        if seat.state != "left" and removed.why != "replaced":
            sitting.gone(seat, removed.why)
    instance.seq += 1
    sitting.tell(
        "commit",
        frames.text(
            "commit",
            seq=instance.seq,
            epoch=wish.epoch,
            bytes=wish.bytes,
            **{"from": by},
            admitted=[admitted.model_dump() for admitted in wish.admitted],
            removed=[removed.model_dump() for removed in wish.removed],
        ),
        sender=by,
    )
    instance.epoch += 1
    sender.acked = instance.epoch
    sitting.touch(sender)
    for seat, admitted in zip(newcomers, wish.admitted, strict=True):
        seat.state = "member"
        seat.identity = admitted.identity
        seat.knock = None
        seat.acked = instance.epoch
        sitting.touch(seat)
    for seat in newcomers:
        sitting.tell("welcome", _welcome(sitting, seat, wish.welcome or ""), seat=seat.id)
        seat.since_pos = instance.pos
        seat.since_seq = instance.seq
    _note(sitting, by, wish, leaving)
    sitting.follow(now)
    return instance.seq


def ack(sitting: Sitting, now: datetime, by: str, epoch: int) -> None:
    """Has applied everything up to `epoch`."""
    seat = sitting.require_member(by)
    if not seat.acked < epoch <= sitting.instance.epoch:
        return
    seat.acked = epoch
    seat.nacked = None
    sitting.touch(seat)
    sitting.follow(now)


def nack(sitting: Sitting, now: datetime, by: str, commit_hash: str) -> bool:
    """Cannot apply this commit. True when that was one too many, and it is undone."""
    seat = sitting.require_member(by)
    found_commit = next((c for c in sitting.instance.open_commits if c.hash == commit_hash), None)
    if found_commit is None or seat not in _others(sitting, found_commit):
        return False
    if seat.acked > found_commit.epoch:
        return False
    seat.nacked = commit_hash
    sitting.touch(seat)
    before = sitting.instance.epoch
    sitting.follow(now)
    return sitting.instance.epoch < before


def _check_welcome(wish: Commit) -> None:
    if bool(wish.admitted) != bool(wish.welcome):
        raise Refused("malformed", "A Welcome comes with whom it admits, and only then.")
    if wish.welcome:
        try:
            header.check_welcome(decoded(wish.welcome))
        except header.Unreadable:
            raise Refused("malformed", "This is no Welcome.") from None
    for ids in (
        [admitted.seat for admitted in wish.admitted],
        [admitted.identity for admitted in wish.admitted],
        [removed.seat for removed in wish.removed],
    ):
        if len(set(ids)) != len(ids):
            raise Refused("malformed", "Nobody is admitted or removed twice in one commit.")


def _check_removed(sitting: Sitting, now: datetime, sender: Seat, wish: Commit) -> Sequence[Seat]:
    leaving = []
    identities = {admitted.identity for admitted in wish.admitted}
    for removed in wish.removed:
        seat = sitting.seats.get(removed.seat)
        if seat is None or not seat.is_inside:
            raise Refused("unknown_seat", "There is no such member.")
        is_replaced = removed.why == "replaced" and seat.identity in identities
        may = is_replaced or _may_remove(sitting, now, sender, seat, removed.why)
        if seat is sender or not may:
            raise Refused("forbidden", "This member may not be removed by you, or not yet.")
        leaving.append(seat)
    return leaving


def _may_remove(
    sitting: Sitting, now: datetime, sender: Seat, seat: Seat, why: RemovalReason
) -> bool:
    if why == "replaced":
        return False
    if why == "removed":
        role = sender.member_role
        return role == "host" or (role == "cohost" and seat.member_role != "host")
    if seat.state == "left":
        return True
    return (
        why == "lost"
        and seat.worker is None
        and seat.lost_at is not None
        and seat.lost_at + sitting.limits.lost - _LENIENCE <= now
    )


def _check_admitted(sitting: Sitting, wish: Commit, leaving: Sequence[Seat]) -> None:
    staying = [seat for seat in sitting.members() if seat not in leaving]
    if len(staying) + len(wish.admitted) > sitting.limits.members:
        raise Refused("full", "This meeting is full.")
    taken = {seat.identity for seat in staying}
    if any(admitted.identity in taken for admitted in wish.admitted):
        raise Refused("forbidden", "This identity is in the group.")


def _welcome(sitting: Sitting, seat: Seat, content: str) -> str:
    instance = sitting.instance
    return frames.text(
        "welcome",
        seq=instance.seq,
        epoch=instance.epoch,
        bytes=content,
        identity=seat.identity,
        seats=frames.seats(sitting.members()),
    )


def _note(sitting: Sitting, by: str, wish: Commit, leaving: Sequence[Seat]) -> None:
    digest = encoded(digest_of(decoded(wish.bytes)))
    opened = OpenCommit(
        wish.epoch,
        digest,
        by,
        tuple(admitted.seat for admitted in wish.admitted),
        tuple(TakenOut(seat.id, seat.identity or "", seat.role) for seat in leaving),
    )
    kept = sitting.limits.open_commits
    sitting.instance.open_commits = [*sitting.instance.open_commits, opened][-kept:]


def _reconsider(sitting: Sitting, now: datetime) -> None:
    del now
    for opened in sitting.instance.open_commits:
        others = _others(sitting, opened)
        against = sum(1 for seat in others if seat.nacked == opened.hash)
        if against * 2 > len(others):
            _reopen(sitting, opened)
            break
    _settle(sitting)


def _settle(sitting: Sitting) -> None:
    instance = sitting.instance
    reached = min((seat.acked for seat in sitting.live()), default=instance.settled)
    if reached > instance.settled:
        instance.settled = reached
        instance.open_commits = [c for c in instance.open_commits if c.epoch >= reached]
        sitting.tell("settled", frames.text("settled", epoch=reached))


def _others(sitting: Sitting, opened: OpenCommit) -> list[Seat]:
    """Who can judge a commit: those that live, were there before it, and did not make it."""
    return [
        seat for seat in sitting.live() if seat.id != opened.seat and seat.id not in opened.admitted
    ]


def _reopen(sitting: Sitting, opened: OpenCommit) -> None:
    """Back to before this commit; those after it rest on it and go too."""
    instance = sitting.instance
    undone = [c for c in instance.open_commits if c.epoch >= opened.epoch]
    instance.open_commits = [c for c in instance.open_commits if c.epoch < opened.epoch]
    instance.epoch = opened.epoch
    instance.seq += 1
    frame = frames.text("reopened", seq=instance.seq, epoch=opened.epoch, hash=opened.hash)
    newcomers = {seat_id for c in undone for seat_id in c.admitted}
    for seat_id in sorted(newcomers & sitting.seats.keys()):
        sitting.tell("reopened", frame, seat=seat_id)
        sitting.gone(sitting.drop(seat_id), "reopened")
    offender = sitting.seats.get(opened.seat)
    if offender is not None and offender.state == "member":
        sitting.tell("removed", frames.text("removed", why="removed"), seat=offender.id)
    sitting.tell("reopened", frame)
    if offender is not None and offender.state == "member":
        sitting.gone(offender, "reopened")
        sitting.take_out(offender)
    for out in (out for c in undone for out in c.removed):
        if out.seat not in newcomers:
            seat = Seat(out.seat, None, out.role, "member", None, None, identity=out.identity)
            sitting.add(seat)
            sitting.take_out(seat)
    for seat in sitting.members():
        seat.acked = min(seat.acked, opened.epoch)
        seat.nacked = None
        sitting.touch(seat)
