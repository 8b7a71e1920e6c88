"""What keeps jobs going when workers die: it finds those that nobody runs and nobody would run."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from redis import Redis
from redis.exceptions import OutOfMemoryError

from service.jobs._keys import Keys
from service.jobs._ledger import Ledger
from service.jobs.batches.repository import BatchRepository
from service.jobs.catalogue import Catalogue
from service.jobs.errors import JobNotFoundError, JobUnreadableError, StorageUnavailableError
from service.jobs.lifetimes import Lifetimes
from service.jobs.queue import JobQueue, job_of
from service.jobs.records import JobStatus
from service.jobs.repository import JobRepository
from service.jobs.settings import JobSettings
from service.jobs.storage.bundles import BundleStore

__all__ = ["Upkeep"]

RECONCILE_EVERY_S: Final = 60.0
HOUSEKEEPING_EVERY_S: Final = 300.0
DRAFTS_KEPT_S: Final = 3600.0
MODELS_FORGOTTEN_AFTER_S: Final = 24 * 3600.0

_log = logging.getLogger(__name__)


class Upkeep:
    """Periodic care for the jobs; :meth:`sweep` is for every heartbeat of every process that cares.

    *Lapsed* jobs run under a lease that was not renewed: they are taken back. *Delayed* jobs whose time has come enter
    the queue. *Strays* are queued by their record and in no queue: their worker died between taking and claiming them,
    or the queue has lost them. Batches go on: see
    :class:`~service.jobs.batches.repository.BatchRepository`. What has lived for long enough is ended and removed, see
    :class:`~service.jobs.lifetimes.Lifetimes`. All of this may be done by several processes at once and any number of
    times. A job whose record cannot be read is left alone.

    Args:
        redis: where the jobs are.
        settings: of the jobs.
        bundles: the jobs' files.
    """

    def __init__(self, redis: Redis, settings: JobSettings, bundles: BundleStore) -> None:
        self._redis = redis
        self._settings = settings
        self._bundles = bundles
        self._keys = Keys(settings.key_prefix)
        self._ledger = Ledger(redis, self._keys)
        self._repository = JobRepository.of(settings, redis)
        self._queue = JobQueue(redis, settings)
        self._lifetimes = Lifetimes(redis, settings, bundles)
        self._batches = BatchRepository(redis, settings, bundles)
        self._answering_since = self._answered_at = -math.inf
        self._unreadable: set[str] = set()

    def sweep(self) -> None:
        """Do what is due, unless another process has done so within this heartbeat.

        After an outage of Redis every lease has lapsed, whether its worker lives or not. So nothing is done until
        Redis has answered this process for as long as a living worker may take to renew its leases. A full memory is
        an outage, too, but what is due is removed: nothing else would end it.

        Raises:
            redis.RedisError: Redis did not answer, or its memory is full.
        """
        try:
            is_time = self._has_answered_long_enough()
        except OutOfMemoryError:
            self._lifetimes.remove_what_is_due()
            raise
        if is_time and self._is_turn("sweep", 0.9 * self._settings.heartbeat_s):
            self._take_back_lapsed()
            self._promote_delayed()
            self._promote_strays()
            self._batches.go_on()
            self._lifetimes.end_what_is_due()
            if self._is_turn("housekeeping", HOUSEKEEPING_EVERY_S):
                self._keep_house()
        self._answered_at = time.monotonic()

    def _has_answered_long_enough(self) -> bool:
        # It must be a write: with its memory full, Redis reads on, while nobody can renew a lease.
        self._redis.set(self._keys.turn("probe"), b"", px=1000)
        now = time.monotonic()
        # A lease outlives a break of two heartbeats, whether it was Redis or this process that did not go on.
        if now - self._answered_at > 2 * self._settings.heartbeat_s:
            self._answering_since = now
        return now - self._answering_since >= self._settings.liveness_ttl_s

    def _is_turn(self, task: str, period_s: float) -> bool:
        return bool(self._redis.set(self._keys.turn(task), b"", nx=True, px=max(1, int(1000 * period_s))))

    def _take_back_lapsed(self) -> None:
        for job_id in self._ledger.members(self._keys.leases, until=self._ledger.now()):
            with self._if_readable():
                status = self._repository.take_back(job_id, queue=self._queue)
                if status is not None:
                    _log.warning("job %s lost its worker and is %s now", job_id, status, extra={"job_id": job_id})

    def _promote_delayed(self) -> None:
        for job_id in self._ledger.members(self._keys.delayed, until=self._ledger.now()):
            with self._if_readable():
                self._repository.promote(job_id, entry=None, queue=self._queue)

    def _promote_strays(self) -> None:
        """Enqueue again what has been out of the queue, and run by nobody, for longer than any living worker takes."""
        seen = self._ledger.members(self._keys.strays)
        strays, now = self._strays(frozenset(seen)), self._ledger.now()
        with self._redis.pipeline(transaction=True) as pipe:
            for entry in strays - seen.keys():
                pipe.zadd(self._keys.strays, {entry: now}, nx=True)
            for entry in seen.keys() - strays:
                pipe.zrem(self._keys.strays, entry)
            pipe.execute()
        for entry in strays:
            if now - seen.get(entry, now) > self._settings.liveness_ttl_s:
                self._queue.forget(entry)
                with self._if_readable():
                    job_id = job_of(entry)
                    if self._repository.promote(job_id, entry=entry, queue=self._queue):
                        ids = {"job_id": job_id}
                        _log.warning("job %s had dropped out of the queue and is queued again", job_id, extra=ids)

    def _strays(self, seen: frozenset[str]) -> set[str]:
        """Entries that workers took although no lease tells of it, and those that have vanished from the queue."""
        leased = self._ledger.members(self._keys.leases)
        taken = {entry for entry in self._queue.taken() if job_of(entry) not in leased}
        doubtful = {job_of(entry) for entry in seen - taken}
        is_complete = self._is_turn("reconcile", RECONCILE_EVERY_S)
        if not doubtful and not is_complete:
            return taken
        waiting = self._queue.waiting()
        if is_complete:
            doubtful |= self._ledger.members(self._keys.queued).keys() - set(map(job_of, waiting))
        return taken.union(filter(None, map(self._entry_of, doubtful))) - waiting

    def _entry_of(self, job_id: str) -> str | None:
        """The entry of a queued job that is not delayed."""
        with suppress(JobNotFoundError), self._if_readable():
            row = self._ledger.row(job_id)
            return row.books.entry if row.job.status is JobStatus.QUEUED else None
        return None

    @contextmanager
    def _if_readable(self) -> Iterator[None]:
        """Leave a job whose record cannot be read to others, who can, and go on with the next; it is told once."""
        try:
            yield
        except JobUnreadableError as error:
            if error.job_id not in self._unreadable:
                self._unreadable.add(error.job_id)
                _log.warning("%s", error)

    def _keep_house(self) -> None:
        """Forget models that nobody serves, and remove what dead writers have left."""
        Catalogue(self._redis, self._settings.key_prefix).forget(silent_for_s=MODELS_FORGOTTEN_AFTER_S)
        try:
            self._bundles.delete_drafts(older_than_s=DRAFTS_KEPT_S)
        except StorageUnavailableError as error:
            _log.warning("the store was not tidied: %s", error)
