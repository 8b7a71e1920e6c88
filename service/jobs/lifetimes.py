"""What ends by time: jobs nobody begins; jobs, batches and uploads kept for long enough; bundles nobody holds."""

from __future__ import annotations

import logging
from typing import Final

from redis import Redis

from service.jobs._keys import Keys
from service.jobs._ledger import Ledger
from service.jobs.batches.removal import BatchRemoval
from service.jobs.errors import JobUnreadableError, StorageUnavailableError
from service.jobs.queue import JobQueue
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from service.jobs.storage.bundles import BundleStore
from service.jobs.uploads import UploadRepository

__all__ = ["Lifetimes"]

MOST_AT_ONCE: Final = 500
"""Of each kind: what is due beyond it waits for the next sweep, so that none takes long."""

_log = logging.getLogger(__name__)


class Lifetimes:
    """Ends and removes what is due; several processes may do so at once and any number of times.

    Args:
        redis: where the jobs are.
        settings: of the jobs.
        bundles: the jobs' files.
    """

    def __init__(self, redis: Redis, settings: JobSettings, bundles: BundleStore) -> None:
        self._redis = redis
        self._queue_ttl_s = settings.queue_ttl_s
        self._bundles = bundles
        self._keys = Keys(settings.key_prefix)
        self._ledger = Ledger(redis, self._keys)
        self._repository = JobRepository.of(settings, redis)
        self._uploads = UploadRepository(redis, settings.key_prefix, retention_s=settings.upload_retention_s)
        self._batches = BatchRemoval(redis, self._keys, retention_s=settings.retention_s)
        self._queue = JobQueue(redis, settings)
        self._is_store_away = False
        self._unreadable: set[str] = set()

    def end_what_is_due(self) -> None:
        """Do all that is due, up to a number of each kind.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        if self._queue_ttl_s:
            self._end_unbegun()
        self.remove_what_is_due()

    def remove_what_is_due(self) -> None:
        """Remove what has been kept for long enough; a Redis whose memory is full does so, too.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        self._remove_jobs()
        self._batches.remove_due(most=MOST_AT_ONCE)
        self._uploads.remove_expired(most=MOST_AT_ONCE)
        self._remove_garbage()

    def _end_unbegun(self) -> None:
        since = self._ledger.now() - self._queue_ttl_s
        for job_id in self._ledger.members(self._keys.unbegun, until=since, most=MOST_AT_ONCE):
            try:
                if not self._repository.expire(job_id, queue=self._queue):
                    self._redis.zrem(self._keys.unbegun, job_id)  # there is no such job any more
            except JobUnreadableError as error:
                self._tell_once(error)

    def _remove_jobs(self) -> None:
        for job_id in self._ledger.members(self._keys.expiring, until=self._ledger.now(), most=MOST_AT_ONCE):
            try:
                if self._ledger.remove(job_id, lambda _: True) is None:
                    self._redis.zrem(self._keys.expiring, job_id)
            except JobUnreadableError as error:
                self._tell_once(error)

    def _tell_once(self, error: JobUnreadableError) -> None:
        if error.job_id not in self._unreadable:
            self._unreadable.add(error.job_id)
            _log.warning("%s", error)

    def _remove_garbage(self) -> None:
        try:
            self._bundles.collect_garbage(most=MOST_AT_ONCE)
        except StorageUnavailableError as error:
            if not self._is_store_away:
                _log.warning("what nobody needs any more stays in the store: %s", error)
            self._is_store_away = True
        else:
            self._is_store_away = False
