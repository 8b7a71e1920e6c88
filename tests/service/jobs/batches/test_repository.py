from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis

from service.jobs._keys import Keys
from service.jobs.batches._items import pack_items
from service.jobs.batches.records import BatchStatus, ItemStatus, batch_job_id
from service.jobs.batches.repository import BatchRepository
from service.jobs.errors import (
    BatchFinalError,
    BatchNotFoundError,
    BatchOpenError,
    BatchUnreadableError,
    InvalidPageTokenError,
    JobNotFoundError,
    NothingToRetryError,
)
from service.jobs.queue import JobQueue
from service.jobs.records import JobStatus, is_job_id, new_job_id
from service.jobs.repository import JobRepository
from service.jobs.reservations import Reservations, ReservationState
from service.jobs.storage.bundles import BundleStore
from tests.support.batches import FAILURE, HandWorker, batch_items
from tests.support.jobs import RESULTS

ID = "0123456789abcdef0123456789abcdef"


def statuses(batches: BatchRepository, batch_id: str = ID) -> list[str]:
    return [row.status for row in batches.rows(batch_id, 0, 100)]


def counts(batches: BatchRepository, batch_id: str = ID) -> dict[str, int]:
    found: dict[str, int] = batches.get(batch_id).request_counts.model_dump()
    assert sum(found.values()) == 2 * found["total"]
    return {name: number for name, number in found.items() if number and name != "total"}


def test_a_job_of_each_item_has_an_id_of_its_own() -> None:
    ids = {batch_job_id(ID, index, retry) for index in range(100) for retry in range(3)}
    assert len(ids) == 300
    assert all(map(is_job_id, ids))
    assert batch_job_id(ID, 7, 1) == batch_job_id(ID, 7, 1) != batch_job_id("f" * 32, 7, 1)


def test_a_batch_runs_from_its_first_job_to_its_last(
    batches: BatchRepository, store: BundleStore, worker: HandWorker
) -> None:
    batch = batches.create(ID, batch_items(store, 6), metadata={"run": "7"}, request_id="r1")
    assert batch is not None
    assert (batch.status, batch.metadata, batch.request_id) == (BatchStatus.QUEUED, {"run": "7"}, "r1")
    assert (batch.started_at, batch.completed_at, batch.expires_at) == (None, None, None)
    assert counts(batches) == {"queued": 6}

    worker.succeed(worker.take())
    assert batches.get(ID).status is BatchStatus.RUNNING
    worker.fail(worker.take())
    worker.take()
    batches.go_on()
    assert counts(batches) == {"queued": 3, "running": 1, "completed": 1, "failed": 1}
    assert statuses(batches) == ["succeeded", "failed", "running", "queued", "queued", "queued"]


def test_a_batch_ends_with_its_last_job_and_its_record_is_kept_for_a_while(
    batches: BatchRepository, store: BundleStore, worker: HandWorker, jobs: JobRepository
) -> None:
    batches.create(ID, batch_items(store, 6))
    worker.fail(worker.take())
    worker.run_all(batches)
    batch = batches.get(ID)
    assert batch.status is BatchStatus.SUCCEEDED
    assert counts(batches) == {"completed": 5, "failed": 1}
    assert batch.started_at is not None
    assert batch.completed_at is not None
    assert batch.expires_at is not None
    assert batch.created_at <= batch.started_at <= batch.completed_at
    assert (batch.expires_at - batch.completed_at).days == 7
    assert {jobs.get(row.job_id).expires_at for row in batches.rows(ID, 0, 6)} == {None}


def test_rows_have_what_was_asked_for_and_what_became_of_it(
    batches: BatchRepository, store: BundleStore, worker: HandWorker
) -> None:
    items = batch_items(store, 205)
    batches.create(ID, items)
    worker.fail(worker.take())
    worker.succeed(worker.take())
    first, second, third = batches.rows(ID, 0, 3)
    assert first.job is not None
    assert (first.item, first.error, first.job.batch_id, first.job.custom_id) == (items[0], FAILURE, ID, "item-0")
    assert second.job is not None
    assert second.job.output is not None
    assert (third.status, third.error) == (ItemStatus.QUEUED, None)
    assert [row.index for row in batches.rows(ID, 95, 10)] == list(range(95, 105))
    assert [row.item for row in batches.rows(ID, 195, 100)] == items[195:]
    assert [row.job for row in batches.rows(ID, 195, 100)] == [None] * 10
    assert batches.rows(ID, 205, 10) == []
    assert len(batches.rows(ID, 0, 1000)) == 100


def test_a_batch_that_is_written_twice_is_written_once(
    batches: BatchRepository, store: BundleStore, jobs: JobRepository
) -> None:
    items = batch_items(store, 2)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: batches.create(ID, items), range(4)))
    assert [batch is None for batch in made].count(False) == 1
    assert jobs.queue_state().queued == 2
    assert jobs.stored_bytes("default") == items[0].inputs.size_bytes + store.add(pack_items(items)).size_bytes


def test_another_tenants_batch_is_not_found(batches: BatchRepository, store: BundleStore) -> None:
    batches.create(ID, batch_items(store, 1), tenant="a")
    assert batches.get(ID, tenant="a") == batches.get(ID)
    for act in (batches.get, batches.cancel, batches.retry_failed, batches.delete):
        with pytest.raises(BatchNotFoundError, match=ID):
            act(ID, tenant="b")
    with pytest.raises(BatchNotFoundError):
        batches.rows(ID, 0, 1, tenant="b")
    for wrong in ("f" * 32, "../" + ID, ""):
        with pytest.raises(BatchNotFoundError):
            batches.get(wrong)


def test_what_another_version_has_written_is_not_listed(
    batches: BatchRepository, store: BundleStore, redis: Redis
) -> None:
    batches.create(ID, batch_items(store, 1))
    batches.create("f" * 32, batch_items(store, 1))
    redis.hset(Keys("fixlip").batch(ID), "submitted", "{}")
    with pytest.raises(BatchUnreadableError, match=ID):
        batches.get(ID)
    assert [batch.id for batch in batches.page("default", size=10).batches] == ["f" * 32]


def test_batches_are_listed_page_by_page_newest_first(batches: BatchRepository, store: BundleStore) -> None:
    ids = [new_job_id() for _ in range(5)]
    for batch_id in ids:
        batches.create(batch_id, batch_items(store, 1), tenant="a")
    seen, token = [], None
    while True:
        page = batches.page("a", size=2, token=token)
        seen += [batch.id for batch in page.batches]
        token = page.next_token
        if token is None:
            break
        with pytest.raises(InvalidPageTokenError):
            batches.page("b", size=2, token=token)
    assert seen == ids[::-1]
    assert batches.page("b", size=2).batches == []


def test_an_idempotency_key_stands_for_its_batch(batches: BatchRepository, store: BundleStore, redis: Redis) -> None:
    reservations = Reservations(redis)
    held = reservations.reserve("key", tenant="default", fingerprint="f")
    batches.create(held.job_id, batch_items(store, 1), reservation=held.key)
    again = reservations.reserve("key", tenant="default", fingerprint="f")
    assert (again.state, again.job_id) == (ReservationState.SETTLED, held.job_id)


def test_canceling_leaves_nothing_in_the_queue_and_asks_what_runs(
    batches: BatchRepository, store: BundleStore, worker: HandWorker, jobs: JobRepository, queue: JobQueue
) -> None:
    batches.create(ID, batch_items(store, 10))
    worker.succeed(worker.take())
    claim = worker.take()
    canceled = batches.cancel(ID)
    assert (canceled.status, canceled.cancel_requested_at is not None) == (BatchStatus.RUNNING, True)
    assert counts(batches) == {"running": 1, "completed": 1, "canceled": 8}
    assert jobs.get(claim.job.id).cancel_requested_at is not None
    assert (queue.depth(), jobs.queue_state().queued) == (0, 0)
    assert statuses(batches) == ["succeeded", "running"] + ["canceled"] * 8

    assert batches.cancel(ID).request_counts == canceled.request_counts
    jobs.cancel(claim.lease)
    batch = batches.get(ID)
    assert (batch.status, batch.completed_at is not None) == (BatchStatus.CANCELED, True)
    with pytest.raises(BatchFinalError, match=ID):
        batches.cancel(ID)
    batches.go_on()
    assert (queue.depth(), counts(batches)) == (0, {"completed": 1, "canceled": 9})


def test_a_batch_whose_jobs_had_all_ended_is_not_canceled(
    batches: BatchRepository, store: BundleStore, worker: HandWorker
) -> None:
    batches.create(ID, batch_items(store, 1))
    claim = worker.take()
    batches.cancel(ID)
    worker.succeed(claim)
    assert batches.get(ID).status is BatchStatus.SUCCEEDED


def test_a_canceler_that_dies_is_made_up_for(
    batches: BatchRepository, store: BundleStore, monkeypatch: pytest.MonkeyPatch, queue: JobQueue
) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    batches.create(ID, batch_items(store, 10))
    with monkeypatch.context() as patch:
        patch.setattr(JobRepository, "request_cancel", die)
        with pytest.raises(KeyboardInterrupt):
            batches.cancel(ID)
    assert counts(batches) == {"queued": 4, "canceled": 6}
    batches.go_on()
    assert (queue.depth(), batches.get(ID).status) == (0, BatchStatus.CANCELED)


def test_one_job_can_be_canceled_alone(
    batches: BatchRepository, store: BundleStore, worker: HandWorker, jobs: JobRepository, queue: JobQueue
) -> None:
    batches.create(ID, batch_items(store, 2))
    jobs.request_cancel(batch_job_id(ID, 0, 0), queue=queue)
    worker.run_all(batches)
    assert counts(batches) == {"completed": 1, "canceled": 1}
    assert batches.get(ID).status is BatchStatus.SUCCEEDED


def test_what_has_failed_is_asked_for_again(
    batches: BatchRepository, store: BundleStore, worker: HandWorker, jobs: JobRepository
) -> None:
    batches.create(ID, batch_items(store, 3))
    worker.fail(worker.take())
    worker.succeed(worker.take())
    with pytest.raises(BatchOpenError, match=ID):
        batches.retry_failed(ID)
    worker.fail(worker.take())

    before = batches.rows(ID, 0, 3)
    again = batches.retry_failed(ID)
    assert (again.status, again.completed_at, again.retries) == (BatchStatus.RUNNING, None, 1)
    assert counts(batches) == {"queued": 2, "completed": 1}
    assert statuses(batches) == ["queued", "succeeded", "queued"]
    after = batches.rows(ID, 0, 3)
    assert [old.job_id == new.job_id for old, new in zip(before, after, strict=True)] == [False, True, False]
    assert jobs.get(before[0].job_id).status is JobStatus.FAILED

    worker.fail(worker.take())
    worker.succeed(worker.take())
    assert batches.retry_failed(ID).retries == 2
    worker.run_all(batches)
    assert (counts(batches), batches.get(ID).status) == ({"completed": 3}, BatchStatus.SUCCEEDED)
    with pytest.raises(NothingToRetryError, match=ID):
        batches.retry_failed(ID)


def test_what_was_canceled_is_asked_for_again(batches: BatchRepository, store: BundleStore, worker: HandWorker) -> None:
    batches.create(ID, batch_items(store, 10))
    batches.cancel(ID)
    assert batches.get(ID).status is BatchStatus.CANCELED
    again = batches.retry_failed(ID)
    assert (again.cancel_requested_at, again.status) == (None, BatchStatus.QUEUED)
    assert counts(batches) == {"queued": 10}
    worker.run_all(batches)
    assert counts(batches) == {"completed": 10}


def test_a_deleted_batch_leaves_nothing(
    batches: BatchRepository, store: BundleStore, worker: HandWorker, jobs: JobRepository, redis: Redis
) -> None:
    batches.create(ID, batch_items(store, 5))
    with pytest.raises(BatchOpenError, match=ID):
        batches.delete(ID)
    worker.fail(worker.take())
    worker.run_all(batches)
    batches.retry_failed(ID)
    worker.run_all(batches)
    job_ids = [batch_job_id(ID, index, retry) for index in range(5) for retry in range(2)]
    assert jobs.stored_bytes("default") > 0
    batches.delete(ID)
    with pytest.raises(BatchNotFoundError):
        batches.get(ID)
    for job_id in job_ids:
        with pytest.raises(JobNotFoundError):
            jobs.get(job_id)
    assert jobs.stored_bytes("default") == 0
    assert batches.page("default", size=10).batches == []
    left = [key.decode() for key in redis.scan_iter("fixlip:*") if ID in key.decode() or b"holders" in key]
    assert left == []
    with pytest.raises(BatchNotFoundError):
        batches.delete(ID)


def test_a_job_that_was_deleted_is_told_of(
    batches: BatchRepository, store: BundleStore, worker: HandWorker, jobs: JobRepository
) -> None:
    batches.create(ID, batch_items(store, 2))
    worker.run_all(batches)
    jobs.delete(batch_job_id(ID, 0, 0))
    assert statuses(batches) == ["removed", "succeeded"]
    assert counts(batches) == {"completed": 2}


def test_inputs_are_counted_once_however_many_jobs_share_them(
    batches: BatchRepository, store: BundleStore, worker: HandWorker, jobs: JobRepository
) -> None:
    items = batch_items(store, 4)
    batches.create(ID, items)
    before = jobs.stored_bytes("default")
    assert before == items[0].inputs.size_bytes + store.add(pack_items(items)).size_bytes
    claim = worker.take()
    worker.succeed(claim)
    assert (claim.inputs, jobs.stored_bytes("default")) == (items[0].inputs, before + RESULTS.size_bytes)
    jobs.delete(claim.job.id)
    assert jobs.stored_bytes("default") == before
