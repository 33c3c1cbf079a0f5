"""Tables of the kernel: the event log, where each consumer stands, and the schema's version."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Index, Integer, String, TypeDecorator
from sqlalchemy.orm import Mapped, mapped_column

from conclave.kernel.db import Base


class Timestamp(TypeDecorator[datetime]):
    """An aware UTC time. SQLite stores no zone: it is given back here. Naive ones are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: object) -> datetime | None:
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a naive datetime never reaches the database"
            raise ValueError(msg)
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: object) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class OutboxEvent(Base):
    __tablename__ = "outbox_events"
    # `seq` leads: this is the program's own log, read across organisations in order.
    __table_args__ = (Index(None, "org_id", "seq"),)

    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(String(40), unique=True)
    org_id: Mapped[str] = mapped_column(String(40))
    type: Mapped[str] = mapped_column(String(80))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    occurred_at: Mapped[datetime] = mapped_column(Timestamp)


class OutboxCursor(Base):
    """How far a consumer has come. The row `head` holds the last sequence number given out."""

    __tablename__ = "outbox_cursors"

    consumer: Mapped[str] = mapped_column(String(80), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)


class SchemaVersion(Base):
    """One row: which schema this is, and the oldest program (by its version) that can use it."""

    __tablename__ = "schema_version"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(Integer)
    compat: Mapped[int] = mapped_column(Integer)
