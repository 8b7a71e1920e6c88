"""Who is to blame for a lost worker: a suspect is run alone, and fails when it has cost two workers so."""

from __future__ import annotations

import time

import pytest

from service.jobs.leases import Claim
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobStatus
from service.jobs.repository import JobRepository


def lose(repository: JobRepository, queue: JobQueue, job: Job, *, alone: bool) -> tuple[Claim, JobStatus | None]:
    """A worker begins the job and dies."""
    claim = repository.claim(job.id, "w/1", ttl_s=0.01)
    assert claim is not None
    if alone:
        assert repository.mark_alone(claim.lease)
    time.sleep(0.02)
    return claim, repository.take_back(job.id, queue=queue)


def test_a_lost_job_is_a_suspect_first_in_the_queue(repository: JobRepository, queue: JobQueue, job: Job) -> None:
    repository.create(job, queue=queue, cost_passes=9)

    first, status = lose(repository, queue, job, alone=False)

    assert (first.suspect, status) == (False, JobStatus.QUEUED)
    assert repository.queue_state().queued_passes == 9
    again = repository.claim(job.id, "w/2", ttl_s=60)
    assert again is not None
    assert (again.suspect, again.lease.attempt) == (True, 2)


def test_a_job_that_was_not_alone_is_never_to_blame(repository: JobRepository, queue: JobQueue, job: Job) -> None:
    repository.create(job, queue=queue)

    assert {lose(repository, queue, job, alone=False)[1] for _ in range(5)} == {JobStatus.QUEUED}


def test_a_job_that_costs_two_workers_while_alone_fails(repository: JobRepository, queue: JobQueue, job: Job) -> None:
    repository.create(job, queue=queue, cost_passes=9)

    statuses = [lose(repository, queue, job, alone=alone)[1] for alone in (False, True, False, True)]

    assert statuses == [JobStatus.QUEUED] * 3 + [JobStatus.FAILED]
    failed = repository.get(job.id)
    assert failed.error is not None
    assert failed.error.code == "worker_lost"
    assert failed.error.detail.startswith("4 workers ended without notice while they ran the job, 2 of them with no")
    assert failed.completed_at is not None
    assert repository.queue_state().queued_passes == 0


def test_having_been_alone_is_forgotten_with_the_run(repository: JobRepository, queue: JobQueue, job: Job) -> None:
    repository.create(job, queue=queue)
    claim = repository.claim(job.id, "w/1", ttl_s=60)
    assert claim is not None
    repository.mark_alone(claim.lease)
    repository.hand_back(claim.lease, queue=queue)

    assert {lose(repository, queue, job, alone=False)[1] for _ in range(3)} == {JobStatus.QUEUED}


@pytest.mark.parametrize(("alone", "status"), [(False, JobStatus.QUEUED), (True, JobStatus.FAILED)])
def test_a_lost_device_counts_like_a_lost_worker(
    repository: JobRepository, queue: JobQueue, job: Job, alone: bool, status: JobStatus
) -> None:
    repository.create(job, queue=queue)
    for _ in range(2):
        claim = repository.claim(job.id, "w/1", ttl_s=60)
        assert claim is not None
        assert repository.give_up(claim.lease, alone=alone, queue=queue)

    assert repository.get(job.id).status is status
    assert repository.claim(job.id, "w/1", ttl_s=60) is None or status is JobStatus.QUEUED


def test_retries_and_handing_back_are_no_losses(repository: JobRepository, queue: JobQueue, job: Job) -> None:
    repository.create(job, queue=queue)
    for k in range(6):
        claim = repository.claim(job.id, "w/1", ttl_s=60)
        assert claim is not None
        assert (claim.suspect, claim.retries) == (False, k // 2)
        if k % 2:
            repository.retry_later(claim.lease, delay_s=60)
        else:
            repository.hand_back(claim.lease, queue=queue)
