"""Jobs from their submission to their end: who may change what, and when."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from redis import Redis

from service.jobs._keys import Keys
from service.jobs._ledger import Fields, Ledger
from service.jobs._renewal import Renewal
from service.jobs._rows import BatchPlace, Books, ReservedKey, Row
from service.jobs._transitions import expired, finished, lost, queued_again
from service.jobs.errors import JobFinalError, JobNotFoundError, JobOpenError
from service.jobs.leases import Claim, Lease, LeaseState
from service.jobs.queue import JobQueue
from service.jobs.records import (
    DEFAULT_TENANT,
    Job,
    JobFailure,
    JobMetrics,
    JobOutput,
    JobProgress,
    JobStatus,
    utc_now,
)
from service.jobs.registers.register import Change
from service.jobs.settings import JobSettings
from service.jobs.storage.bundle import Bundle

__all__ = ["JobRepository", "QueueState"]


@dataclass(frozen=True, slots=True)
class QueueState:
    """What waits and what runs.

    Attributes:
        queued: jobs in the queue.
        running: jobs that run.
        delayed: jobs that wait for their next try.
        queued_passes: forward passes that queued and delayed jobs are expected to take.
        oldest_age_s: how long the oldest queued job has waited, seconds; 0 where none waits.
    """

    queued: int
    running: int
    delayed: int
    queued_passes: int
    oldest_age_s: float


class JobRepository:
    """The jobs' records, and the rules by which they change.

    A worker claims a job and gets a lease. What it does under the lease, down to the outcome, is refused (False) once
    the job has been taken back, so whoever comes too late changes nothing; final states are written once. An answer of
    Redis may be lost: every act may be repeated, and says the same again. Every method may raise ``redis.RedisError``
    when Redis does not answer.

    Args:
        redis: where they are.
        key_prefix: first part of every key.
        retention_s: how long a job is kept once it has ended, seconds; 0: for ever.
    """

    def __init__(self, redis: Redis, key_prefix: str = "fixlip", *, retention_s: int = 0) -> None:
        self._redis = redis
        self._keys = Keys(key_prefix)
        self._ledger = Ledger(redis, self._keys, retention_s=retention_s)
        self._renewal = Renewal(redis, self._keys)

    @classmethod
    def of(cls, settings: JobSettings, redis: Redis) -> Self:
        """The records, by the rules of ``settings``."""
        return cls(redis, settings.key_prefix, retention_s=settings.retention_s)

    def create(
        self,
        job: Job,
        *,
        tenant: str = DEFAULT_TENANT,
        queue: JobQueue | None = None,
        cost_passes: int = 0,
        inputs: Bundle | None = None,
        results: Bundle | None = None,
        traceparent: str | None = None,
        answers: str | None = None,
        reservation: ReservedKey | None = None,
        batch: BatchPlace | None = None,
    ) -> Row | None:
        """Store a new job and enqueue it in the same transaction, so neither exists alone.

        Args:
            job: its record.
            tenant: whose it is.
            queue: the queue that it enters; without one, it waits for :class:`~service.jobs.upkeep.Upkeep` to enqueue
                it.
            cost_passes: forward passes that it is expected to take.
            inputs: its stored inputs.
            results: the stored results of a job that has succeeded before it was begun: another's.
            traceparent: the span of its submission, if there are traces.
            answers: digest of the question that its results will answer to others, too.
            reservation: the Idempotency-Key under which it is submitted.
            batch: the batch that it is of, which waits for it.

        Returns:
            All that is known of it now; None where there is a job of this id already, or its batch does not wait for
            it, and nothing is changed.
        """
        books = Books(
            tenant=tenant,
            cost_passes=cost_passes,
            inputs=inputs,
            results=results,
            traceparent=traceparent,
            answers=answers,
            reservation=reservation,
            batch=batch,
        )
        return self._ledger.insert(job, books, queue=queue)

    def row(self, job_id: str, *, tenant: str | None = None) -> Row:
        """All that is known of a job.

        Args:
            job_id: the job.
            tenant: who asks; another's job is not found. None: the service itself.

        Raises:
            JobNotFoundError: no job has this id, or it cannot be one.
        """
        return self._ledger.row(job_id).seen_by(tenant)

    def fetch(self, job_ids: Sequence[str]) -> list[Fields]:
        """What is stored of each of these jobs, for :meth:`decoded`, in one round trip."""
        return self._ledger.fetch(job_ids)

    def decoded(self, job_id: str, fields: Fields, *, tenant: str) -> Row:
        """Like :meth:`row`, of what :meth:`fetch` gave; does not ask Redis.

        Raises:
            JobNotFoundError: no job of the tenant has this id, or it cannot be one.
            JobUnreadableError: another version of this program has written it.
        """
        return self._ledger.decoded(job_id, fields).seen_by(tenant)

    def get(self, job_id: str, *, tenant: str | None = None) -> Job:
        """The job's record; otherwise like :meth:`row`.

        Raises:
            JobNotFoundError: no job has this id, or it cannot be one.
        """
        return self.row(job_id, tenant=tenant).job

    def claim(self, job_id: str, worker_id: str, *, ttl_s: float) -> Claim | None:
        """Take a queued job to run it.

        Returns:
            The job and its lease, which lapses after ``ttl_s`` seconds unless it is renewed; None where there is
            nothing to run: the job is final, gone, or another's.
        """

        def take(row: Row) -> Change | None:
            if row.job.status is JobStatus.RUNNING and row.books.worker == worker_id:
                return Change(fields={})
            if row.job.status is not JobStatus.QUEUED:
                return None
            now = utc_now()
            waited_s = (now - row.job.created_at).total_seconds()
            fields = {
                "status": JobStatus.RUNNING,
                "attempt": row.job.attempt + 1,
                "started_at": now,
                "metrics": JobMetrics(queue_s=max(waited_s, 0.0)),
                "worker": worker_id,
            }
            return Change(fields=fields, lease_s=ttl_s)

        row = self._ledger.change(job_id, take)
        if row is None:
            return None
        lease = Lease(job_id, row.job.attempt, worker_id)
        books = row.books
        return Claim(
            row.job,
            lease,
            suspect=books.losses > 0,
            retries=books.retries,
            inputs=books.inputs,
            cost_passes=books.cost_passes,
            tenant=books.tenant,
            traceparent=books.traceparent,
        )

    def renew(
        self, leases: Collection[Lease], *, ttl_s: float, progress: Mapping[Lease, JobProgress] | None = None
    ) -> dict[Lease, LeaseState]:
        """Say that the jobs still run, for ``ttl_s`` seconds more: all of a process in one round trip.

        Args:
            leases: of the running jobs.
            ttl_s: seconds until they lapse.
            progress: what to record of some of them in passing.

        Returns:
            What has become of each lease.
        """
        return self._renewal.renew(leases, ttl_s=ttl_s, progress=progress or {})

    def mark_alone(self, lease: Lease) -> bool:
        """Record that from now on the job runs with no other beside it: if its worker dies, it is to blame."""
        return self._while_running(lease, lambda _: {"alone": True})

    def succeed(self, lease: Lease, output: JobOutput, metrics: JobMetrics, *, results: Bundle) -> bool:
        """Running to succeeded; ``results`` is in the store already."""

        def fields(row: Row) -> Mapping[str, Any]:
            made = (metrics.forward_passes or 0) + (metrics.evaluation_passes or 0)
            total = made or row.job.progress.total
            done = JobProgress(completed=total, total=total)
            return finished(JobStatus.SUCCEEDED, metrics) | {"output": output, "progress": done, "results": results}

        return self._while_running(lease, fields, already=JobStatus.SUCCEEDED)

    def fail(self, lease: Lease, failure: JobFailure, metrics: JobMetrics | None = None) -> bool:
        """Running to failed."""
        return self._while_running(
            lease,
            lambda row: finished(JobStatus.FAILED, metrics or row.job.metrics) | {"error": failure},
            already=JobStatus.FAILED,
        )

    def cancel(self, lease: Lease, metrics: JobMetrics | None = None) -> bool:
        """Running to canceled, by its worker."""
        return self._while_running(
            lease,
            lambda row: finished(JobStatus.CANCELED, metrics or row.job.metrics),
            already=JobStatus.CANCELED,
        )

    def hand_back(self, lease: Lease, *, queue: JobQueue) -> bool:
        """Running back to the front of the queue, unblamed, for a worker that shuts down."""
        return self._let_go(lease, lambda row: queued_again(row, queue=queue))

    def retry_later(self, lease: Lease, *, delay_s: float) -> bool:
        """Running back to queued after a fault that is not the job's; it enters the queue after ``delay_s`` seconds."""
        return self._let_go(lease, lambda row: queued_again(row, delay_s=delay_s, retries=row.books.retries + 1))

    def put_off(self, job_id: str, *, delay_s: float) -> bool:
        """Have a queued job, whose entry in the queue was taken, wait; it enters the queue again after ``delay_s``."""

        def wait(row: Row) -> Change | None:
            is_queued = row.job.status is JobStatus.QUEUED
            return Change(fields={"status": JobStatus.QUEUED, "entry": None}, delay_s=delay_s) if is_queued else None

        return self._ledger.change(job_id, wait) is not None

    def give_up(self, lease: Lease, *, alone: bool, queue: JobQueue) -> bool:
        """Let go of a job whose run cost the worker its device; it counts as a loss, see :meth:`take_back`.

        ``alone`` says whether no other job was running on the device.
        """
        return self._let_go(lease, lambda row: lost(row, alone=alone, queue=queue))

    def take_back(self, job_id: str, *, queue: JobQueue) -> JobStatus | None:
        """Take a job from a worker whose lease has lapsed.

        The loss makes the job a suspect, which is run alone. It goes to the front of the queue again; lost once more
        than it may be while it ran alone, it fails. One whose cancellation was requested is canceled.

        Returns:
            What the job is now; None where there was nothing to take back.
        """

        def take(row: Row) -> Change | None:
            lapses_at = self._redis.zscore(self._keys.leases, job_id)
            if row.job.status is not JobStatus.RUNNING or (lapses_at is not None and lapses_at > self._ledger.now()):
                return None
            return lost(row, alone=row.books.alone, queue=queue)

        row = self._ledger.change(job_id, take)
        return row.job.status if row else None

    def promote(self, job_id: str, *, entry: str | None, queue: JobQueue) -> bool:
        """Enqueue a queued job that is in no queue: its delay is over, or its entry was lost.

        Args:
            job_id: the job.
            entry: the lost entry, None after a delay; nothing is done where the job has another by now.
            queue: the queue that it enters.
        """

        def enter(row: Row) -> Change | None:
            if (row.job.status, row.books.entry) != (JobStatus.QUEUED, entry):
                return None
            # In front, jobs that were never begun, for want of their model, would keep all others from their turn.
            at_front = entry is not None or row.job.attempt > 0
            return Change(fields={"status": JobStatus.QUEUED}, enters=queue, at_front=at_front)

        return self._ledger.change(job_id, enter) is not None

    def request_cancel(self, job_id: str, *, tenant: str | None = None, queue: JobQueue) -> Job:
        """Cancel a queued job at once; ask the worker of a running one to cancel it.

        Args:
            job_id: the job.
            tenant: who asks; another's job is not found. None: the service itself.
            queue: the queue that it is taken out of.

        Returns:
            The job as it now stands.

        Raises:
            JobFinalError: the job has ended already.
            JobNotFoundError: no job has this id.
        """

        def cancel(row: Row) -> Change | None:
            if tenant is not None and row.books.tenant != tenant:
                return None
            if row.job.status.is_terminal:
                raise JobFinalError(job_id, row.job.status)
            if row.job.cancel_requested_at is not None:
                return Change(fields={})
            asked = {"cancel_requested_at": utc_now()}
            if row.job.status is JobStatus.RUNNING:
                return Change(fields=asked)
            return Change(fields=finished(JobStatus.CANCELED, row.job.metrics) | asked, leaves=queue)

        row = self._ledger.change(job_id, cancel)
        if row is None:
            raise JobNotFoundError(job_id)
        return row.job

    def expire(self, job_id: str, *, queue: JobQueue) -> bool:
        """Let a job end that no worker has begun for longer than jobs may wait; False where one has, or it is gone."""
        return self._ledger.change(job_id, lambda row: expired(row, queue=queue)) is not None

    def delete(self, job_id: str, *, tenant: str | None = None) -> None:
        """Remove a job that has ended, with all that is kept of it.

        Args:
            job_id: the job.
            tenant: who asks; another's job is not found. None: the service itself.

        Raises:
            JobNotFoundError: no job has this id.
            JobOpenError: the job has not ended yet.
        """
        row = self.row(job_id, tenant=tenant)
        if not row.job.status.is_terminal:
            raise JobOpenError(job_id, row.job.status)
        if self._ledger.remove(job_id, lambda _: True) is None:
            raise JobNotFoundError(job_id)

    def stored_bytes(self, tenant: str) -> int:
        """Bytes of the files that the tenant's jobs and uploads hold."""
        return int(self._redis.hget(self._keys.stored_bytes, tenant) or 0)

    def queue_state(self) -> QueueState:
        """How much waits and runs."""
        keys = self._keys
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.time()
            for key in (keys.queued, keys.leases, keys.delayed):
                pipe.zcard(key)
            pipe.get(keys.queued_passes)
            pipe.zrange(keys.queued, 0, 0, withscores=True)
            (seconds, micros), queued, running, delayed, passes, oldest = pipe.execute()
        age_s = max(0.0, seconds + micros / 1e6 - oldest[0][1]) if oldest else 0.0
        return QueueState(queued, running, delayed, int(passes or 0), age_s)

    def _while_running(
        self, lease: Lease, fields: Callable[[Row], Mapping[str, Any]], *, already: JobStatus | None = None
    ) -> bool:
        """Write fields of the lease's job; True as well where it is ``already`` ended so, by this very lease."""

        def plan(row: Row) -> Change | None:
            if already is not None and row.job.status is already and row.held_by(lease):
                return Change(fields={})
            return Change(fields=fields(row)) if row.runs_under(lease) else None

        return self._ledger.change(lease.job_id, plan) is not None

    def _let_go(self, lease: Lease, change: Callable[[Row], Change]) -> bool:
        """Take the lease's job from its worker; True as well where nobody holds it since."""

        def plan(row: Row) -> Change | None:
            if (row.job.attempt, row.books.worker) == (lease.attempt, None):
                return Change(fields={})
            return change(row) if row.runs_under(lease) else None

        return self._ledger.change(lease.job_id, plan) is not None
