"""What a batcher has done so far."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BatcherStatistics"]


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
