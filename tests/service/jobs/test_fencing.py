"""Whoever comes too late changes nothing, and whoever repeats himself is told the same."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis
from redis.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError

from service.jobs._keys import text
from service.jobs.errors import JobFinalError
from service.jobs.leases import Lease, LeaseState
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobFailure, JobProgress, JobStatus, new_job_id
from service.jobs.repository import JobRepository, QueueState
from tests.support.jobs import METRICS, OUTPUT, RESULTS

Act = Callable[[JobRepository, Lease, JobQueue], bool]

FAILURE = JobFailure(code="weights_not_found", detail="no weights")
ENDS: dict[str, Act] = {
    "succeed": lambda repository, lease, _: repository.succeed(lease, OUTPUT, METRICS, results=RESULTS),
    "fail": lambda repository, lease, _: repository.fail(lease, FAILURE),
    "cancel": lambda repository, lease, _: repository.cancel(lease),
}
RELEASES: dict[str, Act] = {
    "hand_back": lambda repository, lease, queue: repository.hand_back(lease, queue=queue),
    "retry_later": lambda repository, lease, _: repository.retry_later(lease, delay_s=60),
    "give_up": lambda repository, lease, queue: repository.give_up(lease, alone=True, queue=queue),
}
ACTS: dict[str, Act] = {
    **ENDS,
    **RELEASES,
    "mark_alone": lambda repository, lease, _: repository.mark_alone(lease),
    "renew": lambda repository, lease, _: renews(repository, lease),
}


def renews(repository: JobRepository, lease: Lease) -> bool:
    progress = {lease: JobProgress(completed=1, total=2)}
    return repository.renew([lease], ttl_s=60, progress=progress)[lease] is not LeaseState.LOST


def begin(repository: JobRepository, job: Job, worker_id: str = "w/1", *, ttl_s: float = 60) -> Lease:
    claim = repository.claim(job.id, worker_id, ttl_s=ttl_s)
    assert claim is not None
    return claim.lease


def contents(redis: Redis) -> dict[str, Any]:
    """All that we have in Redis, but for when leases lapse."""
    readers: dict[str, Callable[[str], Any]] = {
        "hash": redis.hgetall,
        "set": redis.smembers,
        "zset": lambda key: redis.zrange(key, 0, -1),
        "string": redis.get,
    }
    return {key: readers[text(redis.type(key))](key) for key in map(text, redis.keys("fixlip:*"))}


@pytest.mark.parametrize("act", ACTS)
def test_a_lease_of_an_earlier_attempt_is_worth_nothing(
    repository: JobRepository, queue: JobQueue, redis: Redis, job: Job, act: str
) -> None:
    repository.create(job, queue=queue, cost_passes=9)
    lost = begin(repository, job, ttl_s=0.01)
    time.sleep(0.02)
    assert repository.take_back(job.id, queue=queue) is JobStatus.QUEUED
    begin(repository, job, "w/2")
    before = contents(redis)

    assert not ACTS[act](repository, lost, queue)
    assert contents(redis) == before


@pytest.mark.parametrize("act", ACTS)
def test_a_slot_that_gets_its_lost_job_again_has_another_lease(
    repository: JobRepository, queue: JobQueue, redis: Redis, job: Job, act: str
) -> None:
    repository.create(job, queue=queue)
    lost = begin(repository, job)
    repository.hand_back(lost, queue=queue)
    lease = begin(repository, job)
    before = contents(redis)

    assert not ACTS[act](repository, lost, queue)
    assert contents(redis) == before
    assert ACTS[act](repository, lease, queue)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("who", ["another worker", "no job", "a later attempt"])
def test_a_lease_that_was_never_given_is_worth_nothing(
    repository: JobRepository, queue: JobQueue, redis: Redis, job: Job, act: str, who: str
) -> None:
    repository.create(job, queue=queue)
    begin(repository, job)
    forged = {
        "another worker": Lease(job.id, 1, "w/2"),
        "no job": Lease(new_job_id(), 1, "w/1"),
        "a later attempt": Lease(job.id, 2, "w/1"),
    }
    before = contents(redis)

    assert not ACTS[act](repository, forged[who], queue)
    assert contents(redis) == before


@pytest.mark.parametrize("act", ACTS)
def test_a_job_that_never_started_has_no_lease(
    repository: JobRepository, queue: JobQueue, redis: Redis, job: Job, act: str
) -> None:
    repository.create(job, queue=queue)
    before = contents(redis)

    assert not ACTS[act](repository, Lease(job.id, 1, "w/1"), queue)
    assert contents(redis) == before


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("end", ENDS)
def test_a_final_state_is_written_once(
    repository: JobRepository, queue: JobQueue, redis: Redis, job: Job, end: str, act: str
) -> None:
    repository.create(job, queue=queue)
    lease = begin(repository, job)
    assert ENDS[end](repository, lease, queue)
    before = contents(redis)

    assert ACTS[act](repository, lease, queue) is (act == end)
    assert repository.claim(job.id, "w/1", ttl_s=60) is None
    assert repository.take_back(job.id, queue=queue) is None
    assert not repository.promote(job.id, entry=None, queue=queue)
    with pytest.raises(JobFinalError):
        repository.request_cancel(job.id, queue=queue)
    assert contents(redis) == before


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("release", RELEASES)
def test_a_job_that_was_let_go_stays_so(
    repository: JobRepository, queue: JobQueue, redis: Redis, job: Job, release: str, act: str
) -> None:
    repository.create(job, queue=queue)
    lease = begin(repository, job)
    assert RELEASES[release](repository, lease, queue)
    before = contents(redis)

    assert ACTS[act](repository, lease, queue) is (act in RELEASES)
    assert contents(redis) == before


class Lossy(Redis):
    """A client to whom every answer to a transaction is lost, though it was carried out."""

    def pipeline(self, transaction: bool = True, shard_hint: Any = None) -> Pipeline:
        return LossyPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


class LossyPipeline(Pipeline):
    def execute(self, raise_on_error: bool = True) -> list[Any]:
        super().execute(raise_on_error)
        raise RedisConnectionError("Connection closed by server.")


@pytest.mark.parametrize("act", [name for name in ACTS if name != "renew"])
def test_an_act_whose_answer_was_lost_may_be_repeated(
    repository: JobRepository, queue: JobQueue, redis: Redis, redis_url: str, job: Job, act: str
) -> None:
    repository.create(job, queue=queue, cost_passes=9)
    lease = begin(repository, job)
    with Lossy.from_url(redis_url) as client, pytest.raises(RedisConnectionError):
        ACTS[act](JobRepository(client), lease, queue)
    before = contents(redis)

    assert ACTS[act](repository, lease, queue)
    if act != "mark_alone":
        assert contents(redis) == before


def test_a_claim_whose_answer_was_lost_gives_the_same_lease_again(
    repository: JobRepository, queue: JobQueue, redis_url: str, job: Job
) -> None:
    repository.create(job, queue=queue)
    with Lossy.from_url(redis_url) as client, pytest.raises(RedisConnectionError):
        JobRepository(client).claim(job.id, "w/1", ttl_s=60)

    assert begin(repository, job).attempt == repository.get(job.id).attempt == 1
    assert repository.claim(job.id, "w/2", ttl_s=60) is None


@pytest.mark.parametrize("racers", [8])
def test_of_many_claims_at_once_one_gets_the_job(
    repository: JobRepository, queue: JobQueue, job: Job, racers: int
) -> None:
    repository.create(job, queue=queue)
    start = threading.Barrier(racers)

    def claim(k: int) -> bool:
        start.wait()
        return repository.claim(job.id, f"w/{k}", ttl_s=60) is not None

    with ThreadPoolExecutor(racers) as pool:
        assert sum(pool.map(claim, range(racers))) == 1


def test_of_many_ends_at_once_one_is_written(repository: JobRepository, queue: JobQueue, job: Job) -> None:
    repository.create(job, queue=queue)
    lease = begin(repository, job)
    start = threading.Barrier(len(ENDS))

    def end(act: Act) -> bool:
        start.wait()
        return act(repository, lease, queue)

    with ThreadPoolExecutor(len(ENDS)) as pool:
        assert sum(pool.map(end, ENDS.values())) == 1


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_at_once_a_job_ends_once_and_the_sums_are_right(
    repository: JobRepository, queue: JobQueue, redis: Redis, job: Job, seed: int
) -> None:
    """Workers, one of whom always lets its lease lapse, a reaper, and a client who cancels in the end."""
    repository.create(job, queue=queue, cost_passes=9)
    racers, enough = 6, 6
    start = threading.Barrier(racers + 1)

    def work(k: int) -> list[str]:
        dice = random.Random(10 * seed + k)
        start.wait()
        done = []
        while not (found := repository.get(job.id)).status.is_terminal:
            claim = repository.claim(job.id, f"w/{k}", ttl_s=dice.choice((0.0, 60.0)))
            act = dice.choice(list(ACTS) if found.attempt >= enough else ["hand_back", "retry_later", "renew"])
            if claim is not None and ACTS[act](repository, claim.lease, queue):
                done.append(act)
            repository.take_back(job.id, queue=queue)
            repository.promote(job.id, entry=None, queue=queue)
        return done

    def cancel() -> None:
        start.wait()
        while repository.get(job.id).attempt <= enough + seed:
            time.sleep(0.01)
            if repository.get(job.id).status.is_terminal:
                return
        try:
            repository.request_cancel(job.id, queue=queue)
        except JobFinalError:
            return

    with ThreadPoolExecutor(racers + 1) as pool:
        workers = [pool.submit(work, k) for k in range(racers)]
        pool.submit(cancel).result()
        done = [act for worker in workers for act in worker.result(timeout=30)]

    assert sum(act in ENDS for act in done) <= 1
    assert repository.queue_state() == QueueState(0, 0, 0, 0, 0.0)
    final = repository.get(job.id)
    assert final.completed_at is not None
    assert (final.output is not None) is (final.status is JobStatus.SUCCEEDED)
    assert (final.error is not None) is (final.status is JobStatus.FAILED)
    assert final.attempt >= enough
    assert redis.zcard("fixlip:unbegun") == 0
    assert (redis.exists(f"fixlip:holders:{RESULTS.digest}") > 0) is (final.status is JobStatus.SUCCEEDED)
