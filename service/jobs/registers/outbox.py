"""Which ended jobs, and batches, somebody is to be told of."""

from __future__ import annotations

from typing import Final

from pydantic_core import Url
from redis.client import Pipeline

from service.jobs._keys import Keys
from service.jobs._rows import Row
from service.jobs.registers.register import Change

__all__ = ["OutboxEntries", "batch_letter", "batch_of", "letter_of"]

_BATCH: Final = "batch:"


def letter_of(job_id: str, url: str) -> str:
    """The message's name in the outbox: to which host it goes, for hosts take turns, and of which job it tells."""
    return f"{Url(url).host} {job_id}"


def batch_letter(batch_id: str, url: str) -> str:
    """The same of a batch's message, which enters when the script that counts its jobs finds that it has ended."""
    return letter_of(f"{_BATCH}{batch_id}", url)


def batch_of(subject: str) -> str | None:
    """The id of the batch that a message tells of; None where it tells of a job."""
    return subject.removeprefix(_BATCH) if subject.startswith(_BATCH) else None


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
