"""A batch goes on, whichever part is killed: a worker, the API, Redis.

What a batch asks for is in the store, and which items have become jobs is in Redis, written by the transactions that
write the jobs. Whoever begins a job of it puts the next into the queue, and every sweep looks after what was left out.
So each item gets one job, which ends once, and the batch's counts say how many of them have ended.
"""

from __future__ import annotations

from collections import Counter

from redis import Redis

from service.jobs.batches.records import Batch, BatchItem
from service.jobs.batches.repository import BatchRepository
from service.jobs.inputs import IMAGE
from service.jobs.records import JobInput, JobModel, new_job_id
from service.jobs.settings import JobSettings
from service.jobs.storage.bundles import BundleStore
from tests.faults.conftest import Scale, StartTrial
from tests.faults.orders import Order, orders
from tests.faults.stack import Stack
from tests.faults.trial import Trial
from tests.support.fake_encoder import CARD
from tests.support.processes import wait_until

WINDOW = 4


def test_a_batch_survives_every_part(trial: StartTrial, scale: Scale) -> None:
    count = 120 if scale.is_full else 12
    window = {"FIXLIP_BATCH_WINDOW": str(WINDOW)}
    with trial("kill -9 of everything, under a batch", jobs=4, in_flight=2, environment=window) as running:
        asked = [order for order, _ in zip(orders(), range(count), strict=False)]
        batch_id, stack = new_job_id(), running.stack
        _create(stack, batch_id, asked)
        for part in (stack.workers[0], stack.api, stack.redis):
            running.wait_until_busy()
            if part is stack.workers[0]:
                running.kill(stack.workers[0])
            else:
                part.kill()
                running.blows += 1
            part.start()
            stack.wait_until_ready()
        wait_until(lambda: _read(stack, batch_id).status.is_final, within_s=300)
        _assert_all_succeeded_once(running, batch_id, asked)


def _settings(stack: Stack) -> JobSettings:
    return JobSettings(redis_url=stack.redis.url, data_dir=stack.data, batch_window=WINDOW)


def _repository(stack: Stack, redis: Redis) -> BatchRepository:
    settings = _settings(stack)
    return BatchRepository(redis, settings, BundleStore.open(settings, redis))


def _create(stack: Stack, batch_id: str, asked: list[Order]) -> None:
    with stack.client() as redis:
        bundles = BundleStore.open(_settings(stack), redis)
        items = [_item(bundles, index, order) for index, order in enumerate(asked)]
        _repository(stack, redis).create(batch_id, items)


def _item(bundles: BundleStore, index: int, order: Order) -> BatchItem:
    return BatchItem(
        custom_id=str(index),
        pair_id=str(index),
        model=JobModel(id=CARD.id, revision=CARD.revision),
        method="fixlip",
        params=order.params,
        input=JobInput(image_sha256="0" * 64, caption=order.caption),
        inputs=bundles.add({IMAGE: order.image}),
        cost_passes=2 * order.budget,
    )


def _read(stack: Stack, batch_id: str) -> Batch:
    with stack.client() as redis:
        return _repository(stack, redis).get(batch_id)


def _assert_all_succeeded_once(running: Trial, batch_id: str, asked: list[Order]) -> None:
    with running.stack.client() as redis:
        batches = _repository(running.stack, redis)
        rows = [row for start in range(0, len(asked), 100) for row in batches.rows(batch_id, start, 100)]
        assert Counter(row.status for row in rows) == {"succeeded": len(asked)}
        counts = batches.get(batch_id).request_counts
        assert (counts.completed, counts.total) == (len(asked), len(asked))
        for row, order in zip(rows, asked, strict=True):
            assert running.client.tensor(row.job_id) == order.answer
