"""How large the batches of a tower are: what memory holds, and what takes no longer than others should wait."""

from __future__ import annotations

from typing import Final

__all__ = ["BATCH_S", "BatchSize"]

BATCH_S: Final = 1.0
"""Seconds that a batch should take at most: within a few of them jobs are canceled, and the small are served."""


class BatchSize:
    """Positions of a tower's batches, learnt while they run.

    What memory holds is halved when it runs out, and stays so, unless that was a job's own fault. Time is learnt anew
    from every batch, and no batch is more than twice the one before.

    Args:
        positions: what memory should hold.
    """

    def __init__(self, positions: int) -> None:
        self._held = positions
        self._proven = 1
        self._timely = max(1, positions // 4)

    @property
    def held(self) -> int:
        """Positions that memory holds. What is larger is split."""
        return self._held

    @property
    def positions(self) -> int:
        """Positions of the next batch; a single unit may have more."""
        return min(self._held, self._timely)

    def took(self, positions: int, seconds: float) -> None:
        """Learn from a batch."""
        self._proven = max(self._proven, positions)
        pace = int(positions * BATCH_S / max(seconds, 1e-6))
        self._timely = max(1, min(pace, 2 * max(positions, self._timely)))

    def halve(self, positions: int) -> None:
        """Learn that so many positions were too many for the memory."""
        self._held = max(1, min(positions, self._held) // 2)

    def refuse_row(self) -> None:
        """Learn that a single row did not fit: what held more before was too little for that row alone."""
        self._held = max(self._held, self._proven)
