"""The right to run a job: who has it, for which attempt, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from service.jobs.records import DEFAULT_TENANT, Job
from service.jobs.storage.bundle import Bundle

__all__ = ["Claim", "Lease", "LeaseState"]


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run one attempt of a job and to record its outcome.

    It is a fencing token: once the job is taken back, everything that is written under the old lease is refused.

    Attributes:
        job_id: the job.
        attempt: which run of it this is, from 1.
        worker_id: who runs it; unique to the slot of a worker process that runs one job at a time.
    """

    job_id: str
    attempt: int
    worker_id: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that was given to a worker.

    Attributes:
        job: its record.
        lease: the right to run it.
        suspect: whether an earlier worker died while it ran, so that it must run alone in its process.
        retries: how often it was put off by :meth:`~service.jobs.repository.JobRepository.retry_later`.
        inputs: its stored inputs.
        cost_passes: forward passes that it is expected to take.
        tenant: whose it is.
        traceparent: the span of its submission, if there are traces.
    """

    job: Job
    lease: Lease
    suspect: bool
    retries: int
    inputs: Bundle | None = None
    cost_passes: int = 0
    tenant: str = DEFAULT_TENANT
    traceparent: str | None = None


class LeaseState(StrEnum):
    """What has become of a lease."""

    HELD = "held"
    CANCEL_REQUESTED = "cancel_requested"
    LOST = "lost"
