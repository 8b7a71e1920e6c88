"""A batch's record, what it consists of, and where each of its parts stands."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from enum import StrEnum

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from service.jobs.records import Job, JobFailure, JobInput, JobModel, JobStatus, JobWebhook, Record
from service.jobs.storage.bundle import Bundle

__all__ = ["Batch", "BatchCounts", "BatchItem", "BatchRow", "BatchStatus", "ItemStatus", "batch_job_id"]


class BatchStatus(StrEnum):
    """Where a batch stands; the last three are final, unless what has failed is asked for again."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        """Whether every item has ended."""
        return self not in (BatchStatus.QUEUED, BatchStatus.RUNNING)


class BatchCounts(Record):
    """How many of the items stand where; all but the first add up to it."""

    total: int = Field(description="All items.")
    queued: int = Field(description="Not begun.")
    running: int
    completed: int = Field(description="Ended with a result.")
    failed: int = Field(description="Ended without one; those that nobody began in time are among them.")
    canceled: int

    @property
    def ended(self) -> int:
        """Items that have ended, however."""
        return self.completed + self.failed + self.canceled


class Batch(Record):
    """A batch's record. Instants are in UTC."""

    id: str
    status: BatchStatus = Field(
        description="`queued` until the first job begins. When all items have ended it is `succeeded`, though some of "
        "them may have failed, as `request_counts` says; `canceled`, if some were canceled because that was asked of "
        "the batch; or `failed`, if it could not go on, as `error` says."
    )
    request_counts: BatchCounts
    error: JobFailure | None = Field(default=None, description="Why the batch could not go on.")
    retries: int = Field(default=0, ge=0, description="How often what had failed was asked for again.")
    created_at: AwareDatetime
    started_at: AwareDatetime | None = Field(default=None, description="When its first job was begun.")
    cancel_requested_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = Field(default=None, description="When its last item ended.")
    expires_at: AwareDatetime | None = Field(
        default=None,
        description="When the batch is removed with all its jobs and files; null: not before it has ended, or never.",
    )
    metadata: dict[str, str] = Field(default_factory=dict)
    webhook: JobWebhook | None = Field(
        default=None, description="Who is told of its end, and whether that has happened."
    )
    request_id: str | None = Field(default=None, description="Id of the request that submitted it, as in the logs.")


class BatchItem(BaseModel):
    """What a batch asks for once: a job, as soon as it is its turn.

    Attributes:
        custom_id: the caller's name for it, which no other item of the batch has.
        pair_id: the same for items of the same image and caption.
        model: the model that explains.
        method: the method.
        params: its parameters as a record has them; those that are too long for one are among ``inputs``.
        input: the pair.
        inputs: the stored image, see :func:`service.jobs.inputs.input_files`.
        evaluate: metrics that judge the explanation.
        maps: whether maps are drawn.
        cost_passes: forward passes that it is expected to take.
        question: digest of all that its answer depends on; None where its answer is not for others.
        use_cache: whether an earlier job's results may answer it.
        metadata: the caller's notes, for the job.
    """

    # Others' newer fields are no reason to give up a batch.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    custom_id: str
    pair_id: str
    model: JobModel
    method: str
    params: dict[str, JsonValue]
    input: JobInput
    inputs: Bundle
    evaluate: tuple[str, ...] = ()
    maps: bool = True
    cost_passes: int = 0
    question: str | None = None
    use_cache: bool = True
    metadata: dict[str, str] = Field(default_factory=dict)


class ItemStatus(StrEnum):
    """Where an item stands: as its job does, if it has one."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REMOVED = "removed"  # its job was deleted, or another version of this program has written it

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will become of it, unless it is asked for again."""
        return self not in (ItemStatus.QUEUED, ItemStatus.RUNNING)

    @classmethod
    def of(cls, status: JobStatus) -> ItemStatus:
        """Where the item of a job stands."""
        return cls(status.value)


@dataclass(frozen=True, slots=True)
class BatchRow:
    """An item, and what has become of it.

    Attributes:
        index: its place in the batch, from 0.
        item: what was asked for.
        status: where it stands.
        job_id: id of its job; it is known before there is the job, and another after each retry.
        job: its job; None where there is none, or none any more.
        error: why there is no result, if it is known.
    """

    index: int
    item: BatchItem
    status: ItemStatus
    job_id: str
    job: Job | None = None
    error: JobFailure | None = None


def batch_job_id(batch_id: str, index: int, retry: int) -> str:
    """The id of an item's job: whoever makes the job, and however often, makes the same.

    Args:
        batch_id: 32 hex digits.
        index: the item's place in the batch.
        retry: how often it was asked for again.
    """
    return uuid.uuid5(uuid.UUID(batch_id), f"{index}/{retry}").hex
