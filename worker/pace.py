"""How fast this process gets through its jobs, as it is measured while they run."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from statistics import median
from threading import Lock
from typing import Final

from service.jobs.rates import Pace

__all__ = ["PaceMeter"]

MEMORY_S: Final = 60.0
"""Time at work after which what was measured before has lost two thirds of its weight."""
KNOWN_AFTER_S: Final = 1.0
"""Time at work after which a measurement is one."""
TAILS: Final = 9
"""Jobs whose time after their passes is remembered. It is their median that is told: the first jobs of a process find
much that is not there yet, and take several times as long."""


@dataclass(slots=True)
class _Run:
    """A job at work: what it costs, the share of its passes that it has made, and when it made the last."""

    method: str
    cost_passes: int
    share: float
    made_at_s: float


class PaceMeter:
    """Adds up the passes of all jobs of a process, and the time in which it had any.

    Passes are counted as in the queue, by what jobs were expected to take: a job that has made half of its passes has
    made half of those. Several threads may use it.

    Args:
        clock: a monotonic clock, seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._runs: dict[Hashable, _Run] = {}
        self._tails_s: deque[float] = deque(maxlen=TAILS)
        self._tails_s_of: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=TAILS))
        self._passes = self._busy_s = self._device_s = 0.0
        self._known_s = 0.0
        self._at_s = clock()

    def begin(self, run: Hashable, *, method: str, cost_passes: int) -> None:
        """A job's work begins."""
        with self._lock:
            self._advance()
            self._runs[run] = _Run(method, cost_passes, 0.0, self._at_s)

    def report(self, run: Hashable, completed: int, total: int) -> None:
        """So many of a job's passes are done."""
        with self._lock:
            self._advance()
            known, share = self._runs.get(run), completed / total if total else 0.0
            # A method may say once more that it has made all, when it has solved; or find that there are more to make.
            if known is not None and share > known.share:
                self._passes += (share - known.share) * known.cost_passes
                known.share, known.made_at_s = share, self._at_s

    def end(self, run: Hashable) -> None:
        """A job's work is over, however it went; to be told so again is no error."""
        with self._lock:
            self._advance()
            known = self._runs.pop(run, None)
            if known is not None and known.share >= 1:
                for tails_s in (self._tails_s, self._tails_s_of[known.method]):
                    tails_s.append(self._at_s - known.made_at_s)

    def pace(self, *, models: Iterable[str], slots: int) -> Pace:
        """What was measured until now, for a worker that serves these models with so many slots."""
        with self._lock:
            self._advance()
            is_known = self._known_s >= KNOWN_AFTER_S and min(self._passes, self._device_s) > 0
            return Pace(
                models=tuple(models),
                slots=slots,
                passes_per_s=self._passes / self._busy_s if is_known else None,
                device_passes_per_s=self._passes / self._device_s if is_known else None,
                tail_s=median(self._tails_s) if self._tails_s else 0.0,
                tail_s_of={method: median(tails_s) for method, tails_s in self._tails_s_of.items()},
            )

    def _advance(self) -> None:
        """Count the time since this was last called, and forget some of what came before."""
        now_s = self._clock()
        passed_s, self._at_s = now_s - self._at_s, now_s
        if not self._runs:
            return
        keeps = math.exp(-passed_s / MEMORY_S)
        self._passes *= keeps
        self._busy_s = self._busy_s * keeps + passed_s
        self._device_s *= keeps
        if any(run.share < 1 for run in self._runs.values()):
            self._device_s += passed_s
        self._known_s += passed_s
