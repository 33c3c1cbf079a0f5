"""Prometheus figures of the delivery service (docs/reference/metrics.md, section "Sealing").

Must never carry a meeting, a seat or an address as a label.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge


class SealingMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.sockets = Gauge(
            "conclave_sealing_sockets", "Open sealing sockets of this process", registry=registry
        )
        self.meetings = Gauge(
            "conclave_sealing_meetings",
            "Meetings with sealing sockets in this process",
            registry=registry,
        )
        self.frames = Counter(
            "conclave_sealing_frames_total",
            "Frames from clients, by type; unreadable ones as malformed",
            ["type"],
            registry=registry,
        )
        self.refusals = Counter(
            "conclave_sealing_refusals_total",
            "Requests and sockets refused, by code",
            ["code"],
            registry=registry,
        )
        self.byes = Counter(
            "conclave_sealing_byes_total",
            "Sockets closed by the server, by reason",
            ["reason"],
            registry=registry,
        )
        self.resumes = Counter(
            "conclave_sealing_resumes_total",
            "Seats asked for again, by outcome",
            ["outcome"],
            registry=registry,
        )
        self.commits = Counter(
            "conclave_sealing_commits_total", "Commits that won their epoch", registry=registry
        )
        self.reopenings = Counter(
            "conclave_sealing_reopenings_total",
            "Commits undone because most members could not apply them",
            registry=registry,
        )
        self.delivered = Counter(
            "conclave_sealing_delivered_total",
            "Rows of logs put into sockets' queues",
            registry=registry,
        )
        self.instances_ended = Counter(
            "conclave_sealing_instances_ended_total",
            "Sittings ended, by reason",
            ["reason"],
            registry=registry,
        )
