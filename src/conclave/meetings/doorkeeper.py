"""What the delivery service asks of meetings: who may stand at a door, and the way into the media.

Must never put a name into a ticket: in a sealed room the engine knows identities alone.
"""

from __future__ import annotations

from conclave.accounts import Actor
from conclave.kernel.app import App
from conclave.kernel.errors import NotFound
from conclave.media.engine import MediaEngine
from conclave.meetings import invitations, policy
from conclave.meetings.rights import permission_of
from conclave.meetings.service import MeetingsMetrics
from conclave.sealing import Entry, Invited, MemberRole, Ticket


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
        is_host = policy.is_host(actor, meeting)
        may_begin = is_host or meeting.entry == "open"
        return Entry(meeting.org_id, "host" if is_host else "guest", may_begin)

    async def invited(
        self, meeting_id: str, invitation_id: str, device: bytes, binding: bytes
    ) -> Invited:
        standing = await invitations.bind(self._app, meeting_id, invitation_id, device, binding)
        self._app.use(MeetingsMetrics).invited.labels(standing.outcome).inc()
        return Invited(standing.outcome, standing.device, standing.is_cohost)

    async def ticket(self, meeting_id: str, identity: str, role: MemberRole, media: int) -> Ticket:
        async with self._app.db.read() as session:
            meeting = await policy.require_open(session, meeting_id)
        connection = self._app.use(MediaEngine).mint(
            meeting.id, identity, permission=permission_of(media)
        )
        self._app.use(MeetingsMetrics).joins.labels(role).inc()
        return Ticket(connection.url, connection.token)
