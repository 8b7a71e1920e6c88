"""Progress in whole passes, from parts of passes."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Meter"]


class Meter:
    """Adds up passes and tells the caller, who may stop the method by raising.

    Args:
        progress: called with (completed, total) passes; None: nobody listens.

    Attributes:
        total: passes that there will be, to be set before the first is made.
    """

    def __init__(self, progress: Callable[[int, int], None] | None) -> None:
        self.total = 0
        self._progress = progress
        self._made = 0.0

    def advance(self, passes: float) -> None:
        """Say that ``passes`` more were made; a part of a tower is a part of a pass."""
        self._made += passes
        self._tell(min(int(self._made), self.total))

    def complete(self) -> None:
        """Say that all were made."""
        self._tell(self.total)

    def _tell(self, completed: int) -> None:
        if self._progress is not None:
            self._progress(completed, self.total)
