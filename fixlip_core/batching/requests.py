"""One call for embeddings: its pieces, and what has become of them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from weakref import WeakSet

from fixlip_core.batching.sizes import BatchSize
from fixlip_core.batching.statistics import Modality
from fixlip_core.encoders.masked import MaskedRows, MaskedTower, Unit
from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.types import Embeddings

__all__ = ["Model", "Piece", "Request"]


@dataclass(slots=True, eq=False)
class Model:
    """What is known of an encoder on its device.

    Attributes:
        encoder: the encoder.
        faces: the jobs' faces to it, each of which may send rows any time.
        sizes: how large the batches of its towers are.
    """

    encoder: DualEncoder
    faces: WeakSet[DualEncoder] = field(default_factory=WeakSet)
    sizes: dict[MaskedTower, BatchSize] = field(default_factory=dict)

    def size_of(self, tower: MaskedTower) -> BatchSize:
        """The size of a tower's batches."""
        size = self.sizes.get(tower)
        if size is None:
            size = self.sizes[tower] = BatchSize(tower.positions_per_batch)
        return size


class Request:
    """Rows that a caller waits for.

    Args:
        client: whose they are; rows are shared out among clients.
        model: the model that they are for.
        modality: the tower that they go through.
        rows: the rows.
    """

    def __init__(self, client: Hashable, model: Model, modality: Modality, rows: MaskedRows) -> None:
        self.client = client
        self.model = model
        self.modality = modality
        self.done = Event()
        """Set when there is nothing more to wait for."""
        self.since_s = monotonic()
        """When it was made."""
        self._rows = rows
        self._missing = sum(len(unit) for unit in rows.units)
        self._parts: dict[int, Embeddings] = {}
        self._error: BaseException | None = None

    def pieces(self) -> Iterator[Piece]:
        """Its rows, in order."""
        start = 0
        for unit in self._rows.units:
            yield Piece(self, unit, start)
            start += len(unit)

    def deliver(self, start: int, embeddings: Embeddings) -> None:
        """Take the embeddings of the rows from ``start`` on."""
        self._parts[start] = embeddings
        self._missing -= len(embeddings)
        if not self._missing:
            self.done.set()

    def fail(self, error: BaseException) -> None:
        """Its rows will not come; without effect once they have."""
        if not self.done.is_set():
            self._error = error
            self.done.set()

    def result(self) -> Embeddings:
        """(m, D) float32, once it is done; raises what it failed by."""
        if self._error is not None:
            raise self._error
        return self._rows.assembled([self._parts[start] for start in sorted(self._parts)])


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A unit of a request.

    Attributes:
        request: the request.
        unit: the unit.
        start: its first row among those of the request's units.
    """

    request: Request
    unit: Unit
    start: int

    @property
    def lane(self) -> Hashable:
        """Pieces of one lane can be run as one batch."""
        return self.unit.tower, self.unit.bucket

    @property
    def size(self) -> BatchSize:
        """How large its batches are."""
        return self.request.model.size_of(self.unit.tower)

    def halves(self) -> tuple[Piece, Piece]:
        """The first and the second half of its rows."""
        first, second = self.unit.halves()
        return Piece(self.request, first, self.start), Piece(self.request, second, self.start + len(first))
