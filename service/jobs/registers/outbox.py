"""Which ended jobs somebody is to be told of."""

from __future__ import annotations

from pydantic_core import Url
from redis.client import Pipeline

from service.jobs._keys import Keys
from service.jobs._rows import Row
from service.jobs.registers.register import Change

__all__ = ["OutboxEntries", "letter_of"]


def letter_of(job_id: str, url: str) -> str:
    """The message's name in the outbox: to which host it goes, for hosts take turns, and of which job it tells."""
    return f"{Url(url).host} {job_id}"


class OutboxEntries:
    """The messages to be delivered: each enters in the transaction that ends its job, so that none is forgotten."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def enter(self, pipe: Pipeline, row: Row, now: float) -> None:
        """Put in the message about a new job that has ended already."""
        self._put(pipe, row, now)

    def move(self, pipe: Pipeline, before: Row, after: Row, change: Change, now: float) -> None:
        """Put in the message about a job that ends."""
        if not before.job.status.is_terminal:
            self._put(pipe, after, now)

    def leave(self, pipe: Pipeline, row: Row, now: float) -> None:
        """Take the message out: there is nothing left to tell of."""
        if row.job.webhook is not None:
            pipe.zrem(self._keys.outbox, letter_of(row.job.id, row.job.webhook.url))

    def _put(self, pipe: Pipeline, row: Row, now: float) -> None:
        if row.job.webhook is not None and row.job.status.is_terminal:
            pipe.zadd(self._keys.outbox, {letter_of(row.job.id, row.job.webhook.url): now})
