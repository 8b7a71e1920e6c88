"""Batches as the API would have made them, and a worker that takes each step when it is told to."""

from __future__ import annotations

import uuid
from contextlib import suppress
from typing import Any

from redis import Redis

from service.jobs._keys import text
from service.jobs.batches.records import BatchItem
from service.jobs.batches.repository import BatchRepository
from service.jobs.inputs import IMAGE
from service.jobs.leases import Claim
from service.jobs.queue import job_of
from service.jobs.records import JobFailure, JobInput, JobModel
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from service.jobs.storage.bundle import Bundle
from service.jobs.storage.bundles import BundleStore
from tests.support.fake_encoder import CARD
from tests.support.jobs import METRICS, OUTPUT, PARAMS, RESULTS, png

__all__ = ["FAILURE", "HandWorker", "batch_items"]

FAILURE = JobFailure(code="invalid_image", detail="the image is no image")


def batch_items(store: BundleStore, count: int, **changes: Any) -> list[BatchItem]:
    """Items of the fake model and one picture, which is in the store by now."""
    inputs = store.add({IMAGE: png()})
    fields: dict[str, Any] = {
        "model": JobModel(id=CARD.id, revision=CARD.revision),
        "method": "fixlip",
        "params": PARAMS,
        "inputs": inputs,
        "cost_passes": 10,
    }
    return [
        BatchItem(
            **{
                **fields,
                "custom_id": f"item-{index}",
                "pair_id": f"pair-{index}",
                "input": JobInput(image_sha256="0" * 64, caption=f"a red circle {index}"),
                **changes,
            }
        )
        for index in range(count)
    ]


class HandWorker:
    """Takes jobs from the queue's front, one at a time, and says that they have ended."""

    def __init__(self, redis: Redis, settings: JobSettings) -> None:
        self._redis = redis
        self._queue_key = f"rq:queue:{settings.queue_name}"
        self._jobs = JobRepository.of(settings, redis)

    def take(self) -> Claim:
        """The next job that is to be run.

        Raises:
            IndexError: the queue is empty.
        """
        while (entry := self._redis.lpop(self._queue_key)) is not None:
            claim = self._jobs.claim(job_of(text(entry)), uuid.uuid4().hex, ttl_s=60)
            if claim is not None:
                return claim
        raise IndexError("the queue is empty")

    def run_all(self, batches: BatchRepository) -> None:
        """Run all that is or comes into the queue, and let all of it succeed."""
        with suppress(IndexError):
            while True:
                claim = self.take()
                batches.go_on()
                self.succeed(claim)

    def succeed(self, claim: Claim, *, results: Bundle = RESULTS) -> bool:
        """The job has its results."""
        return self._jobs.succeed(claim.lease, OUTPUT, METRICS, results=results)

    def fail(self, claim: Claim) -> bool:
        """The job has failed."""
        return self._jobs.fail(claim.lease, FAILURE)
