from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from service.jobs.batches.repository import BatchRepository
from service.jobs.connection import connect
from service.jobs.queue import JobQueue
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from service.jobs.storage.bundles import BundleStore
from tests.support.batches import HandWorker


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with connect(redis_url, timeout_s=5) as client:
        yield client


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> JobSettings:
    return JobSettings(redis_url=redis_url, data_dir=tmp_path, heartbeat_s=0.1, batch_window=4)


@pytest.fixture
def store(redis: Redis, settings: JobSettings) -> BundleStore:
    return BundleStore.open(settings, redis)


@pytest.fixture
def batches(redis: Redis, settings: JobSettings, store: BundleStore) -> BatchRepository:
    return BatchRepository(redis, settings, store)


@pytest.fixture
def jobs(redis: Redis, settings: JobSettings) -> JobRepository:
    return JobRepository.of(settings, redis)


@pytest.fixture
def queue(redis: Redis, settings: JobSettings) -> JobQueue:
    return JobQueue(redis, settings)


@pytest.fixture
def worker(redis: Redis, settings: JobSettings) -> HandWorker:
    return HandWorker(redis, settings)
