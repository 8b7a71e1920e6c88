"""The eye on the runs of a process: it keeps their leases, and ends those that are to end.

A run learns of its end at its next check, which native code can put off. Clients and other workers do not wait for
that: the watch itself writes what becomes of the job.
"""

from __future__ import annotations

import logging
from typing import Final

from service.jobs.leases import Lease, LeaseState
from service.jobs.queue import JobQueue
from service.jobs.records import JobProgress
from service.jobs.repository import JobRepository
from worker.execution import Execution, Executions, Verdict
from worker.settling import settle
from worker.stopping import Stop

__all__ = ["Watch"]

HANGING_AFTER_S: Final = 60.0
"""A run that goes on for so long against its verdict will not end before its process does."""

_log = logging.getLogger(__name__)


class Watch:
    """Looks after the runs of this process: call :meth:`look` about once a second, from one thread.

    Args:
        executions: the runs.
        repository: the jobs' records.
        queue: where jobs go back to.
        stop: the process's request to stop.
        ttl_s: how long a lease lasts unless it is renewed.
    """

    def __init__(
        self, executions: Executions, repository: JobRepository, queue: JobQueue, stop: Stop, *, ttl_s: float
    ) -> None:
        self._executions = executions
        self._repository = repository
        self._queue = queue
        self._stop = stop
        self._ttl_s = ttl_s
        self._told: dict[Lease, JobProgress] = {}

    def look(self) -> None:
        """Decide, renew the leases, and write what was decided.

        Raises:
            redis.RedisError: Redis did not answer. What this process can decide alone is decided all the same.
        """
        running = self._executions.all()
        self._judge(running)
        self._renew(running)
        for run in running:
            if run.verdict is not None and not run.is_settled:
                settle(run, self._repository, self._queue)
                # Where Redis is slow, this may have taken as long as the others' leases last.
                self._renew(self._executions.all())

    def _judge(self, running: list[Execution]) -> None:
        for run in running:
            if run.is_over:
                continue
            if self._stop.overdue:
                run.decide(Verdict.HANDED_BACK)
            elif run.is_overdue:
                run.decide(Verdict.OVERDUE)
        hanging = [run for run in running if run.ignored_for_s > HANGING_AFTER_S]
        if hanging and not self._stop.overdue:
            ids = ", ".join(run.job.id for run in hanging)
            _log.error("job %s cannot be interrupted: the other jobs are handed back and this process ends", ids)
            self._stop.give_up()

    def _renew(self, runs: list[Execution]) -> None:
        running = [run for run in runs if run.verdict is None]
        progress = {run.lease: JobProgress(completed=run.progress[0], total=run.progress[1]) for run in running}
        fresh = {lease: done for lease, done in progress.items() if done != self._told.get(lease)}
        states = self._repository.renew([run.lease for run in running], ttl_s=self._ttl_s, progress=fresh)
        self._told = progress
        for run in running:
            match states[run.lease]:
                case _ if run.is_over:
                    pass  # its lease may just have been used up
                case LeaseState.LOST:
                    _log.warning("job %s was taken from this worker, which drops it", run.job.id, extra=run.ids)
                    run.decide(Verdict.LOST)
                case LeaseState.CANCEL_REQUESTED:
                    run.decide(Verdict.CANCELED)
