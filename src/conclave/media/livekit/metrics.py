"""Prometheus figures of the engine `livekit` (docs/reference/metrics.md, "LiveKit cluster").

Must never carry a room, an identity or an address as a label.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter


class ClusterCounters:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.calls = Counter(
            "conclave_livekit_calls",
            "Calls of the cluster's RoomService, by method and outcome",
            ["method", "outcome"],
            registry=registry,
        )
        self.webhooks = Counter(
            "conclave_livekit_webhooks",
            "Webhooks of the cluster, by what came of them",
            ["outcome"],
            registry=registry,
        )
        self.missed = Counter(
            "conclave_livekit_missed_events",
            "Room events that no webhook told of, found by asking",
            registry=registry,
        )
        self.removed = Counter(
            "conclave_livekit_removed",
            "Participants removed because the gate did not consent",
            registry=registry,
        )

    def called(self, method: str, outcome: str) -> None:
        self.calls.labels(method, outcome).inc()
