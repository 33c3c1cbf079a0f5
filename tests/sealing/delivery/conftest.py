"""Stages of the delivery service; stopped at the end of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from conclave.settings import Settings
from tests.sealing.delivery.stage import SealingStage


@pytest.fixture
async def new_sealing_stage(tmp_path: Path) -> AsyncIterator[Callable[..., SealingStage]]:
    stages: list[SealingStage] = []

    def make(settings: Settings, **options: object) -> SealingStage:
        stages.append(SealingStage(settings, tmp_path / "static", **options))  # type: ignore[arg-type]
        return stages[-1]

    yield make
    for stage in stages:
        await stage.stop()


@pytest.fixture
async def sealed(
    settings: Settings, new_sealing_stage: Callable[..., SealingStage]
) -> SealingStage:
    stage = new_sealing_stage(settings)
    await stage.start()
    return stage
