"""Which jobs each tenant has, newest last, and which of them wait by its own doing."""

from __future__ import annotations

from redis.client import Pipeline

from service.jobs._keys import Keys
from service.jobs._rows import Row
from service.jobs.records import Job, JobStatus
from service.jobs.registers.register import Change

__all__ = ["TenantJobs", "member_of"]


def member_of(job: Job) -> str:
    """A job's name in its tenant's set: the instant of its creation in microseconds, so that names sort by age."""
    return f"{round(job.created_at.timestamp() * 1e6):017d}:{job.id}"


class TenantJobs:
    """For each tenant, the set of all its jobs and the set of those that wait.

    Those of a batch wait because it was their turn, and not by the tenant's doing: they are in the first set alone.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def enter(self, pipe: Pipeline, row: Row, now: float) -> None:
        """List a new job."""
        # Of one score, members are sorted by their names.
        pipe.zadd(self._keys.jobs_of(row.books.tenant), {member_of(row.job): 0})
        if _is_counted(row):
            pipe.sadd(self._keys.queued_of(row.books.tenant), row.job.id)

    def move(self, pipe: Pipeline, before: Row, after: Row, change: Change, now: float) -> None:
        """Note whether it waits."""
        was_queued, is_queued = _is_counted(before), _is_counted(after)
        if is_queued and not was_queued:
            pipe.sadd(self._keys.queued_of(after.books.tenant), after.job.id)
        if was_queued and not is_queued:
            pipe.srem(self._keys.queued_of(after.books.tenant), after.job.id)

    def leave(self, pipe: Pipeline, row: Row, now: float) -> None:
        """Take it off the list."""
        pipe.zrem(self._keys.jobs_of(row.books.tenant), member_of(row.job))


def _is_counted(row: Row) -> bool:
    return row.job.status is JobStatus.QUEUED and row.books.batch is None
