"""Logs and metrics: what is written, in which form, and what never is."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from prometheus_client import generate_latest

from conclave.kernel.telemetry import configure_logging, new_metrics

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    yield
    configure_logging(form="console", level="warning")


def _lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_one_json_line_for_each_entry() -> None:
    out = io.StringIO()
    configure_logging(form="json", out=out)
    structlog.get_logger().info("meeting opened", meeting_id="mtg_1", name="x\ny")
    (line,) = _lines(out)
    assert line["event"] == "meeting opened"
    assert line["level"] == "info"
    assert line["name"] == "x\ny"
    assert str(line["timestamp"]).endswith("Z")


def test_personal_data_is_dropped_unless_asked_for() -> None:
    out = io.StringIO()
    configure_logging(form="json", out=out)
    structlog.get_logger().info("joined", name_pii="Ada", size=1)
    configure_logging(form="json", pii=True, out=out)
    structlog.get_logger().info("joined", name_pii="Ada", size=1)
    without, with_it = _lines(out)
    assert "name_pii" not in without
    assert with_it["name_pii"] == "Ada"


def test_levels() -> None:
    out = io.StringIO()
    configure_logging(form="json", level="warning", out=out)
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in _lines(out)] == ["loud"]


def test_other_libraries_are_heard_from_warnings_on() -> None:
    out = io.StringIO()
    configure_logging(form="json", out=out)
    logging.getLogger("uvicorn.error").info("chatter")
    logging.getLogger("uvicorn.error").warning("a real problem")
    assert [line["event"] for line in _lines(out)] == ["a real problem"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_errors_come_with_their_traceback_but_without_values(form: str) -> None:
    out = io.StringIO()
    configure_logging(form=form, out=out)  # type: ignore[arg-type]
    token = "the-secret-token"
    try:
        raise ValueError("went wrong")
    except ValueError:
        structlog.get_logger().exception("failed")
    assert "went wrong" in out.getvalue()
    assert token not in out.getvalue()


def test_without_a_terminal_it_is_json() -> None:
    out = io.StringIO()
    configure_logging(form="auto", out=out)
    structlog.get_logger().info("x")
    assert _lines(out)[0]["event"] == "x"


def test_each_app_has_metrics_of_its_own() -> None:
    one, two = new_metrics(), new_metrics(process=False)
    assert b"process_resident_memory_bytes" in generate_latest(one)
    assert generate_latest(two) == b""
