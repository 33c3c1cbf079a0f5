"""Use cases of device links, and the only writer of their table."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, select, update

from conclave.accounts import limits
from conclave.accounts.actors import Actor
from conclave.accounts.events import DeviceLinked, DeviceLinkOpened
from conclave.accounts.models import DeviceLink
from conclave.accounts.people import user_for_update
from conclave.accounts.visitors import Visitor
from conclave.kernel.app import App
from conclave.kernel.errors import Conflict, Forbidden, LimitReached, NotFound
from conclave.kernel.ids import unguessable_id

LIFETIME = timedelta(minutes=10)
OPEN = 5
WAIT_S = 25.0
WAITING = 10
Slot = Literal["offer", "reveal", "parcel"]
_ORDER: tuple[Slot, ...] = ("offer", "reveal", "parcel")


class Waits:
    """How many requests of each user wait for a change, in this process."""

    def __init__(self) -> None:
        self.by_user: Counter[str] = Counter()
        self.seconds = WAIT_S


async def make(app: App, actor: Actor, visitor: Visitor, commitment: bytes) -> DeviceLink:
    """A mailbox, by the new device. `Conflict` (`device_links_full`) past five open ones."""
    app.limiter.hit("device_links", actor.user_id, limits.DEVICE_LINKS)
    now = app.clock.now()
    async with app.db.transaction() as tx:
        await user_for_update(tx, actor.org_id, actor.user_id)
        await tx.execute(delete(DeviceLink).where(DeviceLink.expires_at <= now))
        there = await tx.scalar(
            select(func.count())
            .select_from(DeviceLink)
            .where(DeviceLink.org_id == actor.org_id, DeviceLink.user_id == actor.user_id)
        )
        if (there or 0) >= OPEN:
            raise Conflict(
                "Too many devices wait already. Cancel one, or wait ten minutes.",
                code="device_links_full",
            )
        link = DeviceLink(
            org_id=actor.org_id,
            id=unguessable_id("dvl"),
            user_id=actor.user_id,
            session_id=actor.session_id,
            browser=visitor.browser,
            place=visitor.place,
            state=0,
            commitment=commitment,
            offer=None,
            reveal=None,
            parcel=None,
            created_at=now,
            expires_at=now + LIFETIME,
        )
        tx.add(link)
        await app.outbox.emit(tx, DeviceLinkOpened(actor.org_id, actor.user_id, link.id))
    return link


async def list_open(app: App, actor: Actor) -> Sequence[DeviceLink]:
    async with app.db.read() as session:
        found = await session.scalars(
            select(DeviceLink)
            .where(
                DeviceLink.org_id == actor.org_id,
                DeviceLink.user_id == actor.user_id,
                DeviceLink.expires_at > app.clock.now(),
            )
            .order_by(DeviceLink.created_at, DeviceLink.id)
        )
        return list(found)


async def read(app: App, actor: Actor, link_id: str) -> DeviceLink:
    """`NotFound` for unknown, cancelled, expired and other people's alike."""
    async with app.db.read() as session:
        found = await session.scalar(
            select(DeviceLink).where(*_own(actor, link_id), DeviceLink.expires_at > app.clock.now())
        )
    if found is None:
        raise NotFound
    return found


async def wait(app: App, actor: Actor, link_id: str, after: int) -> DeviceLink:
    """The link, once its state is past `after`, or as it is when time is up."""
    waits = app.use(Waits)
    if waits.by_user[actor.user_id] >= WAITING:
        raise LimitReached("Too many requests of yours wait already.", retry_after=5.0)
    waits.by_user[actor.user_id] += 1
    # Subscribed before the row is read: a change in between is seen in one of the two.
    subscription = app.bus.subscribe(_topic(link_id), limit=8)
    try:
        link = await read(app, actor, link_id)
        if link.state <= after:
            try:
                async with asyncio.timeout(waits.seconds):
                    await subscription.next()
            except TimeoutError:
                pass
            link = await read(app, actor, link_id)
        return link
    finally:
        subscription.close()
        waits.by_user[actor.user_id] -= 1
        if not waits.by_user[actor.user_id]:
            del waits.by_user[actor.user_id]


async def put(app: App, actor: Actor, link_id: str, slot: Slot, value: bytes) -> None:
    """Each value once and in order: `Conflict`. Offer and parcel come from another session than the
    one that made the link, freshly proven; the reveal from that one: `Forbidden`."""
    app.limiter.hit("device_links", actor.user_id, limits.DEVICE_LINKS)
    position = _ORDER.index(slot)
    link = await read(app, actor, link_id)
    is_own = link.session_id == actor.session_id
    if is_own != (slot == "reveal"):
        raise Forbidden("This part is the other device's.")
    if not is_own and not actor.is_fresh(app.clock.now()):
        raise Forbidden("Please confirm first that it is you.", code="reauthenticate")
    async with app.db.transaction() as tx:
        # Compare and set: of two that come at once, one finds the state before.
        moved = await tx.scalar(
            update(DeviceLink)
            .where(*_own(actor, link_id), DeviceLink.state == position)
            .values({"state": position + 1, slot: value})
            .returning(DeviceLink.id)
        )
        if moved is None:
            raise Conflict
        if slot == "parcel":
            await app.outbox.emit(tx, DeviceLinked(actor.org_id, actor.user_id, link_id))
    await app.bus.publish(_topic(link_id), {"state": position + 1})


async def cancel(app: App, actor: Actor, link_id: str) -> None:
    async with app.db.transaction() as tx:
        found = await tx.scalar(
            delete(DeviceLink).where(*_own(actor, link_id)).returning(DeviceLink.id)
        )
    if found is None:
        raise NotFound
    await app.bus.publish(_topic(link_id), {"state": -1})


def _own(actor: Actor, link_id: str) -> Sequence[Any]:
    return (
        DeviceLink.org_id == actor.org_id,
        DeviceLink.user_id == actor.user_id,
        DeviceLink.id == link_id,
    )


def _topic(link_id: str) -> str:
    return f"device_links.{link_id}"
