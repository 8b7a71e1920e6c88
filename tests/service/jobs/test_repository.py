from __future__ import annotations

import time

import pytest
from redis import Redis

from service.jobs._keys import text
from service.jobs.errors import JobFinalError, JobNotFoundError
from service.jobs.leases import Claim, Lease, LeaseState
from service.jobs.queue import JobQueue, job_of
from service.jobs.records import Job, JobFailure, JobMetrics, JobProgress, JobStatus, new_job_id
from service.jobs.repository import JobRepository, QueueState
from tests.support.jobs import METRICS, OUTPUT, RESULTS

COST = 576
FAILURE = JobFailure(code="weights_not_found", detail="no weights")


@pytest.fixture
def claim(repository: JobRepository, queue: JobQueue, job: Job) -> Claim:
    """A job that was enqueued, and that a worker has begun."""
    repository.create(job, queue=queue, cost_passes=COST)
    claim = repository.claim(job.id, "w/1", ttl_s=60)
    assert claim is not None
    return claim


def counts(repository: JobRepository) -> tuple[int, int, int, int]:
    """Queued, running, delayed, and the passes that wait."""
    state = repository.queue_state()
    return state.queued, state.running, state.delayed, state.queued_passes


def test_a_record_reads_back_as_it_was_created(repository: JobRepository, job: Job) -> None:
    repository.create(job)

    assert repository.get(job.id) == job


@pytest.mark.parametrize("job_id", ["", "../../etc/passwd", "A" * 32, "0" * 31, "0" * 32, "0" * 32 + "\n"])
def test_ids_that_are_unknown_or_no_ids_are_refused(
    repository: JobRepository, queue: JobQueue, job: Job, redis: Redis, job_id: str
) -> None:
    repository.create(job)
    keys = set(redis.keys())

    with pytest.raises(JobNotFoundError):
        repository.get(job_id)
    with pytest.raises(JobNotFoundError):
        repository.request_cancel(job_id, queue=queue)
    assert repository.claim(job_id, "w/1", ttl_s=60) is None
    assert repository.take_back(job_id, queue=queue) is None
    assert set(redis.keys()) == keys


def test_create_enqueues_in_the_same_transaction(repository: JobRepository, queue: JobQueue, job: Job) -> None:
    repository.create(job, queue=queue, cost_passes=COST)

    assert queue.depth() == 1
    assert repository.get(job.id).status is JobStatus.QUEUED
    assert counts(repository) == (1, 0, 0, COST)


def test_create_leaves_no_record_when_the_queue_cannot_take_the_job(
    repository: JobRepository, redis: Redis, queue: JobQueue, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("gone")

    monkeypatch.setattr(queue, "enqueue", refuse)

    with pytest.raises(ConnectionError):
        repository.create(job, queue=queue)
    assert redis.keys() == []


def test_a_claimed_job_runs(repository: JobRepository, job: Job, claim: Claim) -> None:
    running = repository.get(job.id)

    assert claim == Claim(running, Lease(job.id, 1, "w/1"), suspect=False, retries=0, cost_passes=576)
    assert (running.status, running.attempt) == (JobStatus.RUNNING, 1)
    assert running.started_at is not None
    assert running.started_at >= job.created_at
    assert running.metrics.queue_s is not None
    assert running.metrics.queue_s >= 0
    assert counts(repository) == (0, 1, 0, 0)


def test_a_running_job_is_no_others(repository: JobRepository, job: Job, claim: Claim) -> None:
    assert repository.claim(job.id, "w/2", ttl_s=60) is None
    assert repository.get(job.id) == claim.job


def test_a_running_job_is_no_others_even_if_its_lease_has_lapsed(
    repository: JobRepository, queue: JobQueue, job: Job
) -> None:
    """Who takes it back is told what it cost; a claim would tell nobody."""
    repository.create(job, queue=queue)
    repository.claim(job.id, "w/1", ttl_s=0.01)
    time.sleep(0.02)

    assert repository.claim(job.id, "w/2", ttl_s=60) is None


def test_success_is_recorded_with_the_outcome(repository: JobRepository, job: Job, claim: Claim) -> None:
    repository.renew([claim.lease], ttl_s=60, progress={claim.lease: JobProgress(completed=40, total=90)})

    assert repository.succeed(claim.lease, OUTPUT, METRICS, results=RESULTS)

    done = repository.get(job.id)
    assert (done.status, done.error, done.metrics) == (JobStatus.SUCCEEDED, None, METRICS)
    assert done.output is not None
    assert (done.output.estimated_r2, done.output.full_value) == (None, 9.25)
    assert (done.progress.completed, done.progress.total) == (80, 80)
    assert done.completed_at is not None
    assert counts(repository) == (0, 0, 0, 0)


def test_success_ends_the_progress_where_the_passes_are_not_told(
    repository: JobRepository, job: Job, claim: Claim
) -> None:
    repository.renew([claim.lease], ttl_s=60, progress={claim.lease: JobProgress(completed=40, total=90)})
    repository.succeed(claim.lease, OUTPUT, JobMetrics(), results=RESULTS)

    assert repository.get(job.id).progress == JobProgress(completed=90, total=90)


def test_a_failed_job_keeps_its_error(repository: JobRepository, job: Job, claim: Claim) -> None:
    assert repository.fail(claim.lease, FAILURE, METRICS)

    failed = repository.get(job.id)
    assert (failed.status, failed.error, failed.output) == (JobStatus.FAILED, FAILURE, None)
    assert failed.metrics == METRICS
    assert counts(repository) == (0, 0, 0, 0)


def test_renewal_keeps_the_lease_and_tells_the_progress(
    repository: JobRepository, queue: JobQueue, redis: Redis, job: Job
) -> None:
    repository.create(job, queue=queue)
    claim = repository.claim(job.id, "w/1", ttl_s=0.05)
    assert claim is not None
    for completed in (10, 20, 30):
        progress = {claim.lease: JobProgress(completed=completed, total=90)}
        assert repository.renew([claim.lease], ttl_s=5, progress=progress) == {claim.lease: LeaseState.HELD}
    time.sleep(0.06)

    assert repository.take_back(job.id, queue=queue) is None
    assert repository.get(job.id).progress.completed == 30
    lapses_at, (seconds, _) = redis.zscore("fixlip:leases", job.id), redis.time()
    assert lapses_at is not None
    assert 3 < lapses_at - seconds < 7


def test_a_renewal_without_progress_leaves_it(repository: JobRepository, job: Job, claim: Claim) -> None:
    repository.renew([claim.lease], ttl_s=60, progress={claim.lease: JobProgress(completed=10, total=90)})
    repository.renew([claim.lease], ttl_s=60)

    assert repository.get(job.id).progress.completed == 10


def test_many_leases_are_renewed_at_once_each_with_its_own_answer(
    repository: JobRepository, queue: JobQueue, job: Job
) -> None:
    jobs = [job.model_copy(update={"id": new_job_id()}) for _ in range(4)]
    leases = []
    for one in jobs:
        repository.create(one, queue=queue)
        claim = repository.claim(one.id, "w/1", ttl_s=60)
        assert claim is not None
        leases.append(claim.lease)
    repository.request_cancel(jobs[1].id, queue=queue)
    repository.fail(leases[2], FAILURE)
    gone = Lease(new_job_id(), 1, "w/1")
    other = Lease(jobs[3].id, 1, "w/2")

    states = repository.renew([*leases[:3], gone, other], ttl_s=60)

    assert list(states.values()) == ["held", "cancel_requested", "lost", "lost", "lost"]
    assert list(states) == [*leases[:3], gone, other]
    assert repository.renew([], ttl_s=60) == {}


def test_renewal_survives_a_redis_that_has_forgotten_its_scripts(
    repository: JobRepository, redis: Redis, claim: Claim
) -> None:
    repository.renew([claim.lease], ttl_s=60)
    redis.script_flush()

    assert repository.renew([claim.lease], ttl_s=60) == {claim.lease: LeaseState.HELD}


def test_a_job_handed_back_is_as_new_and_first_in_the_queue(
    repository: JobRepository, queue: JobQueue, redis: Redis, job: Job, claim: Claim
) -> None:
    repository.create(job.model_copy(update={"id": new_job_id()}), queue=queue)
    redis.lpop("rq:queue:fixlip")
    repository.renew([claim.lease], ttl_s=60, progress={claim.lease: JobProgress(completed=3, total=9)})

    assert repository.hand_back(claim.lease, queue=queue)

    assert repository.get(job.id) == job.model_copy(update={"attempt": 1})
    assert [entry[:32] for entry in redis.lrange("rq:queue:fixlip", 0, 0)] == [job.id.encode()]
    assert counts(repository) == (2, 0, 0, COST)
    again = repository.claim(job.id, "w/2", ttl_s=60)
    assert again is not None
    assert (again.lease.attempt, again.suspect, again.retries) == (2, False, 0)


def test_a_job_to_be_retried_waits_outside_the_queue(
    repository: JobRepository, queue: JobQueue, redis: Redis, job: Job, claim: Claim
) -> None:
    depth = queue.depth()

    assert repository.retry_later(claim.lease, delay_s=30)

    assert repository.get(job.id).status is JobStatus.QUEUED
    assert queue.depth() == depth
    assert counts(repository) == (0, 0, 1, COST)
    due, (seconds, _) = redis.zscore("fixlip:delayed", job.id), redis.time()
    assert due is not None
    assert 28 < due - seconds < 32
    assert repository.promote(job.id, entry=None, queue=queue)
    assert not repository.promote(job.id, entry=None, queue=queue)
    assert (queue.depth(), counts(repository)) == (depth + 1, (1, 0, 0, COST))
    again = repository.claim(job.id, "w/2", ttl_s=60)
    assert again is not None
    assert (again.suspect, again.retries) == (False, 1)


def test_no_delay_is_a_delay_too(repository: JobRepository, queue: JobQueue, job: Job, claim: Claim) -> None:
    repository.retry_later(claim.lease, delay_s=0)

    assert counts(repository) == (0, 0, 1, COST)
    assert repository.promote(job.id, entry=None, queue=queue)


def test_a_queued_job_is_canceled_at_once_and_leaves_the_queue(
    repository: JobRepository, queue: JobQueue, redis: Redis, job: Job
) -> None:
    repository.create(job, queue=queue, cost_passes=COST)

    canceled = repository.request_cancel(job.id, queue=queue)

    assert canceled == repository.get(job.id)
    assert canceled.status is JobStatus.CANCELED
    assert canceled.cancel_requested_at is not None
    assert canceled.completed_at is not None
    assert (queue.depth(), counts(repository)) == (0, (0, 0, 0, 0))
    assert redis.keys("rq:job:*") == []
    assert repository.claim(job.id, "w/1", ttl_s=60) is None


def test_a_delayed_job_is_canceled_at_once(repository: JobRepository, queue: JobQueue, job: Job, claim: Claim) -> None:
    repository.retry_later(claim.lease, delay_s=30)

    assert repository.request_cancel(job.id, queue=queue).status is JobStatus.CANCELED
    assert counts(repository) == (0, 0, 0, 0)
    assert not repository.promote(job.id, entry=None, queue=queue)


def test_a_running_job_is_canceled_by_its_worker(
    repository: JobRepository, queue: JobQueue, job: Job, claim: Claim
) -> None:
    asked = repository.request_cancel(job.id, queue=queue)
    assert asked.status is JobStatus.RUNNING
    assert asked.cancel_requested_at is not None
    assert repository.request_cancel(job.id, queue=queue) == asked

    assert repository.renew([claim.lease], ttl_s=60) == {claim.lease: LeaseState.CANCEL_REQUESTED}
    assert repository.cancel(claim.lease, METRICS)

    canceled = repository.get(job.id)
    assert (canceled.status, canceled.metrics) == (JobStatus.CANCELED, METRICS)
    assert canceled.cancel_requested_at == asked.cancel_requested_at
    with pytest.raises(JobFinalError, match="is canceled already") as caught:
        repository.request_cancel(job.id, queue=queue)
    assert caught.value.status is JobStatus.CANCELED


@pytest.mark.parametrize("release", ["hand_back", "retry_later", "give_up", "take_back"])
def test_a_job_whose_cancellation_was_requested_is_not_queued_again(
    repository: JobRepository, queue: JobQueue, job: Job, release: str
) -> None:
    repository.create(job, queue=queue, cost_passes=COST)
    claim = repository.claim(job.id, "w/1", ttl_s=0.01)
    assert claim is not None
    depth = queue.depth()
    repository.request_cancel(job.id, queue=queue)
    time.sleep(0.02)

    match release:
        case "hand_back":
            assert repository.hand_back(claim.lease, queue=queue)
        case "retry_later":
            assert repository.retry_later(claim.lease, delay_s=1)
        case "give_up":
            assert repository.give_up(claim.lease, alone=True, queue=queue)
        case _:
            assert repository.take_back(job.id, queue=queue) is JobStatus.CANCELED

    assert repository.get(job.id).status is JobStatus.CANCELED
    assert (queue.depth(), counts(repository)) == (depth, (0, 0, 0, 0))


def test_a_job_that_is_put_off_waits_outside_the_queue(repository: JobRepository, queue: JobQueue, job: Job) -> None:
    repository.create(job, queue=queue, cost_passes=COST)
    assert repository.put_off(job.id, delay_s=30)
    assert repository.put_off(job.id, delay_s=30)
    assert counts(repository) == (0, 0, 1, COST)
    assert repository.promote(job.id, entry=None, queue=queue)
    assert counts(repository) == (1, 0, 0, COST)
    assert repository.claim(job.id, "w/1", ttl_s=60) is not None
    assert not repository.put_off(job.id, delay_s=30)
    assert counts(repository) == (0, 1, 0, 0)


@pytest.mark.parametrize("is_begun", [False, True])
def test_a_job_that_was_put_off_keeps_no_other_waiting_unless_it_was_begun_before(
    repository: JobRepository, queue: JobQueue, redis: Redis, job: Job, is_begun: bool
) -> None:
    repository.create(job, queue=queue)
    if is_begun:
        claim = repository.claim(job.id, "w/1", ttl_s=60)
        assert claim is not None
        repository.retry_later(claim.lease, delay_s=0)
    redis.delete("rq:queue:fixlip")
    repository.put_off(job.id, delay_s=0)
    other = queue.enqueue(new_job_id())
    assert repository.promote(job.id, entry=None, queue=queue)

    order = [job_of(text(entry)) for entry in redis.lrange("rq:queue:fixlip", 0, -1)]
    assert order == ([job.id, job_of(other)] if is_begun else [job_of(other), job.id])


def test_the_state_of_the_queue_has_the_age_of_the_oldest(repository: JobRepository, queue: JobQueue, job: Job) -> None:
    assert repository.queue_state() == QueueState(0, 0, 0, 0, 0.0)
    repository.create(job, queue=queue)
    time.sleep(0.2)
    repository.create(job.model_copy(update={"id": new_job_id()}), queue=queue)

    assert 0.15 < repository.queue_state().oldest_age_s < 10
