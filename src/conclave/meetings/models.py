"""Tables of meetings. Names of people are not in them: they live in the token and in memory. Titles
are, as bytes that only browsers with the whole link can open."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from conclave.kernel.db import Base
from conclave.kernel.models import Timestamp

_ID = String(40)


class Meeting(Base):
    __tablename__ = "meetings"
    __table_args__ = (Index(None, "id"), Index(None, "org_id", "ended_at", "opened_at"))

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
    sealed_title: Mapped[bytes | None] = mapped_column(LargeBinary)
    """None without a title, and after the end."""
