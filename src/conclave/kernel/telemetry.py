"""Logs and metrics.

One log line is a static message and keys. Keys that end in `_pii` hold personal data and are
dropped unless `CONCLAVE_LOG__PII` is on. Other libraries' records pass through the same output at
warning level and above. Must never see a key, token, link secret or full address in the first
place: this is the last sieve, not the first.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Literal, TextIO

import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["auto", "console", "json"]


def configure_logging(
    *, form: Format = "auto", level: str = "info", pii: bool = False, out: TextIO | None = None
) -> None:
    """Once per process. `auto` is the console form on a terminal and JSON elsewhere."""
    out = out or sys.stderr
    as_json = form == "json" or (form == "auto" and not out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not pii:
        shared.append(drop_personal_data)
    last: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        # Never with locals: a frame may hold a token.
        else [
            structlog.dev.ConsoleRenderer(
                colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    number = getattr(logging, level.upper())
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))


def drop_personal_data(_logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
    for key in [key for key in event if key.endswith("_pii")]:
        del event[key]
    return event


def new_metrics(*, process: bool = True) -> CollectorRegistry:
    """A registry of an App's own; `process` adds CPU time, memory and descriptors."""
    registry = CollectorRegistry(auto_describe=True)
    if process:
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
    return registry
