"""RQ's worker, without forks, signals or silence while a job runs."""

from __future__ import annotations

import threading
from typing import Any, Final

from redis import Redis, RedisError
from redis.client import Pipeline
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.timeouts import TimerDeathPenalty
from rq.utils import now

from worker.runtime import Runtime

__all__ = ["FixlipWorker"]

POLL_S: Final = 1
HANGING_AFTER_S: Final = 60


class _LastResort(TimerDeathPenalty):
    """RQ's deadline, put off: it hits between any two instructions, so it must never meet an orderly end.

    The deadline proper is kept between batches by the task. This one is for code that hangs elsewhere, and works by a
    timer: an alarm signal needs the main thread's attention, which native code does not give.
    """

    def __init__(self, timeout: float, *args: Any, **kwargs: Any) -> None:
        super().__init__(timeout + HANGING_AFTER_S, *args, **kwargs)  # type: ignore[no-untyped-call]  # rq has no types here


class FixlipWorker(SimpleWorker):
    """A worker of one queue that runs jobs in this very process, where the models are.

    It differs from RQ's own in four ways. It sends RQ's heartbeats while a job runs: call :meth:`beat` from a thread.
    It stops between jobs only, so that no signal can come between taking a job and running it. It keeps deadlines
    with a timer. And it hands back the job that a stopping worker did not finish once RQ has dropped its own record
    of it, because that has the same id.

    Args:
        redis: a connection for RQ alone, whose time-outs RQ sets.
        runtime: the process's runtime.
        name: unique among all workers, past ones too.
    """

    death_penalty_class = _LastResort
    max_connection_wait_time = 2.0
    log_result_lifespan = False

    def __init__(self, redis: Redis, runtime: Runtime, *, name: str) -> None:
        period_s = max(1, round(runtime.settings.heartbeat_s))
        super().__init__(
            [runtime.settings.queue_name],  # with one queue RQ takes a job in a single atomic move
            name=name,
            connection=redis,
            serializer=JSONSerializer,
            worker_ttl=3 * period_s,
            job_monitoring_interval=period_s,
            log_job_description=False,
        )
        self._runtime = runtime
        self._beating = threading.Lock()
        self._job: Job | None = None
        self._began = now()

    def beat(self) -> None:
        """Tell RQ that the running job is alive; does nothing between jobs."""
        with self._beating:
            if self._job is not None:
                self.maintain_heartbeats(self._job)
                self.set_current_job_working_time((now() - self._began).total_seconds())

    def get_heartbeat_ttl(self, job: Job) -> int:
        """Seconds after which RQ gives up a silent job: not the job's own time-out, since we are never silent."""
        return int(self.job_monitoring_interval) + 60

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        """Enter the job in RQ's books; from here on it beats."""
        super().prepare_job_execution(job, remove_from_intermediate_queue)
        with self._beating:
            self._job, self._began = job, now()

    def handle_execution_ended(self, job: Job, queue: Queue, heartbeat_ttl: int) -> None:
        """Stop the beats, before RQ deletes what they would write to."""
        with self._beating:
            self._job = None
        super().handle_execution_ended(job, queue, heartbeat_ttl)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Run the job, then hand it back if it could not be finished."""
        super().execute_job(job, queue)
        self._runtime.hand_back()

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """The next job, or None once the process is asked to stop; in burst mode also when there is none."""
        while not self._runtime.stop.requested:
            found: tuple[Job, Queue] | None = super().dequeue_job_and_maintain_ttl(timeout and POLL_S, POLL_S)
            if found is not None or timeout is None:
                return found
        return None

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """RQ's sign of life, which ends the wait for a Redis that is away when the process is asked to stop."""
        try:
            super().heartbeat(timeout, pipeline)
        except RedisError:
            if self._runtime.stop.requested:
                raise StopRequested from None
            raise

    def _install_signal_handlers(self) -> None:
        """The process has handlers already; RQ's would talk to Redis from inside a signal."""
