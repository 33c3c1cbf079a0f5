"""The table of webhook deliveries that are still to be made, so that a restart loses none.

A row is one event for one receiver and goes when it is delivered or given up. Must never be read
for what happened in a room: it forgets.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Integer, LargeBinary, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from conclave.kernel.db import Base, Database
from conclave.kernel.models import Timestamp


class WebhookDelivery(Base):
    __tablename__ = "webhook_deliveries"

    # SQLite numbers rows by itself only where the column's type is exactly INTEGER.
    seq: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True
    )
    url: Mapped[str] = mapped_column(String(2048))
    room: Mapped[str] = mapped_column(String(256))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Timestamp)
    attempts: Mapped[int] = mapped_column(Integer, default=0)


class WebhookStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, rows: Sequence[WebhookDelivery]) -> None:
        """Afterwards each row has its `seq`, rising in the order given."""
        async with self._db.transaction() as tx:
            for row in rows:
                # One by one: an insert of many gives the numbers in an order of its own.
                tx.add(row)
                await tx.flush()

    async def load(self) -> list[WebhookDelivery]:
        """All that wait, oldest first, without their bodies."""
        columns = (
            WebhookDelivery.seq,
            WebhookDelivery.url,
            WebhookDelivery.room,
            WebhookDelivery.created_at,
            WebhookDelivery.attempts,
        )
        async with self._db.read() as session:
            rows = await session.execute(select(*columns).order_by(WebhookDelivery.seq))
            return [WebhookDelivery(**row) for row in rows.mappings()]

    async def body(self, seq: int) -> bytes:
        async with self._db.read() as session:
            query = select(WebhookDelivery.body).where(WebhookDelivery.seq == seq)
            return await session.scalar(query) or b""

    async def count_attempt(self, seq: int, attempts: int) -> None:
        async with self._db.transaction() as tx:
            query = update(WebhookDelivery).where(WebhookDelivery.seq == seq)
            await tx.execute(query.values(attempts=attempts))

    async def remove(self, seq: int) -> None:
        async with self._db.transaction() as tx:
            await tx.execute(delete(WebhookDelivery).where(WebhookDelivery.seq == seq))

    async def keep_only(self, urls: Iterable[str]) -> int:
        """Drop what waits for receivers that are not configured any more; how many those were."""
        async with self._db.transaction() as tx:
            query = delete(WebhookDelivery).where(WebhookDelivery.url.not_in(list(urls)))
            dropped = await tx.execute(query.returning(WebhookDelivery.seq))
            return len(dropped.all())
