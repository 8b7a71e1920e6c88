"""What a register is, and the change that it learns of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from redis.client import Pipeline

from service.jobs._rows import Row
from service.jobs.queue import JobQueue

__all__ = ["Change", "Register"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to write; nothing, where a job stands as it should already.

    Attributes:
        fields: the record's and the books' fields that change.
        enters: the queue that the job enters.
        at_front: whether it enters before all others.
        leaves: the queue that its entry is taken out of.
        delay_s: how long it waits until it may enter the queue.
        lease_s: how long its worker has the right to run it.
    """

    fields: Mapping[str, Any]
    enters: JobQueue | None = None
    at_front: bool = True
    leaves: JobQueue | None = None
    delay_s: float = 0.0
    lease_s: float = 0.0


class Register(Protocol):
    """Something that is kept of jobs, such as the set of those that wait.

    Each method adds commands to the transaction ``pipe`` that writes the job; ``now`` is Redis's time in seconds since
    1970.
    """

    def enter(self, pipe: Pipeline, row: Row, now: float) -> None:
        """A new job is written."""

    def move(self, pipe: Pipeline, before: Row, after: Row, change: Change, now: float) -> None:
        """A job's status is written, which may be the one that it had."""

    def leave(self, pipe: Pipeline, row: Row, now: float) -> None:
        """A job is removed; it had ended. The commands become part of a script: there are no scripts among them."""
