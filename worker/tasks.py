"""The task behind every job: claim it, explain it, store the answer, and only then say that it is done."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

from pydantic_core import from_json
from redis import RedisError
from rq.timeouts import JobTimeoutException

from fixlip_core.errors import DeadlineExceededError, FixlipError
from service.jobs.artifacts import INPUTS, RESULTS
from service.jobs.records import Job, JobFailure, JobMetrics
from worker.explaining import choose_encoder, explain_job
from worker.runtime import Runtime, current_runtime

__all__ = ["run_explanation"]

PROGRESS_EVERY_S: Final = 0.25
PATIENCE_S: Final = (0.1, 0.5, 1.0, 2.0, 5.0)

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class _HandedBackError(Exception):
    """The worker stops; another may have the job."""


class _WithdrawnError(Exception):
    """The job no longer runs: nobody waits for its answer, or another worker gives it."""


def run_explanation(job_id: str) -> None:
    """Run one job to a final status; RQ calls this by its name.

    Every fault of the job ends in the job's ``error``. Faults of Redis are waited out, so none loses a job. Raises
    ``redis.RedisError`` only when the worker was told to stop before Redis came back; the job is then taken up again
    as an orphan.
    """
    runtime = current_runtime()
    job = _persistently(runtime, lambda: runtime.repository.claim(job_id, runtime.worker_id))
    if job is None:
        _log.info("job %s needs no run", job_id)
        return
    started = time.monotonic()
    try:
        _explain(runtime, job, started)
    except _HandedBackError:
        runtime.unfinished = job_id
    except _WithdrawnError:
        _log.info("job %s was withdrawn while it ran", job_id)
    except RedisError:
        raise
    except Exception as error:
        failure = _failure_of(error)
        _log.log(
            logging.ERROR if failure.code == "internal_error" else logging.INFO,
            "job %s failed: %s: %s",
            *(job_id, failure.code, failure.detail),
            exc_info=error,
        )
        metrics = _metrics(job, started)
        _persistently(runtime, lambda: runtime.repository.fail(job_id, failure, metrics))


def _explain(runtime: Runtime, job: Job, started: float) -> None:
    encoder = choose_encoder(runtime.encoders, job)
    image = runtime.artifacts.read(job.id, INPUTS, "image")
    request = from_json(runtime.artifacts.read(job.id, INPUTS, "request.json"))
    outcome = explain_job(encoder, job, image, request["params"], _Reporter(runtime, job.id, started))
    runtime.artifacts.write(job.id, RESULTS, outcome.files)
    metrics = _metrics(job, started, outcome.forward_passes)
    _persistently(runtime, lambda: runtime.repository.succeed(job.id, outcome.output, metrics))
    _log.info("job %s succeeded in %.2f s", job.id, metrics.run_s)


class _Reporter:
    """Progress callback: the one place, between two batches, where a run can be stopped."""

    def __init__(self, runtime: Runtime, job_id: str, started: float) -> None:
        self._runtime = runtime
        self._job_id = job_id
        self._timeout_s = runtime.settings.job_timeout_s
        self._deadline = started + self._timeout_s
        self._next_report = started

    def __call__(self, completed: int, total: int) -> None:
        now = time.monotonic()
        if self._runtime.stop.overdue:
            raise _HandedBackError
        if completed < total and now > self._deadline:
            raise DeadlineExceededError(
                f"the job was stopped after {self._timeout_s} s with {completed} of {total} forward passes done; "
                "submit it with fewer passes"
            )
        if now >= self._next_report or completed == total:
            self._report(completed, total)
            self._next_report = time.monotonic() + PROGRESS_EVERY_S

    def _report(self, completed: int, total: int) -> None:
        try:
            runs = self._runtime.repository.set_progress(self._job_id, completed, total)
        except RedisError as error:
            _log.warning("job %s goes on, though its progress cannot be told: %s", self._job_id, error)
            return
        if not runs:
            raise _WithdrawnError


def _persistently(runtime: Runtime, act: Callable[[], _T]) -> _T:
    """``act()``, repeated while Redis is away and this worker may wait for it.

    Every act here may be repeated: a claim by the same worker succeeds again, and final states are written once.
    """
    attempt = 0
    while True:
        try:
            return act()
        except RedisError as error:
            if runtime.stop.overdue:
                raise
            pause_s = PATIENCE_S[min(attempt, len(PATIENCE_S) - 1)]
            _log.warning("Redis is in trouble, trying again in %.1f s: %s", pause_s, error)
            time.sleep(pause_s)
            attempt += 1


def _failure_of(error: Exception) -> JobFailure:
    """What the client is told; the text of an error that nobody foresaw stays in the log."""
    if isinstance(error, FixlipError):
        return JobFailure(code=error.code, detail=str(error))
    if isinstance(error, JobTimeoutException):
        return JobFailure(code=DeadlineExceededError.code, detail="the job took too long and was stopped")
    if _is_out_of_memory(error):
        return JobFailure(
            code="out_of_memory",
            detail="the worker's memory did not suffice for this job; use a smaller model or image",
        )
    return JobFailure(
        code="internal_error",
        detail="the worker failed in an unforeseen way; its log has the details under this job's id",
    )


def _is_out_of_memory(error: Exception) -> bool:
    """Python's own error, torch's for devices, and the plain RuntimeError of torch's allocator for CPU memory."""
    return (
        isinstance(error, MemoryError)
        or any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__)
        or (isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error))
    )


def _metrics(job: Job, started: float, forward_passes: int | None = None) -> JobMetrics:
    run_s = time.monotonic() - started
    return job.metrics.model_copy(update={"run_s": run_s, "forward_passes": forward_passes})
