"""Letters about a meeting, which its host's browser has written: passed on, never kept.

Titles, links and addresses in them are what the host has chosen to show the server for this once.
Must never be stored or logged, nor written by the server itself: it has no title and no link.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from conclave.accounts import Actor
from conclave.kernel.app import App
from conclave.kernel.errors import Invalid
from conclave.kernel.mail import Letter, Mailer, MailFailed, MailFault
from conclave.kernel.ratelimit import Rate
from conclave.meetings import policy

PER_DAY = Rate(200, 86_400.0)
"""Addresses that one account writes to."""


async def send(
    app: App,
    actor: Actor,
    meeting_id: str,
    to: Sequence[str],
    *,
    subject: str,
    text: str,
    calendar: str,
) -> Sequence[MailFault | None]:
    """One letter to each address, so that none of them sees another. What became of each, in the
    order of `to`; None: the SMTP server has taken it."""
    async with app.db.read() as session:
        await policy.require_host(session, actor, meeting_id)
    mailer = app.use(Mailer)
    if not mailer.can_mail:
        raise Invalid("This server has no mail settings.", code="no_mail")
    app.limiter.hit("meeting letters", f"{actor.org_id} {actor.user_id}", PER_DAY, len(to))

    async def one(address: str) -> MailFault | None:
        try:
            await mailer.send(Letter(address, subject, text, calendar))
        except MailFailed as error:
            return error.fault
        return None

    return await asyncio.gather(*(one(address) for address in to))
