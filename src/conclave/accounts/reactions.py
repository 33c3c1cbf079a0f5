"""What follows from events of accounts, when whoever asked has had their answer already: the notice
of refused sign-ins and the letter about a new device. So neither shows in the time of an answer."""

from __future__ import annotations

from sqlalchemy import select

from conclave.accounts import letters, limits, notices
from conclave.accounts.credentials.logins import is_address
from conclave.accounts.models import Session, User
from conclave.kernel.app import App
from conclave.kernel.errors import LimitReached
from conclave.kernel.http import local_url
from conclave.kernel.mail import Mailer, MailFailed
from conclave.kernel.outbox import StoredEvent


async def tell_of_refusals(app: App, event: StoredEvent) -> None:
    """The third and later refused sign-ins of an account in a day are told to its owner."""
    user_id = event.payload["user_id"]
    if user_id is None:
        return
    try:
        app.limiter.hit("slips", user_id, limits.SLIPS)
    except LimitReached:
        async with app.db.transaction() as tx:
            exists = await tx.scalar(
                select(User.id).where(User.org_id == event.org_id, User.id == user_id)
            )
            if exists is not None:
                await notices.count(
                    tx,
                    event.org_id,
                    user_id,
                    "sign_ins_failed",
                    app.clock.now(),
                    start=limits.SLIPS.amount + 1,
                )


async def write_about_new_device(app: App, event: StoredEvent) -> None:
    """Once, by whoever handles the event first; a letter that cannot be sent is not tried again,
    the notice is there all the same."""
    mailer = app.use(Mailer)
    if not event.payload["is_new_device"] or not mailer.can_mail:
        return
    async with app.db.read() as session:
        row = (
            await session.execute(
                select(User.login, Session.browser, Session.place, Session.created_at)
                .join(Session, (Session.org_id == User.org_id) & (Session.user_id == User.id))
                .where(
                    User.org_id == event.org_id,
                    User.id == event.payload["user_id"],
                    Session.id == event.payload["session_id"],
                )
            )
        ).first()
    if row is None or row.login is None or not is_address(row.login):
        return
    try:
        app.limiter.hit("letters", event.payload["user_id"], limits.LETTERS)
        await mailer.send(
            letters.new_device(
                row.login,
                local_url(app),
                browser=row.browser,
                place=row.place,
                at=row.created_at,
            )
        )
    except (LimitReached, MailFailed):
        return  # the mailer has logged and counted it
