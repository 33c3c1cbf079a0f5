"""Personal invitations: kept for hosts, bound to the first device that comes with one.

The server keeps what the host has signed and learns neither name nor seed. Which device an
invitation belongs to is decided by compare-and-set; members hear of it with each knock and check
the rest by themselves. Must never say more to who is outside than whether a link opens anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select, update

from conclave.accounts import Actor
from conclave.kernel.app import App
from conclave.kernel.errors import Conflict, Invalid, NotFound
from conclave.meetings import certificates, policy
from conclave.meetings.certificates import Certificate, Unreadable
from conclave.meetings.events import (
    InvitationBound,
    InvitationPassedOn,
    InvitationReleased,
    InvitationRestored,
    InvitationRevoked,
)
from conclave.meetings.models import Invitation

MOST = 1_000
"""Of one meeting; a link for each person, and fresh ones for some."""

State = Literal["unused", "used", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class Invited:
    id: str
    certificate: bytes
    state: State
    created_at: datetime
    device: bytes | None
    bound_at: datetime | None
    passed_on_at: datetime | None
    """When another device last came with it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What an invitation is worth to whoever comes with it now."""

    outcome: Literal["bound", "other_device", "expired", "revoked", "unknown"]
    device: bytes | None = None
    """To which it is bound."""
    is_cohost: bool = False


async def add(
    app: App, actor: Actor, meeting_id: str, contents: Sequence[bytes]
) -> Sequence[Invited]:
    """Keep these; all of them or none. One that is there already stays as it is."""
    now = app.clock.now()
    async with app.db.transaction() as tx:
        meeting = await policy.require_host(tx, actor, meeting_id)
        read = {}
        for content in contents:
            certificate = _read(content, meeting_id)
            read[certificate.id] = (certificate, content)
        here = Invitation.org_id == meeting.org_id, Invitation.meeting_id == meeting.id
        known = set(await tx.scalars(select(Invitation.id).where(*here, Invitation.id.in_(read))))
        count = await tx.scalar(select(func.count()).where(*here)) or 0
        if count + len(read) - len(known) > MOST:
            raise Conflict(
                f"A meeting has at most {MOST} personal invitations.", code="too_many_invitations"
            )
        for invitation_id, (certificate, content) in read.items():
            if invitation_id in known:
                continue
            tx.add(
                Invitation(
                    org_id=meeting.org_id,
                    meeting_id=meeting.id,
                    id=invitation_id,
                    certificate=content,
                    created_at=now,
                    expires_at=certificate.expires_at,
                )
            )
        await tx.flush()
        rows = await tx.scalars(select(Invitation).where(*here, Invitation.id.in_(read)))
        return [_invited(row, now) for row in rows]


async def list_all(app: App, actor: Actor, meeting_id: str) -> Sequence[Invited]:
    """Oldest first."""
    async with app.db.read() as session:
        meeting = await policy.require_host(session, actor, meeting_id)
        rows = await session.scalars(
            select(Invitation)
            .where(Invitation.org_id == meeting.org_id, Invitation.meeting_id == meeting.id)
            .order_by(Invitation.created_at, Invitation.id)
        )
        return [_invited(row, app.clock.now()) for row in rows]


async def change(
    app: App,
    actor: Actor,
    meeting_id: str,
    invitation_id: str,
    wish: Literal["revoke", "restore", "release"],
) -> Invited:
    """Take an invitation back, give it back, or let it be bound to another device."""
    now = app.clock.now()
    async with app.db.transaction() as tx:
        meeting = await policy.require_host(tx, actor, meeting_id)
        row = await tx.get(Invitation, (meeting.org_id, meeting.id, invitation_id))
        if row is None:
            raise NotFound("There is no such invitation.")
        act = meeting.org_id, meeting.id, row.id, actor.user_id
        match wish:
            case "revoke" if row.revoked_at is None:
                row.revoked_at = now
                await app.outbox.emit(tx, InvitationRevoked(*act))
            case "restore" if row.revoked_at is not None:
                row.revoked_at = None
                await app.outbox.emit(tx, InvitationRestored(*act))
            case "release" if row.device is not None:
                row.device = row.bound_at = row.refused_at = None
                await app.outbox.emit(tx, InvitationReleased(*act))
        return _invited(row, now)


async def look(app: App, meeting_id: str, invitation_id: str) -> Invited:
    """For whoever has the link. Unknown and revoked ones are told apart only by a page that holds
    the seed, for ids cannot be guessed. `NotFound` for unknown ones and closed meetings alike."""
    async with app.db.read() as session:
        meeting = await policy.require_open(session, meeting_id)
        row = await session.get(Invitation, (meeting.org_id, meeting.id, invitation_id))
    if row is None:
        raise NotFound("There is no such invitation, or its meeting has ended.")
    return _invited(row, app.clock.now())


async def bind(
    app: App, meeting_id: str, invitation_id: str, device: bytes, binding: bytes
) -> Standing:
    """Somebody knocks with an invitation: the first device keeps it."""
    now = app.clock.now()
    async with app.db.transaction() as tx:
        meeting = await policy.require_open(tx, meeting_id)
        key = (meeting.org_id, meeting.id, invitation_id)
        row = await tx.get(Invitation, key)
        certificate = None if row is None else _kept(row)
        if (
            row is None
            or certificate is None
            or not certificates.is_bound(certificate, device, binding)
        ):
            return Standing("unknown")
        state = _state(row, now)
        if state in {"expired", "revoked"}:
            return Standing("expired" if state == "expired" else "revoked")
        is_cohost = certificate.role == "cohost"
        here = (
            Invitation.org_id == meeting.org_id,
            Invitation.meeting_id == meeting.id,
            Invitation.id == invitation_id,
        )
        # Compare and set: of two devices that come at once, one finds it free.
        won = await tx.scalar(
            update(Invitation)
            .where(*here, Invitation.device.is_(None))
            .values(device=device, bound_at=now)
            .returning(Invitation.id)
        )
        if won is not None:
            await app.outbox.emit(tx, InvitationBound(meeting.org_id, meeting.id, invitation_id))
            return Standing("bound", device, is_cohost)
        bound = await tx.scalar(select(Invitation.device).where(*here))
        if bound == device:
            return Standing("bound", device, is_cohost)
        is_news = await tx.scalar(
            update(Invitation)
            .where(*here, Invitation.refused_at.is_(None))
            .values(refused_at=now)
            .returning(Invitation.id)
        )
        if is_news is not None:
            await app.outbox.emit(tx, InvitationPassedOn(meeting.org_id, meeting.id, invitation_id))
        return Standing("other_device", bound)


def _read(content: bytes, meeting_id: str) -> Certificate:
    try:
        return certificates.read(content, meeting_id)
    except Unreadable:
        raise Invalid("One of these is no invitation to this meeting.", code="invitation") from None


def _kept(row: Invitation) -> Certificate | None:
    try:
        return certificates.read(row.certificate, row.meeting_id)
    except Unreadable:  # checked when it was stored: damaged since
        return None


def _state(row: Invitation, now: datetime) -> State:
    if row.revoked_at is not None:
        return "revoked"
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    return "unused" if row.device is None else "used"


def _invited(row: Invitation, now: datetime) -> Invited:
    return Invited(
        row.id,
        row.certificate,
        _state(row, now),
        row.created_at,
        row.device,
        row.bound_at,
        row.refused_at,
    )
