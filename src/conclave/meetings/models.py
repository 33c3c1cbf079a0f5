"""Tables of meetings. Names of people are not in them: they live in the token and in memory. Titles
are, as bytes that only browsers with the whole link can open, and so are plans."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, Index, Integer, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from conclave.kernel.db import Base
from conclave.kernel.models import Timestamp
from conclave.meetings.machine import Keep, Keeping, Occupancy

_ID = String(40)
_OWN = text("is_own_room AND ended_at IS NULL")


class Meeting(Base):
    __tablename__ = "meetings"
    __table_args__ = (
        Index(None, "id"),
        Index(None, "org_id", "ended_at", "opened_at"),
        Index(
            "ix_meetings_own_room",
            "org_id",
            "opened_by",
            unique=True,
            sqlite_where=_OWN,
            postgresql_where=_OWN,
        ),
    )

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    opened_by: Mapped[str] = mapped_column(_ID)
    opened_at: Mapped[datetime] = mapped_column(Timestamp)
    ended_at: Mapped[datetime | None] = mapped_column(Timestamp)
    participants: Mapped[int] = mapped_column(Integer, default=0)
    """How many the engine held when it was last asked: events make it fast, reconciling true."""
    joined_at: Mapped[datetime | None] = mapped_column(Timestamp)
    """When the first participant came; None while nobody has."""
    empty_since_at: Mapped[datetime | None] = mapped_column(Timestamp)
    """Since when nobody is there; None while somebody is."""
    entry: Mapped[str] = mapped_column(String(10), default="open")
    """`open`: whoever has the link; `invited`: once a host is there, whoever has a personal one."""
    sealed_title: Mapped[bytes | None] = mapped_column(LargeBinary)
    """None without a title, and after the end."""
    keep: Mapped[Keep] = mapped_column(String(10), default="while-used")
    """`while-used`: until it has been empty for a while; `until`: at least until `keep_until`;
    `always`: until its host ends it."""
    keep_until: Mapped[datetime | None] = mapped_column(Timestamp)
    """Of `until` alone."""
    sealed_plan: Mapped[bytes | None] = mapped_column(LargeBinary)
    """When it takes place and what it is about; None without a plan, and after the end."""
    is_own_room: Mapped[bool] = mapped_column(Boolean, default=False)
    """The host's room with a link that stays; one for each account."""

    @property
    def occupancy(self) -> Occupancy:
        return Occupancy(self.participants, self.joined_at, self.empty_since_at)

    @property
    def keeping(self) -> Keeping:
        return Keeping(self.keep, self.keep_until)


class Invitation(Base):
    """One person's link: what the host has signed, and the first device that came with it."""

    __tablename__ = "meeting_invitations"
    __table_args__ = (Index(None, "meeting_id", "id"),)

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    meeting_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(String(22), primary_key=True)
    certificate: Mapped[bytes] = mapped_column(LargeBinary)
    """As the host's browser made it; the name in it is sealed."""
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    expires_at: Mapped[datetime | None] = mapped_column(Timestamp)
    revoked_at: Mapped[datetime | None] = mapped_column(Timestamp)
    device: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    """The device key to which it is bound; None: nobody has used it."""
    bound_at: Mapped[datetime | None] = mapped_column(Timestamp)
    refused_at: Mapped[datetime | None] = mapped_column(Timestamp)
    """When another device last came with it: the link was passed on."""
