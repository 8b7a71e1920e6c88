"""How a batch lies in Redis, and what a client sees of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic_core import from_json
from redis import Redis

from service.jobs._keys import Keys, text
from service.jobs.batches.records import Batch, BatchCounts, BatchStatus
from service.jobs.errors import BatchNotFoundError, BatchUnreadableError
from service.jobs.records import JobFailure, JobWebhook, WebhookState
from service.jobs.storage.bundle import Bundle

__all__ = ["StoredBatch", "Submitted", "holder_of", "member_of", "read_batches"]

_ID: Final = re.compile(r"[0-9a-f]{32}")
_ENDED: Final = ("succeeded", "failed", "canceled", "expired")


class Submitted(BaseModel):
    """What never changes of a batch.

    Attributes:
        tenant: whose it is.
        items: where they are stored.
        total: how many there are.
        created_at: when it was submitted.
        metadata: the caller's notes.
        request_id: of the request that submitted it.
        traceparent: the span of its submission, which the spans of its jobs' runs are parts of.
        webhook_url: where its end is told; None: nowhere.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    tenant: str
    items: Bundle
    total: int
    created_at: AwareDatetime
    metadata: dict[str, str] = Field(default_factory=dict)
    request_id: str | None = None
    traceparent: str | None = None
    webhook_url: str | None = None


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """All that is known of a batch.

    Attributes:
        id: the batch.
        submitted: what never changes.
        decided: what was decided about it as a whole.
        counts: how many of its jobs stand where, and instants in seconds since 1970.
    """

    id: str
    submitted: Submitted
    decided: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, float] = field(default_factory=dict)

    @property
    def error(self) -> JobFailure | None:
        """Why it could not go on."""
        error = self.decided.get("error")
        return None if error is None else JobFailure.model_validate_json(error)

    @property
    def dropped_as(self) -> str:
        """How items have ended that never became jobs."""
        return self.decided.get("dropped_as", "canceled")

    @property
    def is_removed(self) -> bool:
        """Whether it is there for nobody any more."""
        return "removed_at" in self.decided

    def seen_by(self, tenant: str | None) -> StoredBatch:
        """The batch, unless it is another tenant's; None is the service itself, which sees all.

        Raises:
            BatchNotFoundError: it is another's.
        """
        if tenant is not None and self.submitted.tenant != tenant:
            raise BatchNotFoundError(self.id)
        return self

    def record(self, *, retention_s: int) -> Batch:
        """What a client sees.

        Args:
            retention_s: how long it is kept once it has ended, seconds; 0: for ever.
        """
        completed_at = _instant(self.counts.get("completed_at"))
        cancel_requested_at = self.decided.get("cancel_requested_at")
        return Batch(
            id=self.id,
            status=self._status(),
            request_counts=self._request_counts(),
            error=self.error,
            retries=int(self.decided.get("retries", 0)),
            created_at=self.submitted.created_at,
            started_at=_instant(self.counts.get("started_at")),
            cancel_requested_at=_instant(None if cancel_requested_at is None else float(cancel_requested_at)),
            completed_at=completed_at,
            expires_at=completed_at + timedelta(seconds=retention_s) if completed_at and retention_s else None,
            metadata=self.submitted.metadata,
            webhook=self._webhook(),
            request_id=self.submitted.request_id,
        )

    def _webhook(self) -> JobWebhook | None:
        if self.submitted.webhook_url is None:
            return None
        state, attempts = self.decided.get("webhook_state", "pending"), self.decided.get("webhook_attempts", 0)
        return JobWebhook(url=self.submitted.webhook_url, state=WebhookState(state), attempts=int(attempts))

    def _status(self) -> BatchStatus:
        if "completed_at" not in self.counts:
            return BatchStatus.RUNNING if "started_at" in self.counts else BatchStatus.QUEUED
        if "error" in self.decided:
            return BatchStatus.FAILED
        is_canceled = "cancel_requested_at" in self.decided and self._count("canceled") > 0
        return BatchStatus.CANCELED if is_canceled else BatchStatus.SUCCEEDED

    def _request_counts(self) -> BatchCounts:
        ended = sum(map(self._count, _ENDED))
        return BatchCounts(
            total=self.submitted.total,
            queued=self.submitted.total - ended - self._count("running"),
            running=self._count("running"),
            completed=self._count("succeeded"),
            failed=self._count("failed") + self._count("expired"),
            canceled=self._count("canceled"),
        )

    def _count(self, name: str) -> int:
        return int(self.counts.get(name, 0))


def read_batches(
    redis: Redis, keys: Keys, batch_ids: Sequence[str], *, with_removed: bool = False
) -> list[StoredBatch | BatchUnreadableError | None]:
    """What is known of each batch, in one round trip; None where there is none, or only one that is being removed.

    Args:
        redis: where they are.
        keys: names of their keys.
        batch_ids: which.
        with_removed: whether those that are being removed are to be read, too.
    """
    with redis.pipeline(transaction=False) as pipe:
        for batch_id in batch_ids:
            known = batch_id if _ID.fullmatch(batch_id) else "none"
            pipe.hgetall(keys.batch(known))
            pipe.hgetall(keys.batch_counts(known))
        found = pipe.execute()
    batches = [_decoded(*parts) for parts in zip(batch_ids, found[::2], found[1::2], strict=True)]
    if with_removed:
        return batches
    return [None if isinstance(batch, StoredBatch) and batch.is_removed else batch for batch in batches]


def _decoded(
    batch_id: str, decided: Mapping[Any, Any], counts: Mapping[Any, Any]
) -> StoredBatch | BatchUnreadableError | None:
    words = {text(name): text(value) for name, value in decided.items()}
    if not words:
        return None
    try:
        submitted = Submitted.model_validate(from_json(words.pop("submitted", "")))
        return StoredBatch(batch_id, submitted, words, {text(name): float(value) for name, value in counts.items()})
    except ValueError as error:
        return BatchUnreadableError(batch_id, str(error))


def holder_of(batch_id: str) -> str:
    """The name by which a batch holds its bundles."""
    return f"batch:{batch_id}"


def member_of(batch_id: str, created_at: datetime) -> str:
    """A batch's name in its tenant's list: the instant of its creation in microseconds, so that names sort by age."""
    return f"{round(created_at.timestamp() * 1e6):017d}:{batch_id}"


def _instant(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
