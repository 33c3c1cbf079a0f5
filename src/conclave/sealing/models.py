"""Tables of the delivery service. All rows of a sitting go when it ends.

What members said is in `frame`, encrypted by them. Must never hold a name, a key or a token: of a
seat's resume secret the SHA-256 only.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from conclave.kernel.db import Base
from conclave.kernel.models import Timestamp

_ID = String(40)
IDENTITY = String(22)


class SealingInstance(Base):
    """At most one for a meeting: making one is an insert that only one can win."""

    __tablename__ = "sealing_instances"
    __table_args__ = (Index(None, "meeting_id", unique=True), Index(None, "empty_since_at"))

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    meeting_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(String(22))
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    epoch: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int] = mapped_column(BigInteger)
    pos: Mapped[int] = mapped_column(BigInteger)
    floor_seq: Mapped[int] = mapped_column(BigInteger)
    floor_pos: Mapped[int] = mapped_column(BigInteger)
    settled: Mapped[int] = mapped_column(BigInteger)
    empty_since_at: Mapped[datetime | None] = mapped_column(Timestamp)
    open_commits: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    media: Mapped[int] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(BigInteger)


class SealingSeat(Base):
    """Who knocks, who is a member, and who left but still has a leaf."""

    __tablename__ = "sealing_seats"
    __table_args__ = (
        Index(None, "meeting_id", "identity"),
        Index(None, "worker", "seen_at"),
        Index(None, "state", "lost_at"),
    )

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    meeting_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    id: Mapped[str] = mapped_column(_ID, primary_key=True)
    resume_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    role: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10))
    worker: Mapped[str | None] = mapped_column(_ID)
    seen_at: Mapped[datetime] = mapped_column(Timestamp)
    """When the process that holds its socket was last heard of."""
    lost_at: Mapped[datetime | None] = mapped_column(Timestamp)
    connection: Mapped[int] = mapped_column(Integer)
    since_pos: Mapped[int] = mapped_column(BigInteger)
    since_seq: Mapped[int] = mapped_column(BigInteger)
    granted: Mapped[str | None] = mapped_column(String(10))
    identity: Mapped[str | None] = mapped_column(IDENTITY)
    acked: Mapped[int] = mapped_column(BigInteger)
    nacked: Mapped[str | None] = mapped_column(String(43))
    knock: Mapped[dict[str, str] | None] = mapped_column(JSON(none_as_null=True))
    media: Mapped[int | None] = mapped_column(Integer)


class SealingRow(Base):
    """The log of a sitting, bounded."""

    __tablename__ = "sealing_log"
    __table_args__ = (Index(None, "org_id", "meeting_id", "seq"),)

    org_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    meeting_id: Mapped[str] = mapped_column(_ID, primary_key=True)
    pos: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(12))
    seat: Mapped[str | None] = mapped_column(_ID)
    sender: Mapped[str | None] = mapped_column(_ID)
    size: Mapped[int] = mapped_column(Integer)
    frame: Mapped[str] = mapped_column(Text)
