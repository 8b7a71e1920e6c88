from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic_core import from_json
from redis import Redis, RedisError
from redis.exceptions import OutOfMemoryError
from rq import Queue
from rq.executions import Execution
from rq.serializers import JSONSerializer

from fixlip.redis_server import RedisServer
from service.jobs.catalogue import Catalogue
from service.jobs.connection import connect
from service.jobs.leases import Claim
from service.jobs.queue import JobQueue, job_of
from service.jobs.records import Job, JobStatus, new_job_id
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from service.jobs.storage.bundles import BundleStore
from service.jobs.upkeep import Upkeep
from tests.support.fake_encoder import CARD
from tests.support.jobs import METRICS, OUTPUT, RESULTS


@pytest.fixture
def store(redis: Redis, settings: JobSettings) -> BundleStore:
    return BundleStore.open(settings, redis)


@pytest.fixture
def upkeep(redis: Redis, settings: JobSettings, store: BundleStore) -> Upkeep:
    return Upkeep(redis, settings, store)


@pytest.fixture
def care(upkeep: Upkeep, settings: JobSettings) -> Callable[..., None]:
    """Sweeps until something has happened, or for some heartbeats."""

    def care(until: Callable[[], bool] | None = None, *, heartbeats: float = 200) -> None:
        end = time.monotonic() + heartbeats * settings.heartbeat_s
        while time.monotonic() < end:
            upkeep.sweep()
            if until is not None and until():
                return
            time.sleep(0.02)
        assert until is None, "it did not happen in time"

    return care


def begin(repository: JobRepository, job: Job, *, ttl_s: float = 60) -> Claim:
    claim = repository.claim(job.id, "w/1", ttl_s=ttl_s)
    assert claim is not None
    return claim


def stands(repository: JobRepository, job: Job, status: JobStatus) -> Callable[[], bool]:
    return lambda: repository.get(job.id).status is status


def entry_of(redis: Redis, job: Job) -> str:
    entry: str = from_json(redis.hget(f"fixlip:job:{job.id}", "entry") or b"null")
    return entry


def take(redis: Redis, *, started: bool = False) -> str:
    """What RQ does when a worker takes the next entry, up to where it dies."""
    queue = Queue("fixlip", connection=redis, serializer=JSONSerializer)
    taken = Queue.dequeue_any([queue], None, connection=redis, serializer=JSONSerializer)
    assert taken is not None
    entry = taken[0]
    if started:
        with redis.pipeline() as pipe:
            Execution.create(entry, 600, pipe, worker_name="dead")
            pipe.lrem(queue.intermediate_queue.key, 0, entry.id)
            pipe.execute()
    return str(entry.id)


def test_a_job_whose_lease_lapsed_is_queued_again_exactly_once(
    care: Callable[..., None], repository: JobRepository, queue: JobQueue, redis: Redis, job: Job
) -> None:
    repository.create(job, queue=queue)
    take(redis, started=True)
    begin(repository, job, ttl_s=0.3)
    care(stands(repository, job, JobStatus.QUEUED))
    care(lambda: not queue.taken())

    assert queue.depth() == 1


def test_a_job_whose_lease_is_renewed_is_left_alone(
    care: Callable[..., None], repository: JobRepository, queue: JobQueue, redis: Redis, job: Job
) -> None:
    repository.create(job, queue=queue)
    entry = take(redis, started=True)
    claim = begin(repository, job, ttl_s=0.3)
    for _ in range(10):
        care(heartbeats=1)
        repository.renew([claim.lease], ttl_s=0.3)

    assert repository.get(job.id) == claim.job
    assert (queue.depth(), queue.taken()) == (0, {entry})


def test_at_first_nothing_is_taken_back(
    care: Callable[..., None], repository: JobRepository, queue: JobQueue, job: Job
) -> None:
    repository.create(job, queue=queue)
    begin(repository, job, ttl_s=0)
    care(heartbeats=2)
    assert repository.get(job.id).status is JobStatus.RUNNING

    care(stands(repository, job, JobStatus.QUEUED))


def test_a_process_that_was_stopped_waits_again(
    care: Callable[..., None], upkeep: Upkeep, repository: JobRepository, queue: JobQueue, job: Job
) -> None:
    repository.create(job, queue=queue)
    begin(repository, job, ttl_s=0.01)
    care(stands(repository, job, JobStatus.QUEUED))
    begin(repository, job, ttl_s=0)
    time.sleep(0.25)
    upkeep.sweep()

    assert repository.get(job.id).status is JobStatus.RUNNING


def test_after_an_outage_the_living_may_renew_their_leases_first(tmp_path: Path, job: Job) -> None:
    with RedisServer(tmp_path / "redis") as server, connect(server.url, timeout_s=1) as redis:
        settings = JobSettings(redis_url=server.url, data_dir=tmp_path, heartbeat_s=0.2)
        repository, queue = JobRepository(redis), JobQueue(redis, settings)
        upkeep = Upkeep(redis, settings, BundleStore.open(settings, redis))
        jobs = [job.model_copy(update={"id": new_job_id()}) for _ in range(2)]
        for one in jobs:
            repository.create(one, queue=queue)
        alive, _dead = (begin(repository, one, ttl_s=2.0) for one in jobs)
        for _ in range(8):
            upkeep.sweep()
            time.sleep(0.1)
        server.stop()
        with pytest.raises(RedisError):
            upkeep.sweep()
        time.sleep(1.5)
        with RedisServer(tmp_path / "redis"):
            upkeep.sweep()
            assert {repository.get(one.id).status for one in jobs} == {JobStatus.RUNNING}
            deadline = time.monotonic() + 20
            while repository.get(jobs[1].id).status is JobStatus.RUNNING:
                assert time.monotonic() < deadline
                repository.renew([alive.lease], ttl_s=5)
                upkeep.sweep()
                time.sleep(0.05)
            assert repository.get(jobs[0].id).status is JobStatus.RUNNING


def test_full_memory_is_an_outage(
    care: Callable[..., None],
    upkeep: Upkeep,
    repository: JobRepository,
    queue: JobQueue,
    redis: Redis,
    settings: JobSettings,
    store: BundleStore,
    job: Job,
) -> None:
    """Reads go on, but nobody can renew a lease."""
    repository.create(job, queue=queue)
    begin(repository, job, ttl_s=0)
    care(stands(repository, job, JobStatus.QUEUED))
    begin(repository, job, ttl_s=0.1)
    redis.config_set("maxmemory", 1)
    try:
        for one in (upkeep, Upkeep(redis, settings, store)):
            with pytest.raises(OutOfMemoryError):
                one.sweep()
        time.sleep(0.3)
    finally:
        redis.config_set("maxmemory", 0)
    upkeep.sweep()

    assert repository.get(job.id).status is JobStatus.RUNNING


def test_a_delayed_job_is_queued_when_its_time_has_come(
    care: Callable[..., None], repository: JobRepository, queue: JobQueue, redis: Redis, job: Job
) -> None:
    repository.create(job, queue=queue)
    take(redis)
    repository.retry_later(begin(repository, job).lease, delay_s=1.0)
    care(heartbeats=6)
    assert queue.depth() == 0

    care(lambda: queue.depth() == 1)
    assert repository.queue_state().delayed == 0


def test_a_job_that_entered_no_queue_is_queued(
    care: Callable[..., None], repository: JobRepository, queue: JobQueue, job: Job
) -> None:
    repository.create(job)
    care(lambda: queue.depth() == 1)

    assert repository.queue_state().queued == 1


@pytest.mark.parametrize("started", [False, True])
def test_a_job_that_was_taken_and_never_begun_is_queued_again(
    care: Callable[..., None], repository: JobRepository, queue: JobQueue, redis: Redis, job: Job, started: bool
) -> None:
    repository.create(job, queue=queue)
    entry = take(redis, started=started)
    care(heartbeats=4)
    assert queue.depth() == 0

    care(lambda: queue.depth() == 1)
    care(heartbeats=4)
    assert (queue.depth(), queue.taken()) == (1, set())
    assert redis.keys(f"rq:*{entry}*") == []
    assert take(redis) != entry
    assert not begin(repository, job).suspect


def test_a_job_that_the_queue_has_lost_is_queued_again(
    care: Callable[..., None], repository: JobRepository, queue: JobQueue, redis: Redis, job: Job
) -> None:
    repository.create(job, queue=queue)
    redis.delete("rq:queue:fixlip")
    care(lambda: queue.depth() == 1)
    care(heartbeats=8)

    assert set(map(job_of, queue.waiting())) == {job.id}
    assert queue.depth() == 1


def test_waiting_jobs_are_no_strays(
    care: Callable[..., None], repository: JobRepository, queue: JobQueue, redis: Redis, job: Job
) -> None:
    for _ in range(2):
        repository.create(job.model_copy(update={"id": new_job_id()}), queue=queue)
    entries = redis.lrange("rq:queue:fixlip", 0, -1)
    care(heartbeats=12)

    assert redis.lrange("rq:queue:fixlip", 0, -1) == entries


def test_what_a_lost_run_left_in_the_books_does_no_harm_to_the_next(
    care: Callable[..., None], repository: JobRepository, queue: JobQueue, redis: Redis, job: Job
) -> None:
    repository.create(job, queue=queue)
    lost = take(redis, started=True)
    begin(repository, job, ttl_s=0)
    care(stands(repository, job, JobStatus.QUEUED))
    entry = take(redis, started=True)
    claim = begin(repository, job)
    assert queue.taken() == {lost, entry}

    repository.succeed(claim.lease, OUTPUT, METRICS, results=RESULTS)
    queue.forget(entry)
    care(lambda: not queue.taken())
    care(lambda: not redis.exists("fixlip:strays"))
    assert redis.keys("rq:job:*") == redis.keys("rq:execution*") == []
    assert repository.get(job.id).status is JobStatus.SUCCEEDED


def test_many_may_care_at_once(
    repository: JobRepository, queue: JobQueue, redis: Redis, settings: JobSettings, store: BundleStore, job: Job
) -> None:
    repository.create(job, queue=queue, cost_passes=9)
    take(redis)
    begin(repository, job, ttl_s=0)

    def care(upkeep: Upkeep) -> None:
        deadline = time.monotonic() + 20
        while repository.get(job.id).status is JobStatus.RUNNING:
            assert time.monotonic() < deadline
            upkeep.sweep()
            time.sleep(0.02)
        for _ in range(20):
            upkeep.sweep()
            time.sleep(0.02)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(care, [Upkeep(redis, settings, store) for _ in range(6)]))

    assert (queue.depth(), repository.queue_state().queued_passes) == (1, 9)


def test_while_another_cares_there_is_nothing_to_do(
    care: Callable[..., None], repository: JobRepository, queue: JobQueue, redis: Redis, job: Job
) -> None:
    repository.create(job, queue=queue)
    begin(repository, job, ttl_s=0)
    redis.set("fixlip:turn:sweep", "another's", px=1500)
    care(heartbeats=10)
    assert repository.get(job.id).status is JobStatus.RUNNING

    care(stands(repository, job, JobStatus.QUEUED))


def test_drafts_of_writers_that_died_are_removed(care: Callable[..., None], settings: JobSettings) -> None:
    drafts = settings.data_dir / "drafts"
    drafts.mkdir()
    for name in ("old", "old#1", "new"):
        (drafts / name).write_bytes(b"half")
        if name != "new":
            os.utime(drafts / name, (0, time.time() - 3700))
    care(lambda: [path.name for path in drafts.iterdir()] == ["new"])


def test_a_record_that_cannot_be_read_keeps_no_other_job_from_its_care(
    care: Callable[..., None],
    repository: JobRepository,
    queue: JobQueue,
    redis: Redis,
    job: Job,
    caplog: pytest.LogCaptureFixture,
) -> None:
    jobs = [job.model_copy(update={"id": new_job_id()}) for _ in range(8)]
    lapsed, delayed, taken = jobs[:2], jobs[2:4], jobs[4:6]  # the others are lost
    for each in jobs:
        repository.create(each, queue=None if each in delayed else queue)
    for each in lapsed:
        begin(repository, each, ttl_s=0)
    redis.delete("rq:queue:fixlip")
    redis.lpush("rq:queue:fixlip:intermediate", *(entry_of(redis, each) for each in taken))
    bad = {each.id for each in jobs[::2]}
    for job_id in bad:
        redis.hset(f"fixlip:job:{job_id}", "metrics", b'{"of_another_version": 1}')
    with caplog.at_level(logging.WARNING):
        care(lambda: set(map(job_of, queue.waiting())) == {each.id for each in jobs[1::2]})
        care(heartbeats=5)

    assert len([line for line in caplog.messages if "cannot be read" in line]) == len(bad)


def test_models_that_nobody_serves_any_more_are_forgotten(care: Callable[..., None], redis: Redis) -> None:
    catalogue = Catalogue(redis)
    for model_id in ("gone", "fake"):
        catalogue.announce({**CARD.to_dict(), "id": model_id}, "w1", ttl_s=0.01)
    redis.zadd("fixlip:models:announced", {"gone": time.time() - 24 * 3600 - 1})

    care(lambda: list(catalogue.cards()) == ["fake"])


def test_a_disk_that_refuses_is_told_and_stops_nothing(
    care: Callable[..., None],
    repository: JobRepository,
    queue: JobQueue,
    settings: JobSettings,
    job: Job,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (settings.data_dir / "drafts").write_bytes(b"no directory")
    repository.create(job, queue=queue)
    begin(repository, job, ttl_s=0)
    with caplog.at_level(logging.WARNING):
        care(lambda: "the store was not tidied" in caplog.text)

    assert repository.get(job.id).status is JobStatus.QUEUED
