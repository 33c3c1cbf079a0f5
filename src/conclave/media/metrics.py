"""Prometheus figures of the media slice (docs/reference/metrics.md, section "Media").

Counters of the transport are read when somebody scrapes; signalling counts as it goes. Must never
carry a room, an identity or an address as a label.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from conclave.media.signal_engine import SignalEngine


class SignalCounters:
    """Counted by the shell as it carries out effects."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.joins = Counter(
            "conclave_media_joins", "Participants that have joined a room", registry=registry
        )
        self.resumes = Counter(
            "conclave_media_resumes",
            "Reconnect requests, by what came of them",
            ["outcome"],
            registry=registry,
        )
        self.left = Counter(
            "conclave_media_left",
            "Participants that are gone, by LiveKit's disconnect reason",
            ["reason"],
            registry=registry,
        )
        self.refused = Counter(
            "conclave_media_refused",
            "Joins, sockets and transports turned down, by reason",
            ["reason"],
            registry=registry,
        )
        self.malformed = Counter(
            "conclave_media_malformed",
            "Requests and frames that could not be used, by kind",
            ["kind"],
            registry=registry,
        )
        self.api_calls = Counter(
            "conclave_media_api_calls",
            "Calls of LiveKit's RoomService, by method and what came of them",
            ["method", "code"],
            registry=registry,
        )
        self.slow_sockets = Counter(
            "conclave_media_slow_sockets",
            "Signalling sockets closed because their client did not read",
            registry=registry,
        )

    def count(self, counter: str, label: str) -> None:
        if counter == "joins":
            self.joins.inc()
        else:
            family: Counter = getattr(self, counter)
            family.labels(label).inc()


class WebhookCounters:
    """Counted by `webhooks.delivery`; there, and nothing, also while no receiver is configured."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.sent = Counter(
            "conclave_webhooks_sent", "Webhook events that a receiver has taken", registry=registry
        )
        self.failed = Counter(
            "conclave_webhooks_failed",
            "Attempts to send a webhook event that failed",
            registry=registry,
        )
        self.given_up = Counter(
            "conclave_webhooks_given_up",
            "Webhook events that no receiver will get any more",
            registry=registry,
        )
        self.waiting = Gauge(
            "conclave_webhooks_waiting", "Webhook events still to be sent", registry=registry
        )


class TransportCollector(Collector):
    """Turns `Transport.stats()` and the machine's own counts into metrics, per scrape."""

    def __init__(self, engine: SignalEngine) -> None:
        self._engine = engine

    def collect(self) -> Iterable[Metric]:
        counts = self._engine.machine.counts()
        yield GaugeMetricFamily("conclave_media_rooms", "Rooms open now", counts["rooms"])
        yield GaugeMetricFamily(
            "conclave_media_participants", "Participants in rooms now", counts["participants"]
        )
        yield GaugeMetricFamily("conclave_media_tracks", "Tracks known now", counts["tracks"])
        stats: Mapping[str, Any] = self._engine.stats()
        shards: list[Mapping[str, Any]] = list(stats.get("shards", []))
        queue = GaugeMetricFamily(
            "conclave_media_queue_depth",
            "Entries waiting between loop and shards",
            labels=["queue"],
        )
        queue.add_metric(["events"], int(stats.get("event_queue", 0)))
        queue.add_metric(["commands"], _sum(shards, "command_queue"))
        yield queue
        yield CounterMetricFamily(
            "conclave_media_events_lost",
            "Transport events dropped because the loop did not keep up",
            int(stats.get("events_lost", 0)),
        )
        for name, words, keys in _DIRECTED:
            family = CounterMetricFamily(f"conclave_media_{name}", words, labels=["direction"])
            for direction in ("in", "out"):
                family.add_metric([direction], _sum(shards, f"{keys}_{direction}"))
            yield family
        for name, words in _PLAIN:
            yield CounterMetricFamily(f"conclave_media_{name}", words, _sum(shards, name))
        dropped = CounterMetricFamily(
            "conclave_media_datagrams_dropped",
            "Datagrams that nobody could use, by reason",
            labels=["reason"],
        )
        for reason, number in sorted(_dropped(shards).items()):
            dropped.add_metric([reason], number)
        yield dropped
        cpu = CounterMetricFamily(
            "conclave_media_shard_cpu_seconds", "Processor time of a shard", labels=["shard"]
        )
        for index, shard in enumerate(shards):
            cpu.add_metric([str(index)], float(shard.get("cpu_seconds", 0.0)))
        yield cpu


_DIRECTED = (
    ("packets", "RTP packets", "packets"),
    ("bytes", "Bytes in datagrams", "bytes"),
    ("packets_lost", "RTP packets reported lost", "packets_lost"),
    ("retransmissions", "RTX packets", "rtx"),
    ("nacks", "Packets asked for again", "nacks"),
    ("keyframe_requests", "PLI and FIR messages", "plis"),
    ("data_packets", "Data channel messages", "data"),
)
_PLAIN = (
    ("data_dropped", "Data channel messages that could not be delivered"),
    ("panics", "Faults held by a participant's guard"),
)


def _sum(shards: Iterable[Mapping[str, Any]], key: str) -> int:
    return sum(int(shard.get(key, 0)) for shard in shards)


def _dropped(shards: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for shard in shards:
        for reason, number in shard.get("datagrams_dropped", {}).items():
            totals[reason] = totals.get(reason, 0) + int(number)
    return totals
