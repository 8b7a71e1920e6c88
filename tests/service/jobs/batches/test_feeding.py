from __future__ import annotations

import logging
import random
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from service.jobs._keys import Keys, text
from service.jobs.batches.feeding import Feeder
from service.jobs.batches.records import BatchStatus, ItemStatus, batch_job_id
from service.jobs.batches.repository import BatchRepository
from service.jobs.errors import BatchFinalError, JobFinalError, StorageUnavailableError
from service.jobs.queue import JobQueue
from service.jobs.records import Job, new_job_id
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from service.jobs.storage.bundles import BundleStore
from tests.support.batches import HandWorker, batch_items
from tests.support.jobs import OUTPUT, submit

ID, OTHER = "0" * 32, "f" * 32


@pytest.fixture
def feeder(redis: Redis, settings: JobSettings, store: BundleStore) -> Feeder:
    return Feeder(redis, settings, store)


def taken(worker: HandWorker, feeder: Feeder, count: int) -> list[Job]:
    """The next jobs in the queue's order, each of which makes room for another, and succeeds."""
    found = []
    for _ in range(count):
        claim = worker.take()
        feeder.feed()
        worker.succeed(claim)
        found.append(claim.job)
    return found


def test_no_more_jobs_than_the_window_are_in_the_queue(
    batches: BatchRepository, store: BundleStore, worker: HandWorker, feeder: Feeder, queue: JobQueue
) -> None:
    batches.create(ID, batch_items(store, 20))
    batches.create(OTHER, batch_items(store, 20))
    assert (queue.depth(), feeder.feed()) == (4, 0)
    for left in (4, 4, 4):
        worker.succeed(worker.take())
        assert feeder.feed() == 1
        assert queue.depth() == left


def test_what_runs_does_not_count(
    batches: BatchRepository, store: BundleStore, worker: HandWorker, feeder: Feeder, queue: JobQueue
) -> None:
    batches.create(ID, batch_items(store, 20))
    for _ in range(10):
        worker.take()
        feeder.feed()
    assert (queue.depth(), batches.get(ID).request_counts.running) == (4, 10)


def test_batches_take_turns(batches: BatchRepository, store: BundleStore, worker: HandWorker, feeder: Feeder) -> None:
    batches.create(ID, batch_items(store, 20))
    batches.create(OTHER, batch_items(store, 6))
    third = new_job_id()
    of = [job.batch_id for job in taken(worker, feeder, 8)]
    assert of == [ID] * 4 + [OTHER, ID] * 2  # the first four were in the queue before there was another batch
    batches.create(third, batch_items(store, 2))
    of = [job.batch_id for job in taken(worker, feeder, 17)]
    assert Counter(of[4:10]) == {ID: 2, OTHER: 2, third: 2}
    assert Counter(of[10:]) == {ID: 7}


def test_a_jobs_items_are_made_in_their_order(
    batches: BatchRepository, store: BundleStore, worker: HandWorker, feeder: Feeder
) -> None:
    batches.create(ID, batch_items(store, 12))
    assert [job.custom_id for job in taken(worker, feeder, 12)] == [f"item-{index}" for index in range(12)]
    assert batches.get(ID).status is BatchStatus.SUCCEEDED


def test_a_job_that_comes_alone_waits_behind_the_window_at_most(
    batches: BatchRepository,
    store: BundleStore,
    worker: HandWorker,
    feeder: Feeder,
    jobs: JobRepository,
    queue: JobQueue,
) -> None:
    batches.create(ID, batch_items(store, 1000))
    taken(worker, feeder, 3)
    alone = submit(jobs, store, queue)
    ids = [job.id for job in taken(worker, feeder, 5)]
    assert ids.index(alone.id) <= 4
    assert batches.get(ID).request_counts.total == 1000


def test_jobs_of_a_batch_take_no_room_from_jobs_that_come_alone(
    batches: BatchRepository, store: BundleStore, redis: Redis
) -> None:
    batches.create(ID, batch_items(store, 10))
    assert redis.scard(Keys("fixlip").queued_of("default")) == 0


def test_jobs_that_are_put_off_for_want_of_their_model_hold_up_nobody_else(
    batches: BatchRepository, store: BundleStore, worker: HandWorker, feeder: Feeder, jobs: JobRepository, redis: Redis
) -> None:
    batches.create(ID, batch_items(store, 100))
    for _ in range(10):
        for job_id in [text(entry).partition("-")[0] for entry in redis.lrange("rq:queue:fixlip", 0, -1)]:
            redis.delete("rq:queue:fixlip")
            jobs.put_off(job_id, delay_s=3600)
        feeder.feed()
    delayed = jobs.queue_state().delayed
    assert 4 <= delayed <= 8
    batches.create(OTHER, batch_items(store, 5))
    assert {job.batch_id for job in taken(worker, feeder, 5)} == {OTHER}


def test_an_earlier_answer_is_used_where_that_is_wanted(
    batches: BatchRepository, store: BundleStore, worker: HandWorker, jobs: JobRepository, feeder: Feeder
) -> None:
    results = store.add({"result.json": b"{}"})
    batches.create(ID, batch_items(store, 1, question="q"))
    worker.succeed(worker.take(), results=results)
    batches.create(OTHER, batch_items(store, 30, question="q"))
    while feeder.feed():
        pass
    batch = batches.get(OTHER)
    assert (batch.status, batch.request_counts.completed) == (BatchStatus.SUCCEEDED, 30)
    row = jobs.row(batch_job_id(OTHER, 29, 0))
    assert (row.job.cached, row.job.output == OUTPUT, row.books.results) == (True, True, results)

    third = new_job_id()
    batches.create(third, batch_items(store, 2, question="q", use_cache=False))
    assert [job.batch_id for job in taken(worker, feeder, 2)] == [third] * 2


def test_jobs_without_work_do_not_keep_a_feeder_for_long(
    batches: BatchRepository,
    store: BundleStore,
    worker: HandWorker,
    feeder: Feeder,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("service.jobs.batches.feeding.FEEDS_FOR_S", 0.0)
    results = store.add({"result.json": b"{}"})
    batches.create(ID, batch_items(store, 1, question="q"))
    worker.succeed(worker.take(), results=results)
    batches.create(OTHER, batch_items(store, 10, question="q"))
    assert batches.get(OTHER).request_counts.completed == 4
    assert (feeder.feed(), feeder.feed(), feeder.feed()) == (4, 2, 0)


def _lose(path: Path) -> None:
    path.unlink()


def _damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(bytes(data))


def _replace_first_line(path: Path) -> None:
    path.write_bytes(b"{}\n" + path.read_bytes())


@pytest.mark.parametrize("harm", [_lose, _damage, _replace_first_line])
def test_a_batch_whose_items_are_lost_fails_as_far_as_it_has_not_become_jobs(
    harm: Callable[[Path], None],
    batches: BatchRepository,
    store: BundleStore,
    worker: HandWorker,
    redis: Redis,
    settings: JobSettings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    items = batch_items(store, 10)
    batches.create(ID, items)
    first = worker.take()
    (path,) = [path for path in settings.data_dir.rglob("bundles/*/*") if b"items/000000" in path.read_bytes()]
    whole = path.read_bytes()
    harm(path)
    late = Feeder(redis, settings, BundleStore.open(settings, redis))
    with caplog.at_level(logging.ERROR):
        assert late.feed() == 0
    assert f"batch {ID} fails" in caplog.text
    assert late.feed() == 0
    counts = batches.get(ID).request_counts
    assert (counts.queued, counts.running, counts.failed) == (3, 1, 6)

    worker.succeed(first)
    for _ in range(3):
        worker.succeed(worker.take())
    batch = batches.get(ID)
    assert batch.error is not None
    assert (batch.status, batch.error.code) == (BatchStatus.FAILED, "batch_items_lost")
    path.write_bytes(whole)
    assert {row.error and row.error.code for row in batches.rows(ID, 4, 6)} == {"batch_items_lost"}
    again = batches.retry_failed(ID)
    assert (again.status, again.error, again.request_counts.queued) == (BatchStatus.RUNNING, None, 6)
    worker.run_all(batches)
    assert batches.get(ID).request_counts.completed == 10


def test_while_the_store_is_away_a_batch_waits_and_others_go_on(
    batches: BatchRepository,
    store: BundleStore,
    worker: HandWorker,
    redis: Redis,
    settings: JobSettings,
    monkeypatch: pytest.MonkeyPatch,
    queue: JobQueue,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Feeder, "feed", lambda _: 0)
        batches.create(ID, batch_items(store, 10))
        batches.create(OTHER, batch_items(store, 10, metadata={"which": "other"}))
    lost = batches._stored(ID, None).submitted.items
    read = BundleStore.find

    def find(self: BundleStore, bundle: Any, name: str) -> Any:
        if bundle == lost:
            raise StorageUnavailableError("the store is away")
        return read(self, bundle, name)

    late = Feeder(redis, settings, BundleStore.open(settings, redis))
    with monkeypatch.context() as patch:
        patch.setattr(BundleStore, "find", find)
        assert late.feed() == 4
        assert {job.batch_id for job in taken(worker, late, 4)} == {OTHER}
    assert batches.get(ID).request_counts.queued == 10
    worker.run_all(batches)
    assert batches.get(ID).status is batches.get(OTHER).status is BatchStatus.SUCCEEDED


def test_a_feeder_that_dies_anywhere_leaves_no_job_out_and_makes_none_twice(
    batches: BatchRepository, store: BundleStore, worker: HandWorker, feeder: Feeder, redis: Redis
) -> None:
    """Whatever the last of a feeder's commands was that Redis has got."""
    batches.create(ID, batch_items(store, 40))
    made: list[str] = []
    for step in range(1, 40):
        done = 0
        execute: Callable[..., Any] = Redis.execute_command

        def dies(self: Redis, *args: Any, **options: Any) -> Any:
            nonlocal done
            done += 1
            if done > step:  # noqa: B023
                raise KeyboardInterrupt
            return execute(self, *args, **options)  # noqa: B023

        with suppress(IndexError):
            claim = worker.take()
            made.append(claim.job.id)
            worker.succeed(claim)
        with pytest.MonkeyPatch.context() as patch, suppress(KeyboardInterrupt):
            patch.setattr(Redis, "execute_command", dies)
            feeder.feed()
        redis.delete(Keys("fixlip").feeding)  # which lapses by itself
    worker.run_all(batches)
    assert len(made) == len(set(made))
    assert batches.get(ID).request_counts.completed == 40


def test_a_feeder_that_comes_too_late_makes_no_job(
    batches: BatchRepository, store: BundleStore, feeder: Feeder, queue: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has chosen its items, and then the batch is canceled."""
    with monkeypatch.context() as patch:
        patch.setattr(Feeder, "feed", lambda _: 0)
        batches.create(ID, batch_items(store, 10))
    pick = Feeder._pick

    def pick_and_wait(self: Feeder, most: int, left_out: set[str]) -> Any:
        turns = pick(self, most, left_out)
        if turns:
            with suppress(BatchFinalError):
                batches.cancel(ID)
        return turns

    with monkeypatch.context() as patch:
        patch.setattr(Feeder, "_pick", pick_and_wait)
        assert feeder.feed() == 0
    batch = batches.get(ID)
    assert (queue.depth(), batch.status, batch.request_counts.canceled) == (0, BatchStatus.CANCELED, 10)


def test_counts_are_exact_whoever_does_what_at_the_same_time(
    batches: BatchRepository, store: BundleStore, settings: JobSettings, redis: Redis, jobs: JobRepository
) -> None:
    """Workers that run, fail, hand back and say things twice; feeders; cancelers of single jobs: all at once."""
    ids = [new_job_id() for _ in range(3)]
    for batch_id in ids:
        batches.create(batch_id, batch_items(store, 40))
    queue, over = JobQueue(redis, settings), threading.Event()

    def work(seed: int) -> None:
        chance, worker = random.Random(seed), HandWorker(redis, settings)
        while not over.is_set():
            batches.go_on()
            with suppress(IndexError):
                claim = worker.take()
                if chance.random() < 0.2:
                    jobs.hand_back(claim.lease, queue=queue)
                elif chance.random() < 0.2:
                    worker.fail(claim)
                    worker.fail(claim)
                else:
                    worker.succeed(claim)
                    worker.fail(claim)
                if chance.random() < 0.2:
                    with suppress(JobFinalError, LookupError):
                        other = batch_job_id(chance.choice(ids), chance.randrange(40), 0)
                        jobs.request_cancel(other, queue=queue)

    with ThreadPoolExecutor(6) as pool:
        runs = [pool.submit(work, seed) for seed in range(6)]
        while not all(batches.get(batch_id).status.is_final for batch_id in ids):
            assert not any(run.done() for run in runs), [run.exception() for run in runs if run.done()]
        over.set()
        for run in runs:
            run.result()
    for batch_id in ids:
        found = Counter(row.status for row in batches.rows(batch_id, 0, 40))
        counts = batches.get(batch_id).request_counts
        assert counts.ended == counts.total == 40
        assert (counts.completed, counts.failed, counts.canceled) == (
            found[ItemStatus.SUCCEEDED],
            found[ItemStatus.FAILED],
            found[ItemStatus.CANCELED],
        )
        assert found.keys() <= {"succeeded", "failed", "canceled"}
    assert redis.scard(Keys("fixlip").batch_jobs_in_queue) == queue.depth() == 0
