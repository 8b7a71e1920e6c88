"""What becomes of a job that ends, and of one that its worker lets go of or loses."""

from __future__ import annotations

from typing import Any, Final

from service.jobs._rows import Row
from service.jobs.queue import JobQueue
from service.jobs.records import JobFailure, JobMetrics, JobProgress, JobStatus, utc_now
from service.jobs.registers.register import Change

__all__ = ["expired", "finished", "lost", "queued_again"]

LOSSES_ALONE_ALLOWED: Final = 1


def finished(status: JobStatus, metrics: JobMetrics) -> dict[str, Any]:
    """Fields of a job that ends."""
    return {"status": status, "completed_at": utc_now(), "metrics": metrics}


def expired(row: Row, *, queue: JobQueue) -> Change | None:
    """From queued to expired, for no worker has begun it in time; None where one has.

    Args:
        row: the job as it is.
        queue: the queue that it leaves.
    """
    if row.job.status is not JobStatus.QUEUED or row.job.attempt > 0:
        return None
    detail = "no worker began the job for as long as jobs may wait; submit it again"
    failure = JobFailure(code="queue_ttl_exceeded", detail=detail)
    fields = finished(JobStatus.EXPIRED, row.job.metrics) | {"error": failure}
    return Change(fields=fields, leaves=queue)


def queued_again(row: Row, *, queue: JobQueue | None = None, delay_s: float = 0.0, **books: Any) -> Change:
    """From running to queued; or to canceled, where this was what its worker was asked for.

    Args:
        row: the job as it is.
        queue: the queue that it enters at once.
        delay_s: without a queue, how long it waits until it may.
        books: what else is to be noted.
    """
    books |= {"worker": None, "alone": False}
    if row.job.cancel_requested_at is not None:
        return Change(fields=finished(JobStatus.CANCELED, row.job.metrics) | books)
    fields = {
        "status": JobStatus.QUEUED,
        "started_at": None,
        "progress": JobProgress(),
        "metrics": JobMetrics(),
        "entry": None,
        **books,
    }
    return Change(fields=fields, enters=queue, delay_s=delay_s)


def lost(row: Row, *, alone: bool, queue: JobQueue) -> Change:
    """From running to queued, as a suspect, for its worker ended; or to failed, where that was once too often.

    Args:
        row: the job as it is.
        alone: whether the worker ran nothing else, so that the job is to blame.
        queue: the queue that it enters.
    """
    losses, losses_alone = row.books.losses + 1, row.books.losses_alone + alone
    if losses_alone <= LOSSES_ALONE_ALLOWED or row.job.cancel_requested_at is not None:
        return queued_again(row, queue=queue, losses=losses, losses_alone=losses_alone)
    detail = f"{losses} workers ended without notice while they ran the job, {losses_alone} of them with no other job"
    failure = JobFailure(code="worker_lost", detail=detail)
    books = {"worker": None, "alone": False, "losses": losses, "losses_alone": losses_alone}
    return Change(fields=finished(JobStatus.FAILED, row.job.metrics) | {"error": failure} | books)
