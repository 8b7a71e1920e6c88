"""RQ's worker as one of several threads, without forks, signals or silence while a job runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Final

from redis import Redis
from rq import SimpleWorker
from rq.exceptions import DequeueTimeout
from rq.job import Job
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty
from rq.utils import now
from rq.worker_registration import clean_worker_registry

from worker.settings import WorkerSettings
from worker.stopping import Stop

__all__ = ["FixlipWorker"]

POLL_S: Final = 1
REDIS_TIMEOUT_S: Final = 5
HELD_BACK_S: Final = 0.1


class _NoPenalty(BaseDeathPenalty):
    """No deadline of RQ's: its timers raise between any two instructions. Our own are kept by :class:`Watch`."""

    def setup_death_penalty(self) -> None:
        """Nothing is set up."""

    def cancel_death_penalty(self) -> None:
        """Nothing is to be canceled."""


class FixlipWorker(SimpleWorker):
    """A worker of one queue that runs jobs in the thread it is in, in the process where the models are.

    It differs from RQ's own in this. It sends RQ's heartbeats while a job runs: call :meth:`beat` from another thread.
    It leaves signals, deadlines and lost jobs to this package, and has no thread of its own that listens for RQ's
    commands. It stops between jobs only, and takes none while they are held back.

    Args:
        redis: a connection for this worker alone, whose time-outs RQ sets.
        settings: the process's settings.
        stop: the process's request to stop.
        name: unique among all workers, past ones too.
        may_take: whether the worker may take a job now.
    """

    death_penalty_class = _NoPenalty
    log_result_lifespan = False

    def __init__(
        self,
        redis: Redis,
        settings: WorkerSettings,
        stop: Stop,
        *,
        name: str,
        may_take: Callable[[], bool] = lambda: True,
    ) -> None:
        period_s = max(1, round(settings.heartbeat_s))
        super().__init__(
            [settings.queue_name],  # with one queue RQ takes a job in a single atomic move
            name=name,
            connection=redis,
            serializer=JSONSerializer,
            worker_ttl=3 * period_s,
            job_monitoring_interval=period_s,
            log_job_description=False,
        )
        self._stop = stop
        self._may_take = may_take
        self._period_s = period_s
        self._beating = threading.Lock()
        self._job: Job | None = None
        self._began = now()

    @property
    def connection_timeout(self) -> int:
        """Seconds until an answer of Redis counts as lost; longer than a poll of the queue."""
        return REDIS_TIMEOUT_S

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

    def dequeue_job_and_maintain_ttl(
        self, timeout: int | None, max_idle_time: int | None = None
    ) -> tuple[Job, Queue] | None:
        """The next job, or None once the process is asked to stop; in burst mode also when there is none."""
        self.set_state("idle")
        next_beat = time.monotonic()
        while not self._stop.requested:
            if time.monotonic() >= next_beat:
                self.heartbeat()
                next_beat = time.monotonic() + self._period_s
            if not self._may_take():
                time.sleep(HELD_BACK_S)
                continue
            try:
                found: tuple[Job, Queue] | None = Queue.dequeue_any(
                    self.queues, timeout and POLL_S, connection=self.connection, serializer=self.serializer
                )
            except DequeueTimeout:
                continue
            if found is None or not self._comes_too_late():
                return found
            self._put_back(*found)
        return None

    def _comes_too_late(self) -> bool:
        """Whether no job may be taken any more: one that came meanwhile would wait here, though others could run it."""
        return self._stop.requested or not self._may_take()

    def _put_back(self, job: Job, queue: Queue) -> None:
        """Undo the taking of a job that came when none was to be taken any more, as those do that are handed back."""
        with self.connection.pipeline(transaction=True) as pipe:
            queue.push_job_id(job.id, pipeline=pipe, at_front=True)
            pipe.lrem(queue.intermediate_queue.key, 0, job.id)
            pipe.execute()

    def run_maintenance_tasks(self) -> None:
        """Strike dead workers off RQ's list. Its lost jobs are ours to take care of."""
        clean_worker_registry(self.queues[0])
        self.last_cleaned_at = now()  # type: ignore[assignment]  # rq's first value is None

    def subscribe(self) -> None:
        """RQ's commands are not listened to: they are for workers that fork."""

    def unsubscribe(self) -> None:
        """There is nothing to end."""

    def _install_signal_handlers(self) -> None:
        """The process has handlers already; RQ's would talk to Redis from inside a signal."""

    def procline(self, message: Any) -> None:
        """The process's name is not one worker's to set."""
