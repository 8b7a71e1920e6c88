"""Whoever asked to be told of a batch's end is told, once for each end."""

from __future__ import annotations

import shutil
import time
import uuid

import pytest
from redis import Redis

from service.jobs.batches.records import Batch, BatchStatus
from service.jobs.batches.repository import BatchRepository
from service.jobs.outbox import Letter, Outbox
from service.jobs.records import JobWebhook, WebhookState
from service.jobs.settings import JobSettings
from service.jobs.storage.bundles import BundleStore
from tests.support.batches import HandWorker, batch_items

URL = "https://hooks.example.com/batches"


@pytest.fixture
def outbox(redis: Redis) -> Outbox:
    return Outbox(redis)


def claim(outbox: Outbox, *, lease_s: float = 60) -> list[Letter]:
    return outbox.claim(10, lease_s=lease_s, busy={}, per_host=4)


def made(batches: BatchRepository, store: BundleStore, *, url: str | None = URL, count: int = 2) -> Batch:
    batch = batches.create(uuid.uuid4().hex, batch_items(store, count), tenant="ada", webhook_url=url)
    assert batch is not None
    return batch


def test_the_end_is_told_once(
    outbox: Outbox, batches: BatchRepository, store: BundleStore, worker: HandWorker, redis: Redis
) -> None:
    batch = made(batches, store)
    assert batch.webhook == JobWebhook(url=URL)
    worker.succeed(worker.take())
    assert claim(outbox) == []
    worker.run_all(batches)
    (letter,) = claim(outbox)
    assert (letter.host, letter.tenant, letter.about.status) == ("hooks.example.com", "ada", BatchStatus.SUCCEEDED)
    assert letter.about.id == batch.id
    outbox.delivered(letter)
    assert redis.zcard("fixlip:outbox") == 0
    assert batches.get(batch.id).webhook == JobWebhook(url=URL, state=WebhookState.DELIVERED, attempts=1)


def test_a_canceled_one_is_told_of(outbox: Outbox, batches: BatchRepository, store: BundleStore) -> None:
    batches.cancel(made(batches, store).id)
    (letter,) = claim(outbox)
    assert letter.about.status is BatchStatus.CANCELED


def test_one_that_earlier_results_answer_is_told_of(
    outbox: Outbox, batches: BatchRepository, store: BundleStore, worker: HandWorker
) -> None:
    results = store.add({"result.json": b"{}"})
    batches.create(uuid.uuid4().hex, batch_items(store, 1, question="q"))
    worker.succeed(worker.take(), results=results)
    later = batches.create(uuid.uuid4().hex, batch_items(store, 2, question="q"), webhook_url=URL)
    assert later is not None
    (letter,) = claim(outbox)
    assert (letter.about.id, letter.about.status) == (later.id, BatchStatus.SUCCEEDED)


def test_one_that_cannot_go_on_is_told_of(
    outbox: Outbox, batches: BatchRepository, store: BundleStore, settings: JobSettings, redis: Redis
) -> None:
    batch = made(batches, store, count=settings.batch_window + 1)
    shutil.rmtree(settings.data_dir / "bundles")
    later = BatchRepository(redis, settings, BundleStore.open(settings, redis))
    later.go_on()
    worker = HandWorker(redis, settings)
    for _ in range(settings.batch_window):
        assert claim(outbox) == []
        worker.fail(worker.take())
        later.go_on()
    (letter,) = claim(outbox)
    assert (letter.about.id, letter.about.status) == (batch.id, BatchStatus.FAILED)


def test_without_a_webhook_nobody_is_told(
    outbox: Outbox, batches: BatchRepository, store: BundleStore, worker: HandWorker
) -> None:
    batch = made(batches, store, url=None)
    worker.run_all(batches)
    assert claim(outbox) == []
    assert batches.get(batch.id).webhook is None


def test_a_try_that_failed_is_followed_by_another(
    outbox: Outbox, batches: BatchRepository, store: BundleStore, worker: HandWorker, redis: Redis
) -> None:
    batch = made(batches, store)
    worker.run_all(batches)
    (letter,) = claim(outbox)
    outbox.retry(letter, delay_s=60)
    assert claim(outbox) == []
    assert redis.zscore("fixlip:outbox", letter.name) == pytest.approx(time.time() + 60, abs=30)
    redis.zadd("fixlip:outbox", {letter.name: 0})
    (letter,) = claim(outbox)
    assert letter.webhook.attempts == 1
    outbox.given_up(letter)
    assert claim(outbox) == []
    assert batches.get(batch.id).webhook == JobWebhook(url=URL, state=WebhookState.FAILED, attempts=2)


def test_every_end_has_a_message_of_its_own(
    outbox: Outbox, batches: BatchRepository, store: BundleStore, worker: HandWorker
) -> None:
    batch = made(batches, store, count=1)
    worker.fail(worker.take())
    (late,) = claim(outbox)
    batches.retry_failed(batch.id)
    assert claim(outbox, lease_s=0) == []
    assert batches.get(batch.id).webhook == JobWebhook(url=URL)
    worker.run_all(batches)
    outbox.delivered(late)  # it was on its way when the batch was tried again
    (letter,) = claim(outbox)
    assert (letter.about.status, letter.webhook.attempts) == (BatchStatus.SUCCEEDED, 0)
    assert batches.get(batch.id).webhook == JobWebhook(url=URL)


def test_a_batch_that_is_open_again_is_not_told_of(
    outbox: Outbox, batches: BatchRepository, store: BundleStore, worker: HandWorker, redis: Redis
) -> None:
    batch = made(batches, store, count=1)
    worker.fail(worker.take())
    (letter,) = claim(outbox)
    batches.retry_failed(batch.id)
    redis.zadd("fixlip:outbox", {letter.name: 0})  # as for a deliverer that had claimed it just before
    assert claim(outbox, lease_s=0) == []
    worker.run_all(batches)
    assert [letter.about.status for letter in claim(outbox)] == [BatchStatus.SUCCEEDED]


def test_a_late_look_at_a_message_does_not_take_that_of_the_next_end(
    outbox: Outbox, batches: BatchRepository, store: BundleStore, worker: HandWorker, redis: Redis
) -> None:
    batch = made(batches, store, count=1)
    worker.fail(worker.take())
    (letter,) = claim(outbox)
    outbox.delivered(letter)
    redis.zadd("fixlip:outbox", {letter.name: 0})  # as for a deliverer that had claimed it just before
    assert claim(outbox) == []
    assert redis.zscore("fixlip:outbox", letter.name) is not None
    assert batches.get(batch.id).webhook == JobWebhook(url=URL, state=WebhookState.DELIVERED, attempts=1)


def test_with_the_batch_goes_its_message(
    outbox: Outbox, batches: BatchRepository, store: BundleStore, worker: HandWorker, redis: Redis
) -> None:
    batch = made(batches, store)
    worker.run_all(batches)
    (letter,) = claim(outbox)
    batches.delete(batch.id)
    outbox.retry(letter, delay_s=0)
    redis.zadd("fixlip:outbox", {letter.name: 0})
    assert claim(outbox) == []
    assert redis.zcard("fixlip:outbox") == 0
