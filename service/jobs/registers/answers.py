"""Which job has the answer to a question that was asked before."""

from __future__ import annotations

from redis.client import Pipeline

from service.jobs._keys import Keys
from service.jobs._rows import Row
from service.jobs.records import JobStatus
from service.jobs.registers.register import Change

__all__ = ["Answers"]


class Answers:
    """The jobs that have succeeded, by the digest of their question; those answered by another's results too."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def enter(self, pipe: Pipeline, row: Row, now: float) -> None:
        """A job that is born succeeded lasts longer than the one whose results it has."""
        self._note(pipe, row, now)

    def move(self, pipe: Pipeline, before: Row, after: Row, change: Change, now: float) -> None:
        """A job that succeeds has the freshest answer."""
        self._note(pipe, after, now)

    def leave(self, pipe: Pipeline, row: Row, now: float) -> None:
        """With the job goes its answer."""
        if row.books.answers is not None:
            pipe.zrem(self._keys.answers(row.books.answers), row.job.id)

    def _note(self, pipe: Pipeline, row: Row, now: float) -> None:
        if row.job.status is JobStatus.SUCCEEDED and row.books.answers is not None:
            pipe.zadd(self._keys.answers(row.books.answers), {row.job.id: now})
