from __future__ import annotations

import math
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from service.jobs.catalogue import Catalogue
from service.jobs.errors import JobNotFoundError
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobFailure, JobMetrics, JobOutput, JobStatus, new_job_id
from service.jobs.repository import JobRepository

OUTPUT = JobOutput(
    index="WFBII",
    order=2,
    tokens=("red", "circle"),
    grid=(8, 8),
    empty_value=0.5,
    full_value=9.25,
    baseline=0.75,
    estimated_r2=math.nan,
    image_passes=64,
    text_passes=16,
)
METRICS = JobMetrics(queue_s=0.5, run_s=2.0, forward_passes=80)
FAILURE = JobFailure(code="weights_not_found", detail="no weights")


def test_a_record_reads_back_as_it_was_created(repository: JobRepository, job: Job) -> None:
    repository.create(job)

    assert repository.get(job.id) == job


@pytest.mark.parametrize("job_id", ["", "../../etc/passwd", "A" * 32, "0" * 31, "0" * 32, "0" * 32 + "\n"])
def test_get_refuses_ids_that_are_unknown_or_no_ids(repository: JobRepository, job: Job, job_id: str) -> None:
    repository.create(job)

    with pytest.raises(JobNotFoundError):
        repository.get(job_id)


def test_create_enqueues_in_the_same_transaction(repository: JobRepository, queue: JobQueue, job: Job) -> None:
    repository.create(job, queue=queue)

    assert queue.depth() == 1
    assert repository.get(job.id).status is JobStatus.QUEUED


def test_create_leaves_no_record_when_the_queue_cannot_take_the_job(
    repository: JobRepository, redis: Redis, queue: JobQueue, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(queue, "enqueue", refuse)

    with pytest.raises(ConnectionError):
        repository.create(job, queue=queue)
    assert redis.keys() == []


def test_a_job_goes_from_queued_through_running_to_succeeded(repository: JobRepository, job: Job) -> None:
    repository.create(job)

    claimed = repository.claim(job.id, "w1")
    assert claimed is not None
    assert claimed.status is JobStatus.RUNNING
    assert claimed.started_at is not None
    assert claimed.started_at >= job.created_at
    assert claimed.metrics.queue_s is not None
    assert claimed.metrics.queue_s >= 0
    assert repository.running_ids() == {job.id}

    assert repository.set_progress(job.id, 40, 80)
    assert repository.get(job.id).progress.model_dump() == {"completed": 40, "total": 80, "unit": "forward_passes"}

    assert repository.succeed(job.id, OUTPUT, METRICS)
    done = repository.get(job.id)
    assert done.status is JobStatus.SUCCEEDED
    assert done.output is not None
    assert done.output.estimated_r2 is None
    assert done.output.full_value == 9.25
    assert done.metrics == METRICS
    assert done.progress.completed == 80
    assert done.completed_at is not None
    assert repository.running_ids() == frozenset()


def test_a_failed_job_keeps_its_error(repository: JobRepository, job: Job) -> None:
    repository.create(job)
    repository.claim(job.id, "w1")

    assert repository.fail(job.id, FAILURE, METRICS)

    failed = repository.get(job.id)
    assert (failed.status, failed.error, failed.output) == (JobStatus.FAILED, FAILURE, None)
    assert repository.running_ids() == frozenset()


def test_a_final_state_is_written_once(repository: JobRepository, job: Job) -> None:
    repository.create(job)
    repository.claim(job.id, "w1")
    repository.succeed(job.id, OUTPUT, METRICS)
    final = repository.get(job.id)

    assert not repository.fail(job.id, FAILURE, METRICS)
    assert not repository.succeed(job.id, OUTPUT, JobMetrics())
    assert not repository.set_progress(job.id, 1, 2)
    assert not repository.requeue(job.id)
    assert repository.claim(job.id, "w2") is None
    assert repository.get(job.id) == final


def test_a_job_that_never_started_cannot_succeed(repository: JobRepository, job: Job) -> None:
    repository.create(job)

    assert not repository.succeed(job.id, OUTPUT, METRICS)
    assert not repository.set_progress(job.id, 1, 2)
    assert repository.get(job.id) == job


def test_claiming_an_unknown_job_gives_none(repository: JobRepository, redis: Redis) -> None:
    assert repository.claim(new_job_id(), "w1") is None
    assert repository.claim("../x", "w1") is None
    assert redis.keys() == []


def test_a_running_job_is_taken_over_only_when_its_worker_is_gone(
    repository: JobRepository, catalogue: Catalogue, job: Job
) -> None:
    repository.create(job)
    catalogue.announce({"id": "demo"}, "w1", ttl_s=60)
    repository.claim(job.id, "w1")

    assert repository.claim(job.id, "w2") is None

    catalogue.withdraw("w1")
    assert repository.claim(job.id, "w2") is not None


def test_requeue_puts_a_running_job_back_as_new(repository: JobRepository, queue: JobQueue, job: Job) -> None:
    repository.create(job)
    repository.claim(job.id, "w1")
    repository.set_progress(job.id, 3, 9)

    assert repository.requeue(job.id, queue=queue)

    assert repository.get(job.id) == job
    assert repository.running_ids() == frozenset()
    assert queue.depth() == 1
    assert repository.claim(job.id, "w2") is not None


def test_of_many_workers_that_claim_at_once_one_gets_the_job(
    repository: JobRepository, catalogue: Catalogue, job: Job
) -> None:
    workers = [f"w{i}" for i in range(8)]
    for worker in workers:
        catalogue.announce({"id": "demo"}, worker, ttl_s=60)
    repository.create(job)
    start = threading.Barrier(len(workers))

    def claim(worker: str) -> bool:
        start.wait()
        return repository.claim(job.id, worker) is not None

    with ThreadPoolExecutor(len(workers)) as pool:
        assert sum(pool.map(claim, workers)) == 1


def test_of_many_endings_at_once_one_is_written(repository: JobRepository, job: Job) -> None:
    repository.create(job)
    repository.claim(job.id, "w1")
    start = threading.Barrier(8)

    def end(k: int) -> bool:
        start.wait()
        if k % 2:
            return repository.fail(job.id, FAILURE, METRICS)
        return repository.succeed(job.id, OUTPUT, METRICS)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(end, range(8))) == 1
    ended = repository.get(job.id)
    assert (ended.output is None) is (ended.status is JobStatus.FAILED)
