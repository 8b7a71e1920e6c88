"""The queue: RQ with the JSON serializer, carrying nothing but job ids."""

from __future__ import annotations

import uuid
from typing import Final

from redis import Redis
from redis.client import Pipeline
from rq import Queue
from rq.executions import Execution, ExecutionRegistry
from rq.job import Job as RqJob
from rq.serializers import JSONSerializer

from service.jobs.settings import JobSettings

__all__ = ["TASK", "JobQueue", "job_of"]

TASK: Final = "worker.tasks.run_explanation"
"""Import path of the function that workers run, with the job's id as its only argument."""

_FAILURE_TTL_S: Final = 24 * 3600


def job_of(entry: str) -> str:
    """The id of the job that an entry of the queue stands for."""
    return entry.partition("-")[0]


class JobQueue:
    """Jobs that wait for a worker, first in first out.

    Each time a job is enqueued it gets an entry of its own, ``<job id>-<random>``, which is RQ's job id. So what a lost
    run has left in RQ's books is never taken for the next run.
    """

    def __init__(self, redis: Redis, settings: JobSettings) -> None:
        self._redis = redis
        self._timeout_s = settings.job_timeout_s
        self._queue = Queue(settings.queue_name, connection=redis, serializer=JSONSerializer)

    def enqueue(self, job_id: str, *, at_front: bool = False, pipeline: Pipeline | None = None) -> str:
        """Append a job; with ``pipeline`` only when that transaction is executed.

        Args:
            job_id: the job.
            at_front: before all others: for a job that has waited already.
            pipeline: a transaction to take part in.

        Returns:
            The job's entry. RQ drops its own record of it after the run: ours is the one that counts.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        entry = f"{job_id}-{uuid.uuid4().hex[:8]}"
        self._queue.enqueue(
            TASK,
            args=(job_id,),
            job_id=entry,
            job_timeout=self._timeout_s,
            result_ttl=0,
            failure_ttl=_FAILURE_TTL_S,
            description=job_id,
            at_front=at_front,
            pipeline=pipeline,
        )
        return entry

    def remove(self, entry: str, *, pipeline: Pipeline) -> None:
        """Take an entry out of the queue when ``pipeline`` is executed; one that is not there is no error."""
        pipeline.lrem(self._queue.key, 1, entry)
        pipeline.delete(RqJob.key_for(entry))

    def depth(self) -> int:
        """Number of entries that wait."""
        return int(self._queue.count)

    def waiting(self) -> set[str]:
        """Entries that wait."""
        return set(self._queue.get_job_ids())

    def taken(self) -> set[str]:
        """Entries that workers have taken, by RQ's books: those of dead workers are among them."""
        started = self._queue.started_job_registry.get_job_and_execution_ids(cleanup=False)
        return {entry for entry, _ in started}.union(self._queue.intermediate_queue.get_job_ids())

    def forget(self, entry: str) -> None:
        """Strike an entry from RQ's books: nobody works on it any more."""
        registry = self._queue.started_job_registry
        started = registry.get_job_and_execution_ids(cleanup=False)
        executions = [Execution(id_, entry, self._redis) for started_entry, id_ in started if started_entry == entry]
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.lrem(self._queue.intermediate_queue.key, 0, entry)
            for execution in executions:
                pipe.zrem(registry.key, execution.composite_key)
                pipe.delete(execution.key)
            pipe.delete(RqJob.key_for(entry), ExecutionRegistry(entry, self._redis).key)
            pipe.execute()
