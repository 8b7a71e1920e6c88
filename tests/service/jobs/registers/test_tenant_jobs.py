from __future__ import annotations

import pytest
from redis import Redis

from service.jobs.records import Job, JobInput, JobModel, JobStatus
from service.jobs.registers.tenant_jobs import member_of
from service.jobs.repository import JobRepository

JOBS, QUEUED = "fixlip:tenant:acme:jobs", "fixlip:tenant:acme:queued"


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return Redis.from_url(redis_url)


@pytest.fixture
def repository(redis: Redis) -> JobRepository:
    return JobRepository(redis)


def new_job(status: JobStatus = JobStatus.QUEUED) -> Job:
    return Job(
        status=status,
        model=JobModel(id="demo", revision="sha256:0"),
        method="fixlip",
        params={},
        input=JobInput(image_sha256="0" * 64, caption="a circle"),
    )


def test_names_sort_by_age() -> None:
    job = new_job()
    older = job.model_copy(update={"created_at": job.created_at.replace(year=2001)})  # fewer digits in its instant

    assert member_of(older) < member_of(job)
    assert member_of(job).endswith(f":{job.id}")


def test_a_job_is_listed_from_its_beginning_until_it_is_removed(repository: JobRepository, redis: Redis) -> None:
    job = new_job()
    repository.create(job, tenant="acme")
    assert redis.zrange(JOBS, 0, -1) == [member_of(job).encode()]
    assert redis.smembers(QUEUED) == {job.id.encode()}

    claim = repository.claim(job.id, "w1", ttl_s=60)
    assert claim is not None
    assert redis.scard(QUEUED) == 0
    assert repository.cancel(claim.lease)
    assert redis.zcard(JOBS) == 1

    repository.delete(job.id, tenant="acme")
    assert not redis.exists(JOBS, QUEUED)


def test_a_job_that_goes_back_to_the_queue_waits_again(repository: JobRepository, redis: Redis) -> None:
    job = new_job()
    repository.create(job, tenant="acme")
    claim = repository.claim(job.id, "w1", ttl_s=60)
    assert claim is not None

    assert repository.retry_later(claim.lease, delay_s=60)

    assert redis.smembers(QUEUED) == {job.id.encode()}


def test_a_job_that_is_created_twice_is_listed_once(repository: JobRepository, redis: Redis) -> None:
    job = new_job()
    assert repository.create(job, tenant="acme")
    assert not repository.create(job, tenant="other")

    assert (redis.zcard(JOBS), redis.scard(QUEUED)) == (1, 1)
    assert not redis.exists("fixlip:tenant:other:jobs")


def test_a_job_that_is_born_final_never_waits(repository: JobRepository, redis: Redis) -> None:
    repository.create(new_job(JobStatus.SUCCEEDED), tenant="acme")

    assert (redis.zcard(JOBS), redis.scard(QUEUED)) == (1, 0)
