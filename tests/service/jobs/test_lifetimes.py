from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import OutOfMemoryError

from service.jobs._keys import text
from service.jobs.errors import JobNotFoundError, JobOpenError
from service.jobs.inputs import IMAGE
from service.jobs.lifetimes import MOST_AT_ONCE, Lifetimes
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobFailure, JobStatus, new_job_id
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from service.jobs.storage.bundles import BundleStore
from service.jobs.upkeep import Upkeep
from service.jobs.uploads import UploadRepository
from tests.support.jobs import METRICS, OUTPUT, RESULTS

DAY_S = 24 * 3600


@pytest.fixture
def bundles(redis: Redis, settings: JobSettings) -> BundleStore:
    return BundleStore.open(settings, redis)


@pytest.fixture
def repository(redis: Redis, settings: JobSettings) -> JobRepository:
    return JobRepository.of(settings, redis)


@pytest.fixture
def lifetimes(redis: Redis, settings: JobSettings, bundles: BundleStore) -> Lifetimes:
    return Lifetimes(redis, settings, bundles)


@pytest.fixture
def full_memory(redis: Redis) -> Callable[[], AbstractContextManager[None]]:
    @contextmanager
    def full() -> Iterator[None]:
        redis.config_set("maxmemory", 1)
        try:
            yield
        finally:
            redis.config_set("maxmemory", 0)

    return full


def hasten(redis: Redis, key: str, seconds: float) -> None:
    """Let the instants in a sorted set be so much earlier."""
    for member in redis.zrange(key, 0, -1):
        redis.zincrby(key, -seconds, text(member))


def end(repository: JobRepository, job: Job, how: str, bundles: BundleStore) -> None:
    claim = repository.claim(job.id, "w/1", ttl_s=60)
    assert claim is not None
    if how == "succeeded":
        results = bundles.add({"result.json": b"{}"})
        assert repository.succeed(claim.lease, OUTPUT, METRICS, results=results)
    elif how == "failed":
        assert repository.fail(claim.lease, JobFailure(code="c", detail="d"))
    else:
        assert repository.cancel(claim.lease)


@pytest.mark.parametrize("how", ["succeeded", "failed", "canceled"])
def test_a_job_is_kept_for_a_while_after_its_end_and_leaves_nothing(
    lifetimes: Lifetimes,
    repository: JobRepository,
    queue: JobQueue,
    bundles: BundleStore,
    redis: Redis,
    settings: JobSettings,
    job: Job,
    how: str,
) -> None:
    repository.create(job, queue=queue, inputs=bundles.add({IMAGE: b"png"}))
    assert repository.get(job.id).expires_at is None
    end(repository, job, how, bundles)
    done = repository.get(job.id)
    assert done.completed_at is not None
    assert done.expires_at is not None
    kept = done.expires_at - done.completed_at
    assert abs(kept - timedelta(seconds=settings.retention_s)) < timedelta(seconds=5)

    hasten(redis, "fixlip:expiring", settings.retention_s - 10)
    hasten(redis, "fixlip:unheld", DAY_S)
    lifetimes.end_what_is_due()
    assert repository.get(job.id) == done
    assert files_in(settings.data_dir) == (2 if how == "succeeded" else 1)

    hasten(redis, "fixlip:expiring", 20)
    lifetimes.end_what_is_due()
    with pytest.raises(JobNotFoundError):
        repository.get(job.id)
    assert files_in(settings.data_dir) == 0
    assert repository.stored_bytes("default") == 0
    names = set(map(text, redis.keys("fixlip:*")))
    assert not [name for name in names if job.id in name]
    assert not names & {"fixlip:expiring", "fixlip:unbegun", "fixlip:unheld"}
    assert not [name for name in names if name.startswith("fixlip:holders")]


def test_what_is_due_goes_although_memory_is_full(
    repository: JobRepository,
    queue: JobQueue,
    bundles: BundleStore,
    redis: Redis,
    settings: JobSettings,
    job: Job,
    full_memory: Callable[[], AbstractContextManager[None]],
) -> None:
    """It is what ends the shortage."""
    repository.create(job, queue=queue, inputs=bundles.add({IMAGE: b"png"}))
    end(repository, job, "succeeded", bundles)
    uploads = UploadRepository(redis, "fixlip", retention_s=settings.upload_retention_s)
    uploads.create(bundles.add({IMAGE: b"jpg"}), tenant="ours", sha256="0" * 64, size=(1, 1), size_bytes=3)
    for key in ("fixlip:expiring", "fixlip:expiring_uploads", "fixlip:unheld"):
        hasten(redis, key, settings.retention_s + DAY_S)

    with full_memory(), pytest.raises(OutOfMemoryError):
        Upkeep(redis, settings, bundles).sweep()

    assert files_in(settings.data_dir) == 0
    assert (repository.stored_bytes("default"), repository.stored_bytes("ours")) == (0, 0)
    assert not redis.exists("fixlip:expiring", "fixlip:expiring_uploads", "fixlip:unheld", f"fixlip:job:{job.id}")


def files_in(data_dir: Path) -> int:
    return len([path for path in (data_dir / "bundles").rglob("*") if path.is_file()])


def test_jobs_may_be_kept_for_ever(redis: Redis, queue: JobQueue, bundles: BundleStore, job: Job) -> None:
    repository = JobRepository(redis, retention_s=0)
    repository.create(job, queue=queue)
    end(repository, job, "succeeded", bundles)
    assert repository.get(job.id).expires_at is None
    assert redis.zcard("fixlip:expiring") == 0


def test_a_job_that_has_ended_before_it_was_begun_is_kept_as_long(
    repository: JobRepository, redis: Redis, bundles: BundleStore, job: Job
) -> None:
    born = job.model_copy(update={"status": JobStatus.SUCCEEDED, "output": OUTPUT})
    results = bundles.add({"result.json": b"{}"})
    repository.create(born, results=results)
    assert repository.get(job.id).expires_at is not None
    assert repository.row(job.id).books.results == results
    assert redis.zcard("fixlip:expiring") == 1
    assert repository.stored_bytes("default") == results.size_bytes


def test_a_job_that_nobody_begins_expires(
    lifetimes: Lifetimes, repository: JobRepository, queue: JobQueue, redis: Redis, settings: JobSettings, job: Job
) -> None:
    repository.create(job, queue=queue, cost_passes=9)
    lifetimes.end_what_is_due()
    assert repository.get(job.id).status is JobStatus.QUEUED
    hasten(redis, "fixlip:unbegun", settings.queue_ttl_s + 1)
    lifetimes.end_what_is_due()
    expired = repository.get(job.id)
    assert expired.status is JobStatus.EXPIRED
    assert expired.error is not None
    assert expired.error.code == "queue_ttl_exceeded"
    assert expired.expires_at is not None
    assert (queue.depth(), repository.queue_state().queued_passes) == (0, 0)
    assert repository.claim(job.id, "w/1", ttl_s=60) is None
    assert redis.zcard("fixlip:unbegun") == 0


def test_a_delayed_job_that_nobody_begins_expires_too(
    lifetimes: Lifetimes, repository: JobRepository, queue: JobQueue, redis: Redis, job: Job
) -> None:
    repository.create(job, queue=queue)
    repository.put_off(job.id, delay_s=60)
    hasten(redis, "fixlip:unbegun", 2 * DAY_S)
    lifetimes.end_what_is_due()
    assert repository.get(job.id).status is JobStatus.EXPIRED
    assert repository.queue_state().delayed == 0


def test_a_job_that_was_begun_once_waits_as_long_as_it_must(
    lifetimes: Lifetimes, repository: JobRepository, queue: JobQueue, redis: Redis, job: Job
) -> None:
    repository.create(job, queue=queue)
    claim = repository.claim(job.id, "w/1", ttl_s=60)
    assert claim is not None
    repository.hand_back(claim.lease, queue=queue)
    redis.zadd("fixlip:unbegun", {job.id: 1.0})  # as if another version had forgotten to take it out
    lifetimes.end_what_is_due()
    assert repository.get(job.id).status is JobStatus.QUEUED
    assert redis.zcard("fixlip:unbegun") == 0


def test_jobs_may_wait_for_ever(
    redis: Redis, repository: JobRepository, queue: JobQueue, settings: JobSettings, bundles: BundleStore, job: Job
) -> None:
    repository.create(job, queue=queue)
    hasten(redis, "fixlip:unbegun", 1000 * DAY_S)
    Lifetimes(redis, settings.model_copy(update={"queue_ttl_s": 0}), bundles).end_what_is_due()
    assert repository.get(job.id).status is JobStatus.QUEUED


def test_a_sweep_takes_a_bounded_number_and_the_next_the_rest(
    lifetimes: Lifetimes, repository: JobRepository, redis: Redis, job: Job
) -> None:
    for _ in range(MOST_AT_ONCE + 20):
        repository.create(job.model_copy(update={"id": new_job_id(), "status": JobStatus.CANCELED}))
    hasten(redis, "fixlip:expiring", 8 * DAY_S)
    lifetimes.end_what_is_due()
    assert redis.zcard("fixlip:expiring") == 20
    lifetimes.end_what_is_due()
    assert redis.zcard("fixlip:expiring") == 0
    assert redis.keys("fixlip:job:*") == []


def test_what_cannot_be_read_is_left_alone_and_keeps_no_other_job(
    lifetimes: Lifetimes, repository: JobRepository, redis: Redis, job: Job, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = [job.model_copy(update={"id": new_job_id(), "status": JobStatus.CANCELED}) for _ in range(3)]
    for each in jobs:
        repository.create(each)
    redis.hset(f"fixlip:job:{jobs[0].id}", "metrics", b'{"of_another_version": 1}')
    redis.delete(f"fixlip:job:{jobs[1].id}")
    hasten(redis, "fixlip:expiring", 8 * DAY_S)
    for _ in range(3):
        lifetimes.end_what_is_due()
    assert redis.zrange("fixlip:expiring", 0, -1) == [jobs[0].id.encode()]
    assert caplog.text.count(jobs[0].id) == 1


def test_many_may_remove_at_once(
    redis: Redis, settings: JobSettings, repository: JobRepository, bundles: BundleStore, job: Job
) -> None:
    results = bundles.add({"result.json": b"{}"})
    for k in range(40):
        born = {"id": new_job_id(), "status": JobStatus.SUCCEEDED, "output": OUTPUT}
        repository.create(job.model_copy(update=born), tenant=f"t{k % 2}", results=results)
    assert [repository.stored_bytes(f"t{k}") for k in range(3)] == [20 * results.size_bytes] * 2 + [0]
    hasten(redis, "fixlip:expiring", 8 * DAY_S)
    hasten(redis, "fixlip:unheld", DAY_S)
    with ThreadPoolExecutor(4) as pool:
        for sweep in [pool.submit(Lifetimes(redis, settings, bundles).end_what_is_due) for _ in range(4)]:
            sweep.result()
    Lifetimes(redis, settings, bundles).end_what_is_due()
    assert redis.keys("fixlip:job:*") == redis.keys("fixlip:holders:*") == []
    assert [repository.stored_bytes(f"t{k}") for k in range(2)] == [0, 0]
    assert files_in(settings.data_dir) == 0


def test_a_store_that_is_away_is_told_once_and_what_is_due_goes_later(
    lifetimes: Lifetimes,
    bundles: BundleStore,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    settings: JobSettings,
) -> None:
    bundles.add({"a": b"orphan"})
    hasten(redis, "fixlip:unheld", DAY_S)
    away = settings.data_dir / "away"
    (settings.data_dir / "bundles").rename(away)
    (settings.data_dir / "bundles").write_bytes(b"no directory")
    for _ in range(3):
        lifetimes.end_what_is_due()
        redis.delete(*redis.keys("fixlip:removing:*"))  # as they lapse
    assert caplog.text.count("stays in the store") == 1
    (settings.data_dir / "bundles").unlink()
    away.rename(settings.data_dir / "bundles")
    lifetimes.end_what_is_due()
    assert files_in(settings.data_dir) == 0


class TestDeletion:
    def test_a_job_that_has_ended_can_be_deleted_at_once(
        self, lifetimes: Lifetimes, repository: JobRepository, bundles: BundleStore, settings: JobSettings, job: Job
    ) -> None:
        repository.create(job, tenant="ours", inputs=bundles.add({IMAGE: b"png"}))
        end(repository, job, "succeeded", bundles)
        assert repository.stored_bytes("ours") > 0
        repository.delete(job.id, tenant="ours")
        with pytest.raises(JobNotFoundError):
            repository.get(job.id)
        with pytest.raises(JobNotFoundError):
            repository.delete(job.id, tenant="ours")
        assert repository.stored_bytes("ours") == 0

    def test_so_it_can_although_memory_is_full(
        self, repository: JobRepository, job: Job, full_memory: Callable[[], AbstractContextManager[None]]
    ) -> None:
        repository.create(job.model_copy(update={"status": JobStatus.CANCELED}))

        with full_memory():
            repository.delete(job.id, tenant="default")

        with pytest.raises(JobNotFoundError):
            repository.get(job.id)

    def test_an_open_job_cannot(self, repository: JobRepository, queue: JobQueue, job: Job) -> None:
        repository.create(job, queue=queue)
        with pytest.raises(JobOpenError, match="queued"):
            repository.delete(job.id)
        repository.claim(job.id, "w/1", ttl_s=60)
        with pytest.raises(JobOpenError, match="running"):
            repository.delete(job.id)

    def test_another_tenants_job_is_not_found(self, repository: JobRepository, job: Job) -> None:
        repository.create(job.model_copy(update={"status": JobStatus.CANCELED}), tenant="theirs", results=RESULTS)
        with pytest.raises(JobNotFoundError):
            repository.delete(job.id, tenant="ours")
        with pytest.raises(JobNotFoundError):
            repository.row(job.id, tenant="ours")
        assert repository.row(job.id, tenant="theirs").books.results == RESULTS

    def test_of_many_that_delete_it_one_does(self, repository: JobRepository, job: Job) -> None:
        repository.create(job.model_copy(update={"status": JobStatus.CANCELED}), inputs=RESULTS)

        def delete() -> bool:
            try:
                repository.delete(job.id)
            except JobNotFoundError:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(lambda _: delete(), range(8))) == 1
        assert repository.stored_bytes("default") == 0
