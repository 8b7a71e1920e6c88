"""A batch's items that have ended, read as they are needed."""

from __future__ import annotations

from collections.abc import Iterator

from service.jobs.batches.records import BatchRow
from service.jobs.batches.repository import MAX_ROWS, BatchRepository

__all__ = ["ended_rows"]


def ended_rows(batches: BatchRepository, batch_id: str, *, tenant: str) -> Iterator[list[BatchRow]]:
    """The items that have ended, in their order, some at a time.

    Raises:
        BatchNotFoundError: the tenant has no such batch, or no more.
        redis.RedisError: Redis did not answer.
        StorageUnavailableError: the store did not answer.
    """
    start = 0
    while rows := batches.rows(batch_id, start, MAX_ROWS, tenant=tenant):
        start += len(rows)
        yield [row for row in rows if row.status.has_ended]
