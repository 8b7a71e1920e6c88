"""A worker's runtime on the session's Redis, with the fake encoder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from service.jobs.connection import connect
from tests.support.fake_encoder import FakeEncoder
from worker.runtime import Runtime, install_runtime
from worker.settings import WorkerSettings
from worker.stopping import Stop


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> WorkerSettings:
    """Settings of a worker on the session's Redis."""
    return WorkerSettings(redis_url=redis_url, data_dir=tmp_path, models=("fake",), heartbeat_s=0.2, grace_s=0.3)


@pytest.fixture
def connection(redis_url: str) -> Iterator[Redis]:
    """A connection as the worker makes it."""
    with connect(redis_url, timeout_s=5) as client:
        yield client


@pytest.fixture
def runtime(settings: WorkerSettings, connection: Redis) -> Runtime:
    """The runtime that tasks of this process find."""
    encoder = FakeEncoder()
    runtime = Runtime(
        settings=settings, redis=connection, encoders={encoder.card.id: encoder}, stop=Stop(settings.grace_s)
    )
    install_runtime(runtime)
    return runtime
