"""What the delivery service asks of meetings: who may stand at a door, and the way into the media.

Must never put a name into a ticket: in a sealed room the engine knows identities alone.
"""

from __future__ import annotations

from conclave.accounts import Actor
from conclave.kernel.app import App
from conclave.kernel.errors import NotFound
from conclave.media.engine import MediaEngine
from conclave.meetings import policy
from conclave.meetings.service import MeetingsMetrics
from conclave.sealing import Entry, MemberRole, Ticket


class MeetingsDoorkeeper:
    """A `sealing.Doorkeeper`."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def admits(self, meeting_id: str, actor: Actor | None) -> Entry | None:
        async with self._app.db.read() as session:
            try:
                meeting = await policy.require_open(session, meeting_id)
            except NotFound:
                return None
        return Entry(meeting.org_id, "host" if policy.is_host(actor, meeting) else "guest")

    async def ticket(self, meeting_id: str, identity: str, role: MemberRole) -> Ticket:
        async with self._app.db.read() as session:
            meeting = await policy.require_open(session, meeting_id)
        connection = self._app.use(MediaEngine).mint(meeting.id, identity)
        self._app.use(MeetingsMetrics).joins.labels(role).inc()
        return Ticket(connection.url, connection.token)
