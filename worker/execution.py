"""One run of a job in this process, and the verdict that may end it early."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fixlip_core.errors import DeadlineExceededError
from service.jobs.leases import Claim, Lease
from service.jobs.records import Job, JobMetrics
from worker.pace import PaceMeter
from worker.trail import Trail

__all__ = ["Ending", "Execution", "Executions", "StoppedError", "Verdict"]


class Verdict(StrEnum):
    """Why a run ends before its answer is there."""

    CANCELED = "canceled"  # its client asked for it
    OVERDUE = "overdue"  # it took longer than a job may
    LOST = "lost"  # its lease is no longer the job's
    HANDED_BACK = "handed back"  # the worker stops
    GIVEN_UP = "given up"  # the device is lost, perhaps by this job


@dataclass(frozen=True, slots=True)
class Ending:
    """What became of a run, for those who count.

    Attributes:
        outcome: a word for it.
        code: of the error, if one ended it.
    """

    outcome: str
    code: str = ""


_ENDINGS: Final = {
    Verdict.CANCELED: Ending("canceled"),
    Verdict.OVERDUE: Ending("failed", DeadlineExceededError.code),
    Verdict.LOST: Ending("lost"),
    Verdict.HANDED_BACK: Ending("handed_back"),
    Verdict.GIVEN_UP: Ending("given_up"),
    None: Ending("abandoned"),  # Redis did not come back before the process had to leave
}


class StoppedError(Exception):
    """Ends the work of a run, in its own thread, after a verdict."""


class Execution:
    """A run of a job, from its claim until its thread has done with it.

    Its own thread works and calls :meth:`check` as often as it can; any other may :meth:`decide` that it is to end.
    The first verdict stands.

    Args:
        claim: the job, and the right to run it.
        time_limit_s: seconds that the work may take, from :meth:`begin`.
        meter: measures how fast the process is.

    Attributes:
        job: the job's record as it was claimed.
        lease: the right to write to it.
        inputs: the job's stored inputs.
        is_suspect: an earlier worker died while it ran the job.
        retries: how often the job was put off before.
        is_alone: no other job runs beside it in this process.
        progress: (completed, total) forward passes.
        is_over: the work has ended, though its outcome may not be written yet.
        is_settled: the job's record says what the verdict means.
        ids: what its events are logged with.
        traceparent: the span of the job's submission, if there are traces.
        trail: what it has spent its time on.
    """

    def __init__(self, claim: Claim, *, time_limit_s: float, meter: PaceMeter | None = None) -> None:
        self.job: Job = claim.job
        self.lease: Lease = claim.lease
        self.inputs = claim.inputs
        self.is_suspect = claim.suspect
        self.retries = claim.retries
        self.is_alone = False
        self.progress = (0, 0)
        self.is_over = False
        self.is_settled = False
        self.ids = {
            "job_id": claim.job.id,
            "attempt": claim.lease.attempt,
            "request_id": claim.job.request_id,
            "tenant": claim.tenant,
        }
        self.traceparent = claim.traceparent
        self.trail = Trail()
        self.time_limit_s = time_limit_s
        self._cost_passes = claim.cost_passes
        self._meter = meter or PaceMeter()
        self._claimed_at = time.monotonic()
        self._deadline = math.inf
        self._decision = threading.Lock()
        self._verdict: Verdict | None = None
        self._ending: Ending | None = None
        self._decided_at = math.inf

    def begin(self) -> None:
        """The work begins, and its time: what came before was waiting for other jobs."""
        self._deadline = time.monotonic() + self.time_limit_s
        self._meter.begin(self, method=self.job.method, cost_passes=self._cost_passes)

    def finish(self) -> None:
        """The work is over, well or not; its outcome is still to be written, for which Redis may let it wait."""
        self._deadline = math.inf
        self.is_over = True
        self._meter.end(self)

    def end_as(self, outcome: str, code: str = "") -> None:
        """Note what became of the run, where no verdict says so."""
        self._ending = Ending(outcome, code)

    @property
    def ending(self) -> Ending:
        """What became of the run, once it is over."""
        return self._ending or _ENDINGS[self._verdict]

    def decide(self, verdict: Verdict) -> None:
        """End the run, unless there is a verdict already."""
        with self._decision:
            if self._verdict is None:
                self._verdict, self._decided_at = verdict, time.monotonic()

    def check(self) -> None:
        """Raise :class:`StoppedError` if there is a verdict; cheap."""
        if self._verdict is not None:
            raise StoppedError(f"job {self.job.id} was {self._verdict}")

    def report(self, completed: int, total: int) -> None:
        """Say how many of all forward passes are done; ends the run like :meth:`check`."""
        self.progress = (completed, total)
        self._meter.report(self, completed, total)
        self.check()

    @property
    def verdict(self) -> Verdict | None:
        """Why the run is to end, if it is."""
        return self._verdict

    @property
    def is_overdue(self) -> bool:
        """Whether the work has taken longer than it may."""
        return time.monotonic() > self._deadline

    @property
    def ignored_for_s(self) -> float:
        """Seconds for which the work has gone on against its verdict."""
        is_at_work = self._deadline < math.inf
        return max(0.0, time.monotonic() - self._decided_at) if is_at_work else 0.0

    def metrics(self, forward_passes: int | None = None, evaluation_passes: int | None = None) -> JobMetrics:
        """What the run has cost until now."""
        run_s = time.monotonic() - self._claimed_at
        passes = {"forward_passes": forward_passes, "evaluation_passes": evaluation_passes}
        return self.job.metrics.model_copy(update={"run_s": run_s, **passes})


class Executions:
    """The runs of this process; all threads may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Lease, Execution] = {}

    def add(self, execution: Execution) -> None:
        """A run begins."""
        with self._lock:
            self._running[execution.lease] = execution

    def discard(self, execution: Execution) -> None:
        """Its thread has done with it."""
        with self._lock:
            self._running.pop(execution.lease, None)

    def all(self) -> list[Execution]:
        """Those that run now."""
        with self._lock:
            return list(self._running.values())
