"""Running batches on a device: what comes of them, and what is done when one fails."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from time import monotonic
from typing import Final

from fixlip_core.batching.faults import free_memory, is_lost, is_out_of_memory
from fixlip_core.batching.requests import Piece, Request
from fixlip_core.batching.statistics import BatcherStatistics, BatchRun
from fixlip_core.encoders.masked import Launched
from fixlip_core.errors import DeviceLostError, DeviceMemoryError

__all__ = ["Runner"]

# With a second batch under way, a GPU need not wait for the host between them.
_BATCHES_UNDER_WAY: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class _Flight:
    """A batch under way.

    Attributes:
        pieces: what is in it.
        launched: its embeddings to be.
        started_s: when it was launched.
    """

    pieces: Sequence[Piece]
    launched: Launched
    started_s: float

    def is_done(self) -> bool:
        """Whether it is done, or has failed."""
        try:
            return self.launched.is_done()
        except RuntimeError:
            return True


class Runner:
    """Runs batches in one thread, and hands their embeddings to the requests.

    Args:
        put_back: takes pieces that are to be run again, in smaller batches.
        fail: ends a request by an error.
        on_batch: called with each batch that was run.
    """

    def __init__(
        self,
        put_back: Callable[[Sequence[Piece]], None],
        fail: Callable[[Request, BaseException], None],
        on_batch: Callable[[BatchRun], object] = lambda _: None,
    ) -> None:
        self.statistics = BatcherStatistics()
        self._put_back = put_back
        self._fail = fail
        self._on_batch = on_batch
        self._flights: deque[_Flight] = deque()
        self._idle_since_s = monotonic()

    @property
    def is_busy(self) -> bool:
        """Whether a batch is under way."""
        return bool(self._flights)

    def run(self, pieces: Sequence[Piece]) -> None:
        """Run a batch. On a device that works by itself, it may be under way still when this returns.

        Raises:
            DeviceLostError: the device failed for good.
        """
        self._launch(pieces)
        while self._flights and (len(self._flights) >= _BATCHES_UNDER_WAY or self._flights[0].is_done()):
            self.collect()

    def drain(self) -> None:
        """Wait for all that is under way.

        Raises:
            DeviceLostError: the device failed for good.
        """
        while self._flights:
            self.collect()

    def collect(self) -> None:
        """Wait for the oldest batch that is under way, and hand it out.

        Raises:
            DeviceLostError: the device failed for good.
        """
        flight = self._flights.popleft()
        try:
            embeddings = flight.launched.embeddings()
        except Exception as error:
            self._recover(flight.pieces, error)
            return
        self._account(flight)
        start = 0
        for piece in flight.pieces:
            piece.request.deliver(piece.start, embeddings[start : start + len(piece.unit)])
            start += len(piece.unit)

    def count(self, *, busy_s: float) -> None:
        """Count time in which the device was busy with something else."""
        self.statistics = replace(self.statistics, busy_s=self.statistics.busy_s + busy_s)
        self._idle_since_s = monotonic()

    def _launch(self, pieces: Sequence[Piece]) -> None:
        started_s = monotonic()
        try:
            launched = pieces[0].unit.tower.run([piece.unit for piece in pieces])
        except Exception as error:
            self._recover(pieces, error)
        else:
            self._flights.append(_Flight(pieces, launched, started_s))

    def _recover(self, pieces: Sequence[Piece], error: Exception) -> None:
        """Do what a batch's failure asks for: end the device's use, take smaller batches, or find whose fault it is."""
        if is_lost(error):
            raise DeviceLostError(f"the device failed: {error}") from error
        if is_out_of_memory(error):
            self._take_less(pieces, error)
            return
        requests = [list(own) for _, own in groupby(pieces, key=lambda piece: piece.request)]
        if len(requests) == 1:
            self._fail(pieces[0].request, error)
            return
        for own in requests:
            self._launch(own)
            self.drain()

    def _take_less(self, pieces: Sequence[Piece], error: Exception) -> None:
        error.__traceback__ = None  # its frames hold what filled the memory
        free_memory()
        rows, positions = (sum(sizes) for sizes in zip(*((len(p.unit), p.unit.positions) for p in pieces), strict=True))
        if rows == 1:
            pieces[0].size.refuse_row()
            reason = DeviceMemoryError("the device's memory cannot hold a single row of this job")
            self._fail(pieces[0].request, reason)
            return
        self.statistics = replace(self.statistics, oom_halvings=self.statistics.oom_halvings + 1)
        pieces[0].size.halve(positions)
        self._put_back(pieces)

    def _account(self, flight: _Flight) -> None:
        now_s = monotonic()
        started_s = max(flight.started_s, self._idle_since_s)
        taken_s = now_s - started_s
        self._idle_since_s = now_s
        rows, positions = sum(len(p.unit) for p in flight.pieces), sum(p.unit.positions for p in flight.pieces)
        size, known = flight.pieces[0].size, self.statistics
        capacity_rows = max(rows, rows * size.positions // positions)
        self.statistics = replace(
            known,
            batches=known.batches + 1,
            rows=known.rows + rows,
            capacity_rows=known.capacity_rows + capacity_rows,
            busy_s=known.busy_s + taken_s,
        )
        size.took(positions, taken_s)
        modality, rows_of = flight.pieces[0].request.modality, _rows_of(flight.pieces)
        self._on_batch(
            BatchRun(
                modality=modality, rows_of=rows_of, capacity_rows=capacity_rows, started_s=started_s, ended_s=now_s
            )
        )


def _rows_of(pieces: Sequence[Piece]) -> Mapping[Hashable, int]:
    """How many rows each client has in them."""
    rows: Counter[Hashable] = Counter()
    for piece in pieces:
        rows[piece.request.client] += len(piece.unit)
    return rows
