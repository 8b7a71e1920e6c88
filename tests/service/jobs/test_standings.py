from __future__ import annotations

import pytest
from redis import Redis

from service.jobs.connection import connect
from service.jobs.records import Job, JobInput, JobModel, JobProgress, JobStatus
from service.jobs.repository import JobRepository
from service.jobs.standings import Standing, Standings


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return connect(redis_url, timeout_s=1)


def new_job(repository: JobRepository) -> Job:
    image = JobInput(image_sha256="0" * 64, caption="a red circle")
    job = Job(model=JobModel(id="demo", revision="sha256:0"), method="fixlip", params={}, input=image)
    assert repository.create(job)
    return job


def test_it_reads_what_the_repository_writes(redis: Redis) -> None:
    repository, standings = JobRepository(redis), Standings(redis)
    queued, running = new_job(repository), new_job(repository)
    claim = repository.claim(running.id, "w1", ttl_s=60)
    assert claim is not None
    repository.renew([claim.lease], ttl_s=60, progress={claim.lease: JobProgress(completed=3, total=10)})

    found = standings.read([queued.id, running.id, "0" * 32])

    assert found == {
        queued.id: Standing.of(queued),
        running.id: Standing(JobStatus.RUNNING, 1, 3, 10),
        "0" * 32: None,
    }
    assert found[running.id] == Standing.of(repository.get(running.id))


def test_a_record_that_cannot_be_read_hides_no_other(redis: Redis) -> None:
    repository = JobRepository(redis)
    jobs = [new_job(repository) for _ in range(4)]
    for job, (field, value) in zip(jobs, [("status", '"asleep"'), ("progress", "[]"), ("attempt", "x")], strict=False):
        redis.hset(f"fixlip:job:{job.id}", field, value)

    assert Standings(redis).read([job.id for job in jobs]) == {jobs[3].id: Standing.of(jobs[3])}


def test_of_no_jobs_nothing_is_read(redis: Redis) -> None:
    assert Standings(redis).read([]) == {}
