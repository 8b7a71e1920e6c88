"""Which job has the answer to a question that was asked before."""

from __future__ import annotations

from typing import Final

from redis.client import Pipeline

from service.jobs._keys import Keys
from service.jobs._rows import Row
from service.jobs.records import JobStatus
from service.jobs.registers.register import Change

__all__ = ["Answers"]

_FORGET: Final = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class Answers:
    """The last job that succeeded, by the digest of its question; one that was answered by another's results too."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def enter(self, pipe: Pipeline, row: Row, now: float) -> None:
        """A job that is born succeeded lasts longer than the one whose results it has."""
        self._note(pipe, row)

    def move(self, pipe: Pipeline, before: Row, after: Row, change: Change, now: float) -> None:
        """A job that succeeds has the freshest answer."""
        self._note(pipe, after)

    def leave(self, pipe: Pipeline, row: Row, now: float) -> None:
        """With the job goes its answer, unless a later job has given one."""
        if row.books.answers is not None:
            pipe.eval(_FORGET, 1, self._keys.answer(row.books.answers), row.job.id)

    def _note(self, pipe: Pipeline, row: Row) -> None:
        if row.job.status is JobStatus.SUCCEEDED and row.books.answers is not None:
            pipe.set(self._keys.answer(row.books.answers), row.job.id)
