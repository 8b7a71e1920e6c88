"""Job records in Redis: one hash per job, every change of status one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic_core import from_json, to_json
from redis import Redis
from redis.client import Pipeline
from redis.typing import EncodableT, FieldT

from service.jobs._keys import Keys
from service.jobs.errors import JobNotFoundError
from service.jobs.queue import JobQueue
from service.jobs.records import Job, JobFailure, JobMetrics, JobOutput, JobProgress, JobStatus, is_job_id, utc_now

__all__ = ["JobRepository"]

_OWNER: Final = "worker_id"
_RUNNING_ONLY: Final = frozenset({JobStatus.RUNNING})
_ANY_UNFINISHED: Final = frozenset({JobStatus.QUEUED, JobStatus.RUNNING})


def _encode(fields: Mapping[str, Any]) -> dict[FieldT, EncodableT]:
    return {name: to_json(value) for name, value in fields.items()}


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


class JobRepository:
    """The jobs' records.

    A hash holds each field of :class:`~service.jobs.records.Job` as JSON, and the worker that runs it. Final states are
    written once: a change that comes too late changes nothing and says so. Every method may raise
    ``redis.RedisError`` when Redis does not answer.
    """

    def __init__(self, redis: Redis, key_prefix: str = "fixlip") -> None:
        self._redis = redis
        self._keys = Keys(key_prefix)

    def create(self, job: Job, *, queue: JobQueue | None = None) -> None:
        """Store a new job; with ``queue`` it is enqueued in the same transaction, so neither exists alone."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.multi()
            pipe.hset(self._keys.job(job.id), mapping=_encode(dict(job)))
            if queue is not None:
                queue.enqueue(job.id, pipeline=pipe)
            pipe.execute()

    def get(self, job_id: str) -> Job:
        """The job's record.

        Raises:
            JobNotFoundError: no job has this id, or it cannot be one.
        """
        fields = self._redis.hgetall(self._keys.job(job_id)) if is_job_id(job_id) else {}
        if not fields:
            raise JobNotFoundError(job_id)
        values = {_text(name): from_json(value) for name, value in fields.items()}
        values.pop(_OWNER, None)
        return Job.model_validate(values)

    def claim(self, job_id: str, worker_id: str) -> Job | None:
        """Take a job to run it: a queued one, or a running one whose worker has gone.

        Returns:
            The job as it now stands, or None when there is nothing to run: it is final, it is gone, or another live
            worker has it.
        """

        def take(job: Job, owner: str | None) -> Mapping[str, Any] | None:
            if job.status is JobStatus.RUNNING and owner not in (None, worker_id) and self._is_live(str(owner)):
                return None
            now = utc_now()
            waited_s = (now - job.created_at).total_seconds()
            return {
                "status": JobStatus.RUNNING,
                "started_at": now,
                "progress": JobProgress(),
                "metrics": JobMetrics(queue_s=max(waited_s, 0.0)),
                _OWNER: worker_id,
            }

        return self.get(job_id) if self._change(job_id, _ANY_UNFINISHED, take) else None

    def set_progress(self, job_id: str, completed: int, total: int) -> bool:
        """Record forward passes done and planned; False when the job no longer runs, so that its worker may stop."""
        progress = JobProgress(completed=completed, total=total)
        return self._change(job_id, _RUNNING_ONLY, lambda *_: {"progress": progress})

    def succeed(self, job_id: str, output: JobOutput, metrics: JobMetrics) -> bool:
        """Running to succeeded; False when the job does not run."""

        def finish(job: Job, _: str | None) -> Mapping[str, Any]:
            done = JobProgress(completed=job.progress.total, total=job.progress.total)
            return self._final(JobStatus.SUCCEEDED, metrics) | {"output": output, "progress": done}

        return self._change(job_id, _RUNNING_ONLY, finish)

    def fail(self, job_id: str, error: JobFailure, metrics: JobMetrics | None = None) -> bool:
        """Queued or running to failed; False when the job is final already or gone."""
        return self._change(
            job_id,
            _ANY_UNFINISHED,
            lambda job, _: self._final(JobStatus.FAILED, metrics or job.metrics) | {"error": error},
        )

    def requeue(self, job_id: str, *, queue: JobQueue | None = None) -> bool:
        """Running back to queued, for a worker that shuts down; with ``queue`` also enqueued, in the same transaction.

        Returns:
            False when the job does not run.
        """
        fields = {
            "status": JobStatus.QUEUED,
            "started_at": None,
            "progress": JobProgress(),
            "metrics": JobMetrics(),
            _OWNER: None,
        }
        return self._change(job_id, _RUNNING_ONLY, lambda *_: fields, queue=queue)

    def running_ids(self) -> frozenset[str]:
        """Ids of the jobs that run, or whose worker went away while they ran."""
        return frozenset(map(_text, self._redis.smembers(self._keys.running)))

    @staticmethod
    def _final(status: JobStatus, metrics: JobMetrics) -> dict[str, Any]:
        return {"status": status, "completed_at": utc_now(), "metrics": metrics}

    def _is_live(self, worker_id: str) -> bool:
        lapses_at = self._redis.zscore(self._keys.workers, worker_id)
        return lapses_at is not None and lapses_at > self._redis.time()[0]

    def _change(
        self,
        job_id: str,
        sources: frozenset[JobStatus],
        plan: Callable[[Job, str | None], Mapping[str, Any] | None],
        *,
        queue: JobQueue | None = None,
    ) -> bool:
        """Write what ``plan(job, owner)`` gives, if the status is and remains one of ``sources``."""
        key = self._keys.job(job_id)

        changed = False

        def attempt(pipe: Pipeline) -> None:
            nonlocal changed
            changed = False
            try:
                job = self.get(job_id)
            except JobNotFoundError:
                return
            owner = self._redis.hget(key, _OWNER)
            if job.status not in sources or not (fields := plan(job, from_json(owner) if owner else None)):
                return
            pipe.multi()
            pipe.hset(key, mapping=_encode(fields))
            status = fields.get("status", job.status)
            mark = pipe.sadd if status is JobStatus.RUNNING else pipe.srem
            mark(self._keys.running, job_id)
            if queue is not None:
                queue.enqueue(job_id, pipeline=pipe)
            changed = True

        self._redis.transaction(attempt, key)
        return changed
