from __future__ import annotations

import logging

import pytest
from redis import Redis

from service.jobs._keys import Keys, text
from service.jobs.batches._stored import StoredBatch
from service.jobs.batches.records import batch_job_id
from service.jobs.batches.removal import BatchRemoval
from service.jobs.batches.repository import BatchRepository
from service.jobs.errors import BatchNotFoundError
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from service.jobs.storage.bundles import BundleStore
from service.jobs.upkeep import Upkeep
from tests.support.batches import HandWorker, batch_items

ID = "0" * 32
KEYS = Keys("fixlip")


@pytest.fixture
def ended(batches: BatchRepository, store: BundleStore, worker: HandWorker) -> str:
    """A batch of 10 jobs that have succeeded."""
    batches.create(ID, batch_items(store, 10))
    worker.run_all(batches)
    return ID


def age(redis: Redis, batch_id: str, seconds: float) -> None:
    """Make a batch have ended so long ago."""
    ended_at = redis.zscore(KEYS.ended_batches, batch_id)
    assert ended_at is not None
    redis.zadd(KEYS.ended_batches, {batch_id: ended_at - seconds})


def left(redis: Redis) -> int:
    """How many of the batch's jobs there are."""
    return redis.exists(*(KEYS.job(batch_job_id(ID, index, 0)) for index in range(10)))


def test_a_batch_is_kept_for_as_long_as_jobs_are(
    redis: Redis, ended: str, batches: BatchRepository, settings: JobSettings
) -> None:
    removal = BatchRemoval(redis, KEYS, retention_s=settings.retention_s)
    age(redis, ended, settings.retention_s - 60)
    removal.remove_due(most=100)
    assert batches.get(ended).request_counts.completed == 10
    age(redis, ended, 120)
    removal.remove_due(most=100)
    with pytest.raises(BatchNotFoundError):
        batches.get(ended)
    assert left(redis) == 0


def test_without_a_retention_it_is_kept_for_ever(redis: Redis, ended: str, batches: BatchRepository) -> None:
    age(redis, ended, 1e9)
    BatchRemoval(redis, KEYS, retention_s=0).remove_due(most=100)
    assert batches.get(ended).request_counts.completed == 10


def test_a_batch_that_is_retried_while_it_expires_stays_and_stops_no_sweep(
    redis: Redis, batches: BatchRepository, store: BundleStore, worker: HandWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches.create(ID, batch_items(store, 1))
    worker.fail(worker.take())
    age(redis, ID, 10)
    read = BatchRemoval._read

    def read_and_retry(self: BatchRemoval, batch_id: str) -> StoredBatch | None:
        batch = read(self, batch_id)
        batches.retry_failed(batch_id)
        return batch

    with monkeypatch.context() as patch:
        patch.setattr(BatchRemoval, "_read", read_and_retry)
        BatchRemoval(redis, KEYS, retention_s=1).remove_due(most=100)
    worker.run_all(batches)
    assert batches.get(ID).request_counts.completed == 1


def test_a_large_batch_goes_a_few_jobs_at_a_time_and_is_out_of_sight_at_once(
    redis: Redis, ended: str, batches: BatchRepository, jobs: JobRepository, settings: JobSettings
) -> None:
    removal = BatchRemoval(redis, KEYS, retention_s=settings.retention_s)
    age(redis, ended, settings.retention_s + 1)
    for expected in (6, 2, 0):
        removal.remove_due(most=4)
        assert left(redis) == expected
        with pytest.raises(BatchNotFoundError):
            batches.retry_failed(ended)
        assert batches.page("default", size=10).batches == []
    assert jobs.stored_bytes("default") == 0
    assert not redis.exists(KEYS.batch(ended), KEYS.removed_batches, KEYS.ended_batches)


def test_a_removal_that_was_broken_off_goes_on(
    redis: Redis,
    ended: str,
    batches: BatchRepository,
    jobs: JobRepository,
    settings: JobSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(BatchRemoval, "_remove_batch", lambda *_: None)
        batches.delete(ended)
    others = [BatchRemoval(redis, KEYS, retention_s=0) for _ in range(2)]
    for round_ in range(4):
        others[round_ % 2].remove_due(most=3)
    assert jobs.stored_bytes("default") == 0
    assert not redis.exists(KEYS.batch(ended), KEYS.removed_batches)


def test_the_files_go_too(redis: Redis, ended: str, batches: BatchRepository, settings: JobSettings) -> None:
    bundles = settings.data_dir / "bundles"
    assert list(bundles.rglob("*/*"))
    batches.delete(ended)
    digests = [text(digest) for digest in redis.zrange(KEYS.unheld, 0, -1)]
    redis.zadd(KEYS.unheld, dict.fromkeys(digests, 1.0))  # as if their writers' grace were over
    BundleStore.open(settings, redis).collect_garbage(most=100)
    assert [path for path in bundles.rglob("*/*") if path.is_file()] == []


def test_a_job_that_cannot_be_read_stops_no_removal(
    redis: Redis, ended: str, batches: BatchRepository, caplog: pytest.LogCaptureFixture
) -> None:
    redis.hset(KEYS.job(batch_job_id(ended, 3, 0)), "status", '"pondering"')
    with caplog.at_level(logging.WARNING):
        batches.delete(ended)
    assert "cannot be read" in caplog.text
    assert (left(redis), redis.exists(KEYS.batch(ended))) == (1, 0)


def test_a_full_redis_still_removes(redis: Redis, ended: str, batches: BatchRepository, settings: JobSettings) -> None:
    removal = BatchRemoval(redis, KEYS, retention_s=settings.retention_s)
    age(redis, ended, settings.retention_s + 1)
    redis.config_set("maxmemory", 1)
    try:
        for _ in range(3):
            removal.remove_due(most=4)
    finally:
        redis.config_set("maxmemory", 0)
    assert (left(redis), redis.exists(KEYS.batch(ended))) == (0, 0)


def test_sweeps_feed_cancel_and_remove(
    redis: Redis, batches: BatchRepository, store: BundleStore, settings: JobSettings, worker: HandWorker
) -> None:
    settings = settings.model_copy(update={"heartbeat_s": 0.001, "retention_s": 1})
    upkeep = Upkeep(redis, settings, store)

    def sweep() -> None:
        redis.delete(KEYS.turn("sweep"))
        upkeep.sweep()

    batches.create(ID, batch_items(store, 10))
    for _ in range(4):
        worker.succeed(worker.take())
    while redis.scard(KEYS.batch_jobs_in_queue) == 0:
        sweep()
    assert batches.get(ID).request_counts.completed == 4
    redis.sadd(KEYS.canceling_batches, ID)  # as a canceler leaves it that dies at once
    while redis.scard(KEYS.batch_open_jobs(ID)):
        sweep()
    batches.cancel(ID)
    age(redis, ID, 10)
    while redis.exists(KEYS.batch(ID)):
        sweep()
