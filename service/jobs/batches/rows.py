"""A batch's items with what has become of them."""

from __future__ import annotations

import logging
from dataclasses import replace

from redis import Redis

from service.jobs._keys import Keys, text
from service.jobs._ledger import Fields, Ledger
from service.jobs.batches._items import ItemPages
from service.jobs.batches._stored import StoredBatch
from service.jobs.batches.records import BatchRow, ItemStatus, batch_job_id
from service.jobs.errors import JobNotFoundError, JobUnreadableError
from service.jobs.storage.bundles import BundleStore

__all__ = ["BatchRows"]

_log = logging.getLogger(__name__)


class BatchRows:
    """Reads items and their jobs, in a few round trips however many there are.

    Args:
        redis: where the jobs are.
        keys: names of their keys.
        bundles: where the items are.
    """

    def __init__(self, redis: Redis, keys: Keys, bundles: BundleStore) -> None:
        self._redis = redis
        self._keys = keys
        self._ledger = Ledger(redis, keys)
        self._pages = ItemPages(bundles)

    def read(self, batch: StoredBatch, start: int, size: int) -> list[BatchRow]:
        """Up to ``size`` rows from ``start``.

        Raises:
            ArtifactNotFoundError: the items are not in the store.
            StorageUnavailableError: the store does not answer, or what it gives is damaged.
            redis.RedisError: Redis did not answer.
        """
        indices = range(start, min(start + size, batch.submitted.total))
        if not indices:
            return []
        items = [self._pages.item(batch.submitted.items, index) for index in indices]
        places = self._places(batch, indices)
        stored = self._ledger.fetch([job_id for job_id, _ in places])
        return [
            self._row(BatchRow(index, item, status, job_id), fields, batch)
            for index, item, (job_id, status), fields in zip(indices, items, places, stored, strict=True)
        ]

    def _places(self, batch: StoredBatch, indices: range) -> list[tuple[str, ItemStatus]]:
        """The id of each item's job, and where the item stands if there is no such job."""
        names, keys = list(map(str, indices)), self._keys
        with self._redis.pipeline(transaction=True) as pipe:  # what is being dropped must not be missed in between
            pipe.zmscore(keys.batch_waiting(batch.id), names)
            pipe.zmscore(keys.batch_dropped(batch.id), names)
            pipe.hmget(keys.batch_retries(batch.id), names)
            pipe.hget(keys.batch(batch.id), "dropped_as")
            waiting, dropped, retries, dropped_as = pipe.execute()
        if_dropped = ItemStatus(text(dropped_as or "canceled"))
        places = []
        for index, waits, drops, retry in zip(indices, waiting, dropped, retries, strict=True):
            status = ItemStatus.QUEUED if waits is not None else if_dropped if drops is not None else ItemStatus.REMOVED
            places.append((batch_job_id(batch.id, index, int(retry or 0)), status))
        return places

    def _row(self, row: BatchRow, fields: Fields, batch: StoredBatch) -> BatchRow:
        """The row with its job, if there is one."""
        try:
            job = self._ledger.decoded(row.job_id, fields).job
        except JobNotFoundError:
            return replace(row, error=batch.error) if row.status is ItemStatus.FAILED else row
        except JobUnreadableError as error:
            _log.warning("a job is left out: %s", error)
            return row
        return replace(row, status=ItemStatus.of(job.status), job=job, error=job.error)
