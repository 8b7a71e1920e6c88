"""What a run spends its time on: the phases that it goes through, and its part in the batches of the device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Final, Literal

from opentelemetry.trace import SpanContext

from fixlip_core.batching import BatchRun, Modality

__all__ = ["BatchPart", "Phase", "Stretch", "Trail"]

MAX_BATCHES: Final = 32
"""Batches of a run that are kept one by one: a job may have thousands, and the first show what they are like."""

Phase = Literal["inputs", "model", "passes", "solve", "evaluate", "render", "store"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A phase, and when it was, by the monotonic clock in seconds."""

    phase: Phase
    started_s: float
    ended_s: float


@dataclass(frozen=True, slots=True)
class BatchPart:
    """A run's part in a batch.

    Attributes:
        batch: the batch.
        rows: how many of its rows were the run's.
        company: spans of other runs in it.
    """

    batch: BatchRun
    rows: int
    company: Sequence[SpanContext]


class Trail:
    """Grows while a run goes on: its phases in its own thread, its batches in the device's.

    Attributes:
        phases: those that are over, in their order.
        batches: its part in the first batches.
        n_batches: how many it had a part in.
        rows: how many of their rows were its own, by the tower that they went through.
    """

    def __init__(self) -> None:
        self.phases: list[Stretch] = []
        self.batches: list[BatchPart] = []
        self.n_batches = 0
        self.rows: Counter[Modality] = Counter()
        self._last_batch_s: float | None = None

    @contextmanager
    def phase(self, phase: Phase) -> Iterator[None]:
        """The block is this phase, however it ends."""
        started_s = monotonic()
        try:
            yield
        finally:
            self.phases.append(Stretch(phase, started_s, monotonic()))

    @contextmanager
    def passes(self) -> Iterator[None]:
        """The block is the passes, and what is solved from them: whatever comes after the last batch.

        Methods that run the towers themselves have no batches, and solve next to nothing: all is passes.
        """
        started_s = monotonic()
        try:
            yield
        finally:
            ended_s = monotonic()
            last_s = ended_s if self._last_batch_s is None else self._last_batch_s
            turned_s = min(max(last_s, started_s), ended_s)
            self.phases.append(Stretch("passes", started_s, turned_s))
            if turned_s < ended_s:
                self.phases.append(Stretch("solve", turned_s, ended_s))

    def note(self, batch: BatchRun, rows: int, company: Sequence[SpanContext] = ()) -> None:
        """The run had ``rows`` rows in a batch."""
        self.n_batches += 1
        self.rows[batch.modality] += rows
        self._last_batch_s = batch.ended_s
        if len(self.batches) < MAX_BATCHES:
            self.batches.append(BatchPart(batch, rows, company))
