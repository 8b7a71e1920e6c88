from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from service.jobs.catalogue import Catalogue
from service.jobs.connection import connect
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobInput, JobModel
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with connect(redis_url, timeout_s=5) as client:
        yield client


@pytest.fixture
def repository(redis: Redis) -> JobRepository:
    return JobRepository(redis)


@pytest.fixture
def catalogue(redis: Redis) -> Catalogue:
    return Catalogue(redis)


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> JobSettings:
    return JobSettings(redis_url=redis_url, data_dir=tmp_path, heartbeat_s=0.1)


@pytest.fixture
def queue(redis: Redis, settings: JobSettings) -> JobQueue:
    return JobQueue(redis, settings)


@pytest.fixture
def job() -> Job:
    return Job(
        model=JobModel(id="demo", revision="sha256:0123456789abcdef"),
        method="fixlip",
        params={"p": 0.5, "budget": 64, "seed": 0},
        input=JobInput(image_sha256="0" * 64, caption="a red circle"),
        metadata={"run": "7"},
    )
