"""How long jobs may wait, and how long they are kept."""

from __future__ import annotations

from redis.client import Pipeline

from service.jobs._keys import Keys
from service.jobs._rows import Row
from service.jobs.records import JobStatus
from service.jobs.registers.register import Change

__all__ = ["Lifetimes"]


class Lifetimes:
    """Jobs that no worker has begun, by the instant of their submission; ended jobs, by that of their removal."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def enter(self, pipe: Pipeline, row: Row, now: float) -> None:
        """Note since when the job waits; of one that has ended already, until when it is kept."""
        if row.job.status is JobStatus.QUEUED:
            pipe.zadd(self._keys.unbegun, {row.job.id: now})
        self._note_end(pipe, row)

    def move(self, pipe: Pipeline, before: Row, after: Row, change: Change, now: float) -> None:
        """A job that was begun once does not wait for its first worker ever again."""
        if after.job.status is not JobStatus.QUEUED:
            pipe.zrem(self._keys.unbegun, after.job.id)
        self._note_end(pipe, after)

    def leave(self, pipe: Pipeline, row: Row, now: float) -> None:
        """It is kept no longer."""
        pipe.zrem(self._keys.expiring, row.job.id)

    def _note_end(self, pipe: Pipeline, row: Row) -> None:
        if row.job.expires_at is not None:
            pipe.zadd(self._keys.expiring, {row.job.id: row.job.expires_at.timestamp()})
