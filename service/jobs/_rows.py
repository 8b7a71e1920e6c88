"""All that is known of a job, and how it lies in a Redis hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json, to_json
from redis.typing import EncodableT, FieldT

from service.jobs._keys import text
from service.jobs.errors import JobNotFoundError
from service.jobs.leases import Lease
from service.jobs.records import DEFAULT_TENANT, Job, JobStatus
from service.jobs.storage.bundle import Bundle

__all__ = ["BatchPlace", "Books", "ReservedKey", "Row", "decode", "encode"]


class ReservedKey(BaseModel):
    """An Idempotency-Key, and what was submitted under it: the digests of both."""

    model_config = ConfigDict(frozen=True)

    digest: str
    fingerprint: str


class BatchPlace(BaseModel):
    """Which item of which batch a job is of; ``retry`` is how often the item had been asked for again."""

    model_config = ConfigDict(frozen=True)

    batch_id: str
    index: int
    retry: int = 0


class Books(BaseModel):
    """What is noted of a job for the service's own use.

    Attributes:
        tenant: whose it is; to all others there is no such job.
        worker: who holds its lease, or held it when it ended.
        entry: its place in the queue, or the one from which it was taken; None where it waits for its next try.
        alone: whether the worker runs it with no other job beside it.
        losses: how many workers ended while they ran it.
        losses_alone: how many of these ran nothing else.
        retries: how often it was put off.
        cost_passes: forward passes that it is expected to take.
        inputs: its stored inputs; None where it was answered without a run.
        results: its stored results, once it has succeeded.
        place: forward passes of all that had entered the queue before it.
        answers: digest of the question that it answers; None where its answer is not for others.
        reservation: the Idempotency-Key under which it was submitted.
        traceparent: the span of its submission, which the spans of its runs are parts of.
        batch: the batch that it is of. The batch holds its inputs, and it goes when the batch does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    tenant: str = DEFAULT_TENANT
    worker: str | None = None
    entry: str | None = None
    alone: bool = False
    losses: int = 0
    losses_alone: int = 0
    retries: int = 0
    cost_passes: int = 0
    inputs: Bundle | None = None
    results: Bundle | None = None
    place: int | None = None
    answers: str | None = None
    reservation: ReservedKey | None = None
    traceparent: str | None = None
    batch: BatchPlace | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """All that is known of a job: its record, and what is noted of it."""

    job: Job
    books: Books

    def held_by(self, lease: Lease) -> bool:
        """Whether the lease is that of the job's last attempt, and nobody has taken the job back since."""
        return (self.job.attempt, self.books.worker) == (lease.attempt, lease.worker_id)

    def runs_under(self, lease: Lease) -> bool:
        """Whether the job runs, and the lease is the right to run it."""
        return self.job.status is JobStatus.RUNNING and self.held_by(lease)

    def seen_by(self, tenant: str | None) -> Row:
        """The row, unless it is another tenant's; None is the service itself, which sees all.

        Raises:
            JobNotFoundError: it is another's.
        """
        if tenant is not None and self.books.tenant != tenant:
            raise JobNotFoundError(self.job.id)
        return self

    def with_fields(self, fields: Mapping[str, Any]) -> Row:
        """The row after a change of fields of either."""
        books = {name: value for name, value in fields.items() if name in Books.model_fields}
        record = {name: value for name, value in fields.items() if name not in books}
        return Row(self.job.model_copy(update=record), self.books.model_copy(update=books))


def encode(fields: Mapping[str, Any]) -> dict[FieldT, EncodableT]:
    """Fields as the hash holds them: each as JSON."""
    return {name: to_json(value) for name, value in fields.items()}


def decode(fields: Mapping[bytes | str, bytes | str]) -> Row:
    """The row in a hash; fields that other versions of this program write are left alone.

    Raises:
        ValueError: it is none.
    """
    values = {text(name): from_json(value) for name, value in fields.items()}
    record, books = ({name: values[name] for name in kind.model_fields if name in values} for kind in (Job, Books))
    return Row(Job.model_validate(record), Books.model_validate(books))
