"""When to stop: asked once, the job at hand may be finished; asked twice, or too late, it may not."""

from __future__ import annotations

import signal
import time
from types import FrameType

__all__ = ["Stop"]


class Stop:
    """A request to stop, made by a signal.

    A signal handler may run between any two steps of the main thread, while that holds any lock. So a request is one
    assignment, and those who wait for it look at it from time to time.

    Args:
        grace_s: seconds from the first request until the job at hand is to be handed back.
    """

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._overdue_at: float | None = None

    def request(self) -> None:
        """Ask to stop; the second time, at once."""
        grace_s = self._grace_s if self._overdue_at is None else 0.0
        self._overdue_at = time.monotonic() + grace_s

    @property
    def requested(self) -> bool:
        """Whether no new job may be taken."""
        return self._overdue_at is not None

    @property
    def overdue(self) -> bool:
        """Whether the job at hand must be handed back."""
        return self._overdue_at is not None and time.monotonic() >= self._overdue_at

    def listen(self) -> None:
        """Take SIGTERM and SIGINT for requests, in the whole process from now on; main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.request()
