from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from redis import Redis, RedisError

from fixlip.redis_server import RedisServer
from service.jobs._ledger import Fields
from service.jobs.connection import connect
from service.jobs.errors import JobNotFoundError, JobUnreadableError
from service.jobs.estimates import UNKNOWN, Estimator
from service.jobs.records import Job, JobInput, JobModel, JobStatus
from service.jobs.repository import JobRepository
from service.reading import JobReader


class CountingRepository(JobRepository):
    """Counts the round trips."""

    trips = 0

    def fetch(self, job_ids: Sequence[str]) -> list[Fields]:
        self.trips += 1
        return super().fetch(job_ids)


def new_job() -> Job:
    return Job(
        model=JobModel(id="demo", revision="sha256:0123456789abcdef"),
        method="fixlip",
        params={},
        input=JobInput(image_sha256="0" * 64, caption="a red circle"),
    )


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with connect(redis_url, timeout_s=5) as client:
        yield client


@pytest.fixture
def repository(redis: Redis) -> CountingRepository:
    return CountingRepository(redis)


@pytest.fixture
def reader(repository: CountingRepository, redis: Redis) -> JobReader:
    return JobReader(repository, Estimator(redis))


def test_those_who_ask_at_once_share_round_trips_and_each_gets_its_own(
    repository: CountingRepository, reader: JobReader
) -> None:
    jobs = [new_job() for _ in range(250)]
    for job in jobs:
        repository.create(job, tenant="acme")

    async def ask() -> list[str]:
        rows = await asyncio.gather(*(reader.row(job.id, tenant="acme") for job in jobs))
        return [row.job.id for row in rows]

    assert asyncio.run(ask()) == [job.id for job in jobs]
    assert repository.trips == 3


@pytest.mark.parametrize("job_id", ["0" * 32, "no id", "queued"])
def test_a_job_that_is_not_there_spoils_nothing_for_the_others(
    repository: CountingRepository, reader: JobReader, job_id: str
) -> None:
    job = new_job()
    repository.create(job, tenant="acme")

    async def ask() -> list[object]:
        asked = [(job.id, "acme"), (job_id, "acme"), (job.id, "other"), (job.id, "acme")]
        return list(
            await asyncio.gather(*(reader.row(id_, tenant=tenant) for id_, tenant in asked), return_exceptions=True)
        )

    first, missing, foreign, last = asyncio.run(ask())
    assert first == last == repository.row(job.id)
    assert isinstance(missing, JobNotFoundError)
    assert isinstance(foreign, JobNotFoundError)


def test_a_record_that_cannot_be_read_is_told(repository: CountingRepository, reader: JobReader, redis: Redis) -> None:
    job = new_job()
    repository.create(job, tenant="acme")
    redis.hset(f"fixlip:job:{job.id}", "metrics", b'{"colour": "blue"}')

    with pytest.raises(JobUnreadableError):
        asyncio.run(reader.row(job.id, tenant="acme"))


def test_without_redis_everybody_is_told_and_later_everybody_answered(tmp_path: Path) -> None:
    with RedisServer(tmp_path) as server, connect(server.url, timeout_s=2) as redis:
        repository, job = CountingRepository(redis), new_job()
        reader = JobReader(repository, Estimator(redis))
        repository.create(job, tenant="acme")
        row = repository.row(job.id)

        async def ask() -> None:
            server.stop()
            answers = await asyncio.gather(
                *(reader.row(job.id, tenant="acme") for _ in range(5)), return_exceptions=True
            )
            assert all(isinstance(answer, RedisError) for answer in answers)
            assert await reader.estimate(row) == UNKNOWN
            server.start()
            assert (await reader.row(job.id, tenant="acme")).job.status is JobStatus.QUEUED

        asyncio.run(ask())


def test_many_who_ask_a_redis_that_is_silent_wait_for_one_time_out(
    repository: CountingRepository, reader: JobReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(job_ids: Sequence[str]) -> list[Fields]:
        repository.trips += 1
        time.sleep(0.05)
        raise RedisError("timed out")

    monkeypatch.setattr(repository, "fetch", silent)

    async def ask() -> list[object]:
        return list(
            await asyncio.gather(*(reader.row("0" * 32, tenant="acme") for _ in range(500)), return_exceptions=True)
        )

    assert {type(answer) for answer in asyncio.run(ask())} == {RedisError}
    assert repository.trips == 1


def test_one_who_leaves_is_not_waited_for(repository: CountingRepository, reader: JobReader) -> None:
    job = new_job()
    repository.create(job, tenant="acme")

    async def ask() -> None:
        leaving = asyncio.ensure_future(reader.row(job.id, tenant="acme"))
        staying = asyncio.ensure_future(reader.row(job.id, tenant="acme"))
        await asyncio.sleep(0)
        leaving.cancel()
        assert (await staying).job.id == job.id

    asyncio.run(ask())
