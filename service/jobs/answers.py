"""Results of earlier jobs that answer a question that is asked again."""

from __future__ import annotations

from contextlib import suppress

from redis import Redis

from service.jobs._keys import Keys, text
from service.jobs._ledger import Ledger
from service.jobs.errors import JobNotFoundError, JobUnreadableError, StorageUnavailableError
from service.jobs.records import Job, JobMetrics, JobStatus, utc_now
from service.jobs.storage.bundle import Bundle
from service.jobs.storage.bundles import BundleStore

__all__ = ["AnswerBook", "answered"]


class AnswerBook:
    """Finds what :class:`service.jobs.registers.answers.Answers` keeps.

    Args:
        redis: where the jobs are.
        key_prefix: first part of every key.
        store: where their results are.
    """

    def __init__(self, redis: Redis, key_prefix: str, store: BundleStore) -> None:
        self._redis = redis
        self._keys = Keys(key_prefix)
        self._ledger = Ledger(redis, self._keys)
        self._store = store

    def find(self, question: str) -> tuple[Job, Bundle] | None:
        """A job that has succeeded, and its results, which stay long enough for another job to hold them, too.

        Args:
            question: digest of all that the answer depends on, the tenant included.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        newest = self._redis.zrevrange(self._keys.answers(question), 0, 0)
        if not newest:
            return None
        try:
            row = self._ledger.row(text(newest[0]))
        except (JobNotFoundError, JobUnreadableError):
            return None
        results = row.books.results
        if row.job.status is not JobStatus.SUCCEEDED or results is None:
            return None
        with suppress(StorageUnavailableError):  # they are being removed
            # Claimed and held they are there, and stay, whatever becomes of that job from now on.
            return (row.job, results) if self._store.claim(results) else None
        return None


def answered(job: Job, earlier: Job) -> Job:
    """``job`` as one that has succeeded already, at no cost, by what ``earlier`` found."""
    now = utc_now()
    done = {
        "status": JobStatus.SUCCEEDED,
        "cached": True,
        "output": earlier.output,
        "progress": earlier.progress,
        "metrics": JobMetrics(queue_s=0.0, run_s=0.0, forward_passes=0, evaluation_passes=0 if job.evaluate else None),
        "started_at": now,
        "completed_at": now,
    }
    return job.model_copy(update=done)
