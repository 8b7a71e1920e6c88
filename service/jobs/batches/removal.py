"""How batches go: out of sight at once, and then a few jobs at a time, for there may be thousands."""

from __future__ import annotations

import logging
from contextlib import suppress

from redis import Redis
from redis.client import Pipeline

from service.jobs._keys import Keys, text
from service.jobs._ledger import Ledger
from service.jobs._removing import remove
from service.jobs.batches._scripts import REMOVE, TALLY
from service.jobs.batches._stored import StoredBatch, holder_of, member_of, read_batches
from service.jobs.batches.records import batch_job_id
from service.jobs.errors import BatchOpenError, BatchUnreadableError, JobUnreadableError
from service.jobs.registers.batches import batch_keys
from service.jobs.storage.holdings import release

__all__ = ["BatchRemoval"]

_log = logging.getLogger(__name__)


class BatchRemoval:
    """Removes batches that have ended; several processes may do so at once and any number of times.

    Every method may raise ``redis.RedisError`` when Redis does not answer.

    Args:
        redis: where they are.
        keys: names of their keys.
        retention_s: how long a batch is kept once it has ended, seconds; 0: for ever.
    """

    def __init__(self, redis: Redis, keys: Keys, *, retention_s: int) -> None:
        self._redis = redis
        self._keys = keys
        self._retention_s = retention_s
        self._ledger = Ledger(redis, keys)
        self._mark = redis.register_script(REMOVE)
        self._tally = redis.register_script(TALLY)
        self._unreadable: set[str] = set()

    def remove_due(self, *, most: int) -> None:
        """Begin to remove what has been kept for long enough, and go on with what was begun.

        Args:
            most: how many batches are begun with, and how many items are gone on with.
        """
        if self._retention_s:
            until = self._ledger.now() - self._retention_s
            for batch_id in self._ledger.members(self._keys.ended_batches, until=until, most=most):
                if (batch := self._read(batch_id)) is not None:
                    with suppress(BatchOpenError):  # what had failed has just been asked for again
                        self.begin(batch)
        self.go_on(most=most)

    def begin(self, batch: StoredBatch) -> bool:
        """Have a batch be there for nobody any more; False where that was so already.

        Raises:
            BatchOpenError: it has not ended.
        """
        keys, tenant = self._keys, batch.submitted.tenant
        answer = self._mark(
            keys=[*batch_keys(keys, batch.id), keys.batches_of(tenant), keys.removed_batches],
            args=[batch.id, member_of(batch.id, batch.submitted.created_at)],
        )
        if text(answer) == "open":
            raise BatchOpenError(batch.id)
        return text(answer) == "done"

    def go_on(self, *, most: int) -> None:
        """Remove the jobs of batches that are being removed, up to those of ``most`` items, and then the batches."""
        for batch_id, gone in self._ledger.members(self._keys.removed_batches).items():
            batch = self._read(batch_id)
            if batch is None or most <= 0:
                continue
            first, last = int(gone), min(batch.submitted.total, int(gone) + most)
            self._remove_jobs(batch, range(first, last))
            most -= last - first
            if last < batch.submitted.total:
                self._tally(keys=[self._keys.removed_batches], args=[last, batch_id])
            else:
                self._remove_batch(batch)

    def _read(self, batch_id: str) -> StoredBatch | None:
        """The batch; None where another version of this program has written it, which it is left to."""
        (batch,) = read_batches(self._redis, self._keys, [batch_id], with_removed=True)
        if isinstance(batch, BatchUnreadableError):
            self._tell_once(batch_id, batch)
            return None
        return batch

    def _remove_jobs(self, batch: StoredBatch, indices: range) -> None:
        if not indices:
            return
        retries = self._redis.hmget(self._keys.batch_retries(batch.id), list(map(str, indices)))
        for index, retried in zip(indices, retries, strict=True):
            for retry in range(int(retried or 0) + 1):
                job_id = batch_job_id(batch.id, index, retry)
                try:
                    self._ledger.remove(job_id, lambda _: True)
                except JobUnreadableError as error:
                    self._tell_once(job_id, error)

    def _remove_batch(self, batch: StoredBatch) -> None:
        keys, batch_id, now = self._keys, batch.id, self._ledger.now()
        bundles = self._redis.hgetall(keys.batch_bundles(batch_id))

        def leave(pipe: Pipeline) -> None:
            pipe.zrem(keys.removed_batches, batch_id)
            pipe.delete(*batch_keys(keys, batch_id)[1:7], keys.batch_bundles(batch_id))
            pipe.hincrby(keys.stored_bytes, batch.submitted.tenant, -sum(map(int, bundles.values())))
            for digest in bundles:
                release(pipe, keys, text(digest), holder_of(batch_id), now)

        remove(self._redis, keys.batch(batch_id), leave)

    def _tell_once(self, name: str, error: Exception) -> None:
        if name not in self._unreadable:
            self._unreadable.add(name)
            _log.warning("%s", error)
