"""Webhooks at work: taken from the engine, stored, sent lane by lane, tried again, given up.

At least once: what was sent but could not be noted as such comes again with the same id. Must never
hold up the engine (`take` only notes) nor let one receiver or room hold up another.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence

import structlog
from google.protobuf import json_format
from livekit.protocol import webhook

from conclave.kernel.clock import Clock
from conclave.kernel.db import Database
from conclave.kernel.errors import Unavailable
from conclave.kernel.tasks import wait_at_most
from conclave.media.metrics import WebhookCounters
from conclave.media.webhooks.lanes import Delivery, Lanes
from conclave.media.webhooks.sender import WebhookSender
from conclave.media.webhooks.store import WebhookDelivery, WebhookStore

INCOMING_LIMIT = 10_000
"""Events held in memory while the database cannot take them."""
BATCH = 200
LOOK_S = 0.5
FAREWELL_S = 2.0
"""How long a stop waits for requests under way and for what is due; the rest is sent at the next
start."""

log = structlog.get_logger()


class Webhooks:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        counters: WebhookCounters,
        urls: Sequence[str],
        sender: WebhookSender,
    ) -> None:
        self._store = WebhookStore(db)
        self._clock = clock
        self._counters = counters
        self._urls = tuple(dict.fromkeys(urls))
        self._sender = sender
        self._lanes = Lanes()
        self._incoming: deque[webhook.WebhookEvent] = deque()
        self._wake = asyncio.Event()
        self._moved = asyncio.Condition()
        self._loop: asyncio.Task[None] | None = None
        self._requests: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    async def start(self) -> None:
        """Take up what an earlier run has left. Raises `Unavailable`."""
        dropped = await self._store.keep_only(self._urls)
        self._counters.given_up.inc(dropped)
        for row in await self._store.load():
            delivery = Delivery(row.seq, row.url, row.room, row.created_at, row.attempts)
            self._lanes.add(delivery, self._clock.monotonic())
        self._count_waiting()
        self._loop = asyncio.create_task(self._run(), name="webhooks")

    def take(self, event: webhook.WebhookEvent) -> None:
        """From the engine, in order."""
        if len(self._incoming) >= INCOMING_LIMIT:
            self._counters.given_up.inc(len(self._urls))
            log.error("webhook event dropped: the database takes nothing")
            return
        self._incoming.append(event)
        self._wake.set()

    def wake(self) -> None:
        """Look again at what is due, after a clock was moved."""
        self._wake.set()

    async def settled(self) -> None:
        """Wait until nothing is under way and nothing is due."""
        self.wake()
        async with self._moved:
            await self._moved.wait_for(self._is_settled)

    def _is_settled(self) -> bool:
        return not self._incoming and self._lanes.is_quiet(self._clock.monotonic())

    async def stop(self) -> None:
        """What has happened is stored; what is due gets a moment; the rest waits for a start."""
        try:
            async with asyncio.timeout(FAREWELL_S):
                await self.settled()
        except TimeoutError:
            log.info("webhooks wait for the next start", waiting=len(self._lanes))
        self._is_stopping = True
        self.wake()
        if self._loop is not None:
            # Asked, not cancelled: it may be at the database.
            await self._loop
        for task in self._requests:
            task.cancel()
        await asyncio.gather(*self._requests, return_exceptions=True)
        await self._sender.close()

    async def _run(self) -> None:
        while not self._is_stopping:
            self._wake.clear()
            try:
                while self._incoming:
                    await self._store_incoming()
            except Unavailable:
                log.warning("webhook events cannot be stored yet", waiting=len(self._incoming))
            except Exception:
                log.exception("webhook events failed")
            self._launch()
            async with self._moved:
                self._moved.notify_all()
            await wait_at_most(self._wake, LOOK_S)

    async def _store_incoming(self) -> None:
        """One batch, in one transaction."""
        batch = [self._incoming[index] for index in range(min(len(self._incoming), BATCH))]
        rows, now = [], self._clock.now()
        accepted = dict.fromkeys(self._urls, 0)
        for event in batch:
            text = json_format.MessageToJson(event, indent=None, ensure_ascii=False)
            for url in self._urls:
                if not self._lanes.has_room(url, beyond=accepted[url]):
                    self._give_up("too many are waiting")
                    continue
                accepted[url] += 1
                rows.append(
                    WebhookDelivery(
                        url=url,
                        room=event.room.name,
                        body=text.encode(),
                        created_at=now,
                        attempts=0,
                    )
                )
        if rows:
            await self._store.add(rows)
        for _ in batch:
            self._incoming.popleft()
        tick = self._clock.monotonic()
        for row in rows:
            self._lanes.add(Delivery(row.seq, row.url, row.room, row.created_at), tick)
        self._count_waiting()

    def _launch(self) -> None:
        for delivery in self._lanes.take(self._clock.monotonic()):
            task = asyncio.create_task(self._deliver(delivery))
            self._requests.add(task)
            task.add_done_callback(self._requests.discard)

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            is_over = await self._attempt(delivery)
        except Unavailable:
            # Not noted: it may come twice, with the same id.
            is_over = False
        except Exception:
            log.exception("webhook delivery failed")
            is_over = False
        tick = self._clock.monotonic()
        if is_over:
            self._lanes.done(delivery, tick)
        else:
            delivery.attempts = max(delivery.attempts, 1)
            self._lanes.put_back(delivery, tick)
        self._count_waiting()
        self._wake.set()

    async def _attempt(self, delivery: Delivery) -> bool:
        """Send it once. True when this delivery is over, one way or the other."""
        if delivery.is_hopeless(self._clock.now()):
            self._give_up("it is too old")
            await self._store.remove(delivery.seq)
            return True
        body = await self._store.body(delivery.seq)
        delivery.attempts += 1
        fault = await self._sender.post(delivery.url, body)
        if not fault:
            self._counters.sent.inc()
            await self._store.remove(delivery.seq)
            return True
        self._counters.failed.inc()
        log.warning(
            "webhook failed",
            receiver=self._urls.index(delivery.url) + 1,
            attempts=delivery.attempts,
            fault=fault,
        )
        if delivery.is_hopeless(self._clock.now()):
            self._give_up("it failed too often")
            await self._store.remove(delivery.seq)
            return True
        await self._store.count_attempt(delivery.seq, delivery.attempts)
        return False

    def _give_up(self, why: str) -> None:
        self._counters.given_up.inc()
        log.error("webhook event given up", why=why)

    def _count_waiting(self) -> None:
        self._counters.waiting.set(len(self._lanes))
