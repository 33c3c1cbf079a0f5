"""The audit log: one line for each organisation, each entry sealed to the one before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from conclave.kernel.db import Base
from conclave.kernel.models import Timestamp

_ID = String(40)


class AuditEntry(Base):
    __tablename__ = "audit_log"
    __table_args__ = (
        Index(None, "org_id", "event_id", unique=True),
        Index(None, "org_id", "meeting_id", "number"),
    )

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """Counts from 1; a gap means that something was taken out."""
    event_id: Mapped[str] = mapped_column(_ID)
    """Of the domain event: it may come twice."""
    at: Mapped[datetime] = mapped_column(Timestamp)
    type: Mapped[str] = mapped_column(String(80))
    user_id: Mapped[str | None] = mapped_column(_ID)
    meeting_id: Mapped[str | None] = mapped_column(_ID)
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))
