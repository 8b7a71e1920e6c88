"""The queue: RQ with the JSON serializer, carrying nothing but job ids."""

from __future__ import annotations

from typing import Final

from redis import Redis
from redis.client import Pipeline
from rq import Queue
from rq.serializers import JSONSerializer

from service.jobs.settings import JobSettings

__all__ = ["TASK", "JobQueue"]

TASK: Final = "worker.tasks.run_explanation"
"""Import path of the function that workers run, with the job's id as its only argument."""

_FAILURE_TTL_S: Final = 24 * 3600


class JobQueue:
    """Jobs that wait for a worker, first in first out."""

    def __init__(self, redis: Redis, settings: JobSettings) -> None:
        self._timeout_s = settings.job_timeout_s
        self._queue = Queue(settings.queue_name, connection=redis, serializer=JSONSerializer)

    def enqueue(self, job_id: str, *, pipeline: Pipeline | None = None) -> None:
        """Append a job; with ``pipeline`` only when that transaction is executed.

        RQ's own record has the job's id, and is dropped after the run: ours is the one that counts.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        self._queue.enqueue(
            TASK,
            args=(job_id,),
            job_id=job_id,
            job_timeout=self._timeout_s,
            result_ttl=0,
            failure_ttl=_FAILURE_TTL_S,
            description=job_id,
            pipeline=pipeline,
        )

    def depth(self) -> int:
        """Number of jobs that wait."""
        return int(self._queue.count)
