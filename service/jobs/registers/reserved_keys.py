"""Which job was submitted under which Idempotency-Key."""

from __future__ import annotations

from typing import Final

from redis.client import Pipeline

from service.jobs._keys import Keys
from service.jobs._rows import ReservedKey, Row
from service.jobs.registers.register import Change

__all__ = ["RESERVED_FOR_S", "ReservedKeys", "settle"]

RESERVED_FOR_S: Final = 24 * 3600


class ReservedKeys:
    """Settles a key in the transaction that writes its job: whoever uses the key again finds this job or none.

    :class:`service.jobs.reservations.Reservations` has the keys before that.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def enter(self, pipe: Pipeline, row: Row, now: float) -> None:
        """The job of a key is written."""
        if row.books.reservation is not None:
            settle(pipe, self._keys, row.books.reservation, row.job.id)

    def move(self, pipe: Pipeline, before: Row, after: Row, change: Change, now: float) -> None:
        """Whatever becomes of the job, the key stands for it."""

    def leave(self, pipe: Pipeline, row: Row, now: float) -> None:
        """The key outlives its job: a late repetition is told that it has gone, and makes no second one."""


def settle(pipe: Pipeline, keys: Keys, reserved: ReservedKey, made_id: str) -> None:
    """Add to the transaction that writes a job, or a batch, that a key stands for it from now on."""
    key = keys.reservation(reserved.digest)
    pipe.delete(key)
    pipe.hset(key, mapping={"fingerprint": reserved.fingerprint, "job_id": made_id})
    pipe.expire(key, RESERVED_FOR_S)
