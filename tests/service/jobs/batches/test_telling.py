"""Whoever asked to be told of a batch's end is told, once for each end."""

from __future__ import annotations

import uuid

import pytest
from redis import Redis

from service.jobs.batches.records import Batch, BatchStatus
from service.jobs.batches.repository import BatchRepository
from service.jobs.outbox import Letter, Outbox
from service.jobs.records import JobWebhook, WebhookState
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


def test_without_a_webhook_nobody_is_told(
    outbox: Outbox, batches: BatchRepository, store: BundleStore, worker: HandWorker
) -> None:
    batch = made(batches, store, url=None)
    worker.run_all(batches)
    assert claim(outbox) == []
    assert batches.get(batch.id).webhook is None


def test_a_try_that_failed_is_followed_by_another(
    outbox: Outbox, batches: BatchRepository, store: BundleStore, worker: HandWorker
) -> None:
    batch = made(batches, store)
    worker.run_all(batches)
    (letter,) = claim(outbox)
    outbox.retry(letter, delay_s=0)
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
