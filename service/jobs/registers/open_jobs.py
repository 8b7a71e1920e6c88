"""Which jobs wait, are put off or run, and what is still to be done for them."""

from __future__ import annotations

from redis.client import Pipeline

from service.jobs._keys import Keys
from service.jobs._rows import Row
from service.jobs.records import JobStatus
from service.jobs.registers.register import Change

__all__ = ["OpenJobs"]


class OpenJobs:
    """The sets of open jobs, in one of which each is, and the passes that wait."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def enter(self, pipe: Pipeline, row: Row, now: float) -> None:
        """Put a new job into the set where it belongs; one that has ended already, into none."""
        target = self._set_of(row)
        if target is not None:
            pipe.zadd(target, {row.job.id: row.job.created_at.timestamp()})
        if row.job.status is JobStatus.QUEUED:
            pipe.incrby(self._keys.queued_passes, row.books.cost_passes)

    def move(self, pipe: Pipeline, before: Row, after: Row, change: Change, now: float) -> None:
        """Put the job into the one set where it belongs, and keep the sums right."""
        job_id, keys = after.job.id, self._keys
        source, target = self._set_of(before), self._set_of(after)
        if source is not None and source != target:
            pipe.zrem(source, job_id)
        if target is not None:
            waits_since = after.job.created_at.timestamp()
            scores = {keys.queued: waits_since, keys.delayed: now + change.delay_s, keys.leases: now + change.lease_s}
            pipe.zadd(target, {job_id: scores[target]})
        was_queued, is_queued = (row.job.status is JobStatus.QUEUED for row in (before, after))
        pipe.incrby(keys.queued_passes, after.books.cost_passes * (is_queued - was_queued))

    def leave(self, pipe: Pipeline, row: Row, now: float) -> None:
        """Nothing is kept of a job that has ended."""

    def _set_of(self, row: Row) -> str | None:
        """The set of open jobs that the job is in; None for one that has ended."""
        if row.job.status is JobStatus.RUNNING:
            return self._keys.leases
        if row.job.status is JobStatus.QUEUED:
            return self._keys.delayed if row.books.entry is None else self._keys.queued
        return None
