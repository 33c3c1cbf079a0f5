"""The web client's MLS engine in one Node process, for all tests of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sealing.engines import NodeProcess


@pytest.fixture(scope="session")
def node() -> Iterator[NodeProcess]:
    process = NodeProcess()
    yield process
    process.stop()
