"""How jobs stand, in brief and many at a time: for those who wait for a change."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import from_json
from redis import Redis

from service.jobs._keys import Keys
from service.jobs.records import Job, JobStatus

__all__ = ["Standing", "Standings"]

_FIELDS: Final = ("status", "attempt", "progress")


@dataclass(frozen=True, slots=True)
class Standing:
    """How a job stands.

    Attributes:
        status: the job's.
        attempt: how often it was begun.
        completed: passes done.
        total: passes planned; 0 until they are.
    """

    status: JobStatus
    attempt: int
    completed: int
    total: int

    @property
    def is_final(self) -> bool:
        """Whether the job has ended."""
        return self.status.is_terminal

    @classmethod
    def of(cls, job: Job) -> Standing:
        """How ``job`` stands."""
        return cls(job.status, job.attempt, job.progress.completed, job.progress.total)


class Standings:
    """Reads how jobs stand, all of them in one round trip."""

    def __init__(self, redis: Redis, key_prefix: str = "fixlip") -> None:
        self._redis = redis
        self._keys = Keys(key_prefix)

    def read(self, job_ids: Sequence[str]) -> dict[str, Standing | None]:
        """How each of the jobs stands; None where there is no such job.

        Those that another version of this program has written, and that cannot be read, are left out.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        with self._redis.pipeline(transaction=False) as pipe:
            for job_id in job_ids:
                pipe.hmget(self._keys.job(job_id), _FIELDS)
            found = dict(zip(job_ids, pipe.execute(), strict=True))
        standings: dict[str, Standing | None] = {}
        for job_id, values in found.items():
            with suppress(ValueError, TypeError, KeyError):
                standings[job_id] = _standing(*values)
        return standings


def _standing(status: Any, attempt: Any, progress: Any) -> Standing | None:
    if status is None:
        return None
    passes = from_json(progress)
    return Standing(JobStatus(from_json(status)), int(attempt), passes["completed"], passes["total"])
