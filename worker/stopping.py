"""When to stop: asked once, the jobs at hand may be finished; asked twice, or too late, they may not."""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import Final

__all__ = ["BROKEN", "Stop"]

BROKEN: Final = 70
"""Exit status of a process that can no longer work, for its supervisor to start it anew (``EX_SOFTWARE``)."""


class Stop:
    """A request to stop, made by a signal or by a process that finds itself broken.

    A signal handler may run between any two steps of the main thread, while that holds any lock. So a request is one
    assignment, and those who wait for it look at it from time to time.

    Args:
        grace_s: seconds from the first request until the jobs at hand are to be handed back.
    """

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._overdue_at: float | None = None
        self._is_broken = False

    def request(self) -> None:
        """Ask to stop; the second time, at once."""
        self._be_overdue_in(self._grace_s if self._overdue_at is None else 0.0)

    def give_up(self) -> None:
        """Ask to stop at once, since the process is broken; its exit status says so."""
        self._is_broken = True
        self._be_overdue_in(0.0)

    def _be_overdue_in(self, seconds: float) -> None:
        # Who asks again and again does not put off the end by it.
        at, known = time.monotonic() + seconds, self._overdue_at
        self._overdue_at = at if known is None else min(at, known)

    @property
    def requested(self) -> bool:
        """Whether no new job may be taken."""
        return self._overdue_at is not None

    @property
    def overdue(self) -> bool:
        """Whether the jobs at hand must be handed back."""
        return self.overdue_for_s >= 0

    @property
    def overdue_for_s(self) -> float:
        """Seconds since the jobs at hand were to be handed back; below 0 while there is time."""
        return -float("inf") if self._overdue_at is None else time.monotonic() - self._overdue_at

    @property
    def exit_status(self) -> int:
        """0, or :data:`BROKEN`."""
        return BROKEN if self._is_broken else 0

    def listen(self) -> None:
        """Take SIGTERM and SIGINT for requests, in the whole process from now on; main thread only."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.request()
