"""How batches stand, in brief: for those who wait for a change."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from service.jobs.batches.records import Batch, BatchCounts, BatchStatus
from service.jobs.batches.repository import BatchRepository
from service.jobs.errors import BatchNotFoundError, BatchUnreadableError

__all__ = ["BatchStanding", "BatchStandings"]


@dataclass(frozen=True, slots=True)
class BatchStanding:
    """How a batch stands.

    Attributes:
        status: the batch's.
        counts: how many of its items stand where.
        retries: how often what had failed was asked for again.
    """

    status: BatchStatus
    counts: BatchCounts
    retries: int

    @property
    def is_final(self) -> bool:
        """Whether the batch has ended; it may still be asked to go on."""
        return self.status.is_final

    @classmethod
    def of(cls, batch: Batch) -> BatchStanding:
        """How ``batch`` stands."""
        return cls(batch.status, batch.request_counts, batch.retries)


class BatchStandings:
    """Reads how batches stand.

    Args:
        batches: where they are.
    """

    def __init__(self, batches: BatchRepository) -> None:
        self._batches = batches

    def read(self, batch_ids: Sequence[str]) -> dict[str, BatchStanding | None]:
        """How each of the batches stands; None where there is no such batch.

        Those that another version of this program has written, and that cannot be read, are left out.

        Raises:
            redis.RedisError: Redis did not answer.
        """
        standings: dict[str, BatchStanding | None] = {}
        for batch_id in batch_ids:
            with suppress(BatchUnreadableError):
                standings[batch_id] = self._read(batch_id)
        return standings

    def _read(self, batch_id: str) -> BatchStanding | None:
        try:
            return BatchStanding.of(self._batches.get(batch_id))
        except BatchNotFoundError:
            return None
