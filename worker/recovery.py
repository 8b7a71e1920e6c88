"""Jobs whose worker is gone are taken up again, by whichever worker looks first."""

from __future__ import annotations

import logging
import time
from typing import Final

from redis import Redis
from rq import Queue
from rq.registry import StartedJobRegistry
from rq.serializers import JSONSerializer

from service.jobs.errors import JobNotFoundError
from service.jobs.records import JobFailure, JobStatus
from worker.runtime import Runtime

__all__ = ["Recovery"]

LOSSES_ALLOWED: Final = 1
REMEMBERED_S: Final = 24 * 3600

_log = logging.getLogger(__name__)


class Recovery:
    """Finds lost jobs; :meth:`sweep` is for every heartbeat of every worker.

    Two kinds are lost. *Orphans* run under a worker that no longer announces itself; the first time they go back to
    the queue, the second time they fail, since they may be what kills workers. *Strays* were taken from the queue but
    never claimed: their worker died between the two, and RQ alone would give them up.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._redis: Redis = runtime.redis
        self._prefix = runtime.settings.key_prefix
        self._strays_since: dict[str, float] = {}

    def sweep(self) -> None:
        """Look for lost jobs, unless another worker has done so within this heartbeat."""
        period_ms = max(1, int(self._runtime.settings.heartbeat_s * 900))
        if self._redis.set(f"{self._prefix}:sweep", self._runtime.worker_id, nx=True, px=period_ms):
            self._recover_orphans()
            self._recover_strays()

    def _recover_orphans(self) -> None:
        # A claim succeeds on a running job only when its owner is gone. The name is not this worker's own, which
        # would be given the job that this worker is running.
        claimant = f"{self._runtime.worker_id}/recovery"
        for job_id in self._runtime.repository.running_ids():
            if self._runtime.repository.claim(job_id, claimant) is not None:
                self._recover_orphan(job_id)

    def _recover_orphan(self, job_id: str) -> None:
        repository = self._runtime.repository
        self._forget_executions(job_id)
        key = f"{self._prefix}:losses:{job_id}"
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.incr(key)
            pipe.expire(key, REMEMBERED_S)
            losses, _ = pipe.execute()
        if losses <= LOSSES_ALLOWED:
            _log.warning("job %s lost its worker and is queued again", job_id)
            repository.requeue(job_id, queue=self._runtime.queue)
            return
        _log.error("job %s lost its worker %d times and is given up", job_id, losses)
        detail = f"the worker that ran the job ended without notice, {losses} times"
        repository.fail(job_id, JobFailure(code="worker_lost", detail=detail))

    def _recover_strays(self) -> None:
        """Queue what has been out of the queue and unclaimed for longer than any live worker takes."""
        now = time.monotonic()
        since = {job_id: self._strays_since.get(job_id, now) for job_id in self._strays()}
        for job_id, first_seen in since.items():
            if now - first_seen > self._runtime.settings.liveness_ttl_s:
                _log.warning("job %s was taken but never begun and is queued again", job_id)
                self._forget_executions(job_id)
                self._runtime.queue.enqueue(job_id)
        self._strays_since = since

    def _strays(self) -> set[str]:
        queue = self._rq_queue()
        started = {job_id for job_id, _ in queue.started_job_registry.get_job_and_execution_ids(cleanup=False)}
        taken = started.union(queue.intermediate_queue.get_job_ids())
        return {job_id for job_id in taken.difference(queue.get_job_ids()) if self._is_queued(job_id)}

    def _is_queued(self, job_id: str) -> bool:
        try:
            return self._runtime.repository.get(job_id).status is JobStatus.QUEUED
        except JobNotFoundError:
            return False

    def _forget_executions(self, job_id: str) -> None:
        """Drop RQ's notes of the lost run, which it would otherwise count as a failure of the next."""
        queue = self._rq_queue()
        registry: StartedJobRegistry = queue.started_job_registry
        for started_id, execution_id in registry.get_job_and_execution_ids(cleanup=False):
            if started_id == job_id:
                self._redis.zrem(registry.key, f"{job_id}:{execution_id}")
        queue.intermediate_queue.remove(job_id)

    def _rq_queue(self) -> Queue:
        return Queue(self._runtime.settings.queue_name, connection=self._redis, serializer=JSONSerializer)
