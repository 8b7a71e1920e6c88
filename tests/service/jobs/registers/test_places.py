from __future__ import annotations

import pytest
from redis import Redis

from service.jobs.queue import JobQueue
from service.jobs.records import Job, new_job_id
from service.jobs.repository import JobRepository


@pytest.fixture
def jobs(repository: JobRepository, queue: JobQueue, job: Job) -> list[Job]:
    """Three jobs in the queue, of 10, 20 and 30 passes."""
    made = [job.model_copy(update={"id": new_job_id()}) for _ in range(3)]
    for cost_passes, one in zip((10, 20, 30), made, strict=True):
        repository.create(one, queue=queue, cost_passes=cost_passes)
    return made


def places(redis: Redis, jobs: list[Job]) -> list[float | None]:
    return [redis.zscore("fixlip:places", job.id) for job in jobs]


def test_a_place_is_the_passes_of_all_that_entered_before(
    repository: JobRepository, redis: Redis, jobs: list[Job]
) -> None:
    assert places(redis, jobs) == [0, 10, 30]
    assert [repository.row(job.id).books.place for job in jobs] == [0, 10, 30]


def test_a_job_that_is_begun_or_canceled_has_no_place_any_more(
    repository: JobRepository, redis: Redis, queue: JobQueue, jobs: list[Job]
) -> None:
    repository.claim(jobs[0].id, "w/1", ttl_s=60)
    repository.request_cancel(jobs[1].id, queue=queue)

    assert places(redis, jobs) == [None, None, 30]


def test_a_job_that_comes_back_is_the_first_and_moves_no_other(
    repository: JobRepository, redis: Redis, queue: JobQueue, jobs: list[Job]
) -> None:
    claim = repository.claim(jobs[0].id, "w/1", ttl_s=60)
    assert claim is not None
    repository.hand_back(claim.lease, queue=queue)

    assert places(redis, jobs) == [0, 10, 30]

    claim = repository.claim(jobs[1].id, "w/1", ttl_s=60)
    assert claim is not None
    repository.hand_back(claim.lease, queue=queue)

    assert places(redis, jobs) == [0, -20, 30]
    assert repository.row(jobs[1].id).books.place == -20


def test_a_job_that_is_put_off_goes_behind_the_others(
    repository: JobRepository, redis: Redis, queue: JobQueue, jobs: list[Job]
) -> None:
    repository.put_off(jobs[0].id, delay_s=60)
    assert places(redis, jobs) == [None, 10, 30]

    repository.promote(jobs[0].id, entry=None, queue=queue)
    assert places(redis, jobs) == [60, 10, 30]


def test_in_an_empty_queue_a_job_that_comes_back_takes_the_next_place(
    repository: JobRepository, redis: Redis, queue: JobQueue, job: Job
) -> None:
    repository.create(job, queue=queue, cost_passes=7)
    claim = repository.claim(job.id, "w/1", ttl_s=60)
    assert claim is not None
    repository.hand_back(claim.lease, queue=queue)

    assert places(redis, [job]) == [7]
