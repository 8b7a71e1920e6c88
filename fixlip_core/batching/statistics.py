"""What a batcher has done so far, and each batch of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Literal

__all__ = ["BatchRun", "BatcherStatistics", "Modality"]

Modality = Literal["image", "text"]
"""Which of a model's towers."""


@dataclass(frozen=True, slots=True)
class BatcherStatistics:
    """Counts since the start.

    Attributes:
        batches: batches run.
        rows: rows in them.
        capacity_rows: rows that would have filled them; ``rows / capacity_rows`` is how full they were.
        busy_s: seconds in which the device had a batch or a turn.
        oom_halvings: times that a batch was halved because memory ran out.
    """

    batches: int = 0
    rows: int = 0
    capacity_rows: int = 0
    busy_s: float = 0.0
    oom_halvings: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchRun:
    """A batch that was run.

    Attributes:
        modality: the tower that it went through.
        rows_of: how many of its rows each client had.
        capacity_rows: rows that would have filled it.
        started_s: when the device had it first, by the monotonic clock.
        ended_s: when it was done.
    """

    modality: Modality
    rows_of: Mapping[Hashable, int]
    capacity_rows: int
    started_s: float
    ended_s: float

    @property
    def rows(self) -> int:
        """Rows in it."""
        return sum(self.rows_of.values())
