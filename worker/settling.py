"""What a verdict on a run means for the job: said in its record by whoever comes first, harmless when said again."""

from __future__ import annotations

from fixlip_core.errors import DeadlineExceededError
from service.jobs.queue import JobQueue
from service.jobs.records import JobFailure
from service.jobs.repository import JobRepository
from worker.execution import Execution, Verdict

__all__ = ["settle"]


def settle(execution: Execution, repository: JobRepository, queue: JobQueue) -> None:
    """Write the verdict on a run into the job's record; a run without one is left alone.

    Raises:
        redis.RedisError: Redis did not answer; to be called again.
    """
    lease = execution.lease
    match execution.verdict:
        case None:
            return
        case Verdict.CANCELED:
            repository.cancel(lease, execution.metrics())
        case Verdict.OVERDUE:
            repository.fail(lease, _too_long(execution), execution.metrics())
        case Verdict.HANDED_BACK:
            repository.hand_back(lease, queue=queue)
        case Verdict.GIVEN_UP:
            repository.give_up(lease, alone=execution.is_alone, queue=queue)
        case Verdict.LOST:
            pass  # the job is another's
    execution.is_settled = True


def _too_long(execution: Execution) -> JobFailure:
    completed, total = execution.progress
    return JobFailure(
        code=DeadlineExceededError.code,
        detail=f"the job was stopped after {execution.time_limit_s:g} s with {completed} of {total} forward passes "
        "done; submit it with fewer passes",
    )
