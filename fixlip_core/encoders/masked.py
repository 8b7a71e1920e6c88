"""Masked rows of an input, apart from their running: cut into units, which a tower runs in any company.

An encoder turns an input and its coalitions into :class:`MaskedRows`. Whoever has the device runs the units: the
encoder itself, one call after another, or the batcher, together with the units of other jobs. What a unit's rows
become does not depend on that.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from fixlip_core.encoders.protocol import DualEncoder, ImageRemoval, TextRemoval
from fixlip_core.types import Coalitions, Embeddings, ImageInput, IntArray

__all__ = ["BatchableEncoder", "Launched", "MaskedInput", "MaskedRows", "MaskedTower", "Unit"]


class Launched(Protocol):
    """A batch on its way through a device."""

    def is_done(self) -> bool:
        """Whether :meth:`embeddings` would return at once."""
        ...

    def embeddings(self) -> Embeddings:
        """(m, D) float32 unit embeddings of all rows, in the order of the units; waits for the device."""
        ...


class MaskedTower(Protocol):
    """What runs units: a tower on its device. It is compared by identity."""

    @property
    def positions_per_batch(self) -> int:
        """Positions that are worth running at a time, and that the memory should hold."""
        ...

    @property
    def runs_ahead(self) -> bool:
        """Whether the device works on while the host goes on: a GPU does."""
        ...

    def run(self, units: Sequence[Any]) -> Launched:
        """Run units of one bucket as one batch."""
        ...


class Unit(Protocol):
    """Some masked rows of one input, which are run at once; hardly more than a handful, or what shares its work."""

    @property
    def tower(self) -> MaskedTower:
        """What runs it."""
        ...

    @property
    def bucket(self) -> Hashable:
        """Units of the same tower and bucket can be run as one batch."""
        ...

    @property
    def positions(self) -> int:
        """Positions that its running takes."""
        ...

    def __len__(self) -> int:
        """Number of rows."""
        ...

    def halves(self) -> tuple[Unit, Unit]:
        """The first and the second half of at least two rows: for a device that cannot hold the whole."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class MaskedRows:
    """An input under coalitions.

    Attributes:
        units: the rows to run; none where there are no coalitions.
        row_of: (m,) which of the units' rows, one unit after the other, belongs to each coalition.
        embed_dim: D.
    """

    units: tuple[Unit, ...]
    row_of: IntArray
    embed_dim: int

    def assembled(self, parts: Sequence[Embeddings]) -> Embeddings:
        """(m, D) float32, from the embeddings of the units' rows in their order."""
        if not parts:
            return np.empty((0, self.embed_dim), np.float32)
        return np.concatenate(parts)[self.row_of]

    def encode(self) -> Embeddings:
        """(m, D) float32 unit embeddings, run in this thread in batches."""
        launched = [batch[0].tower.run(batch) for batch in self._batches()]
        # The device need not wait for the host between batches.
        return self.assembled([batch.embeddings() for batch in launched])

    def _batches(self) -> Iterator[list[Unit]]:
        batch: list[Unit] = []
        positions = 0
        for unit in self.units:
            full = positions + unit.positions > unit.tower.positions_per_batch
            if batch and (full or unit.bucket != batch[0].bucket):
                yield batch
                batch, positions = [], 0
            batch.append(unit)
            positions += unit.positions
        if batch:
            yield batch


class MaskedInput(Protocol):
    """An image or a caption, ready to be masked."""

    def rows(self, coalitions: Coalitions) -> MaskedRows:
        """Its rows under (m, units) coalitions.

        Raises:
            InvalidParameterError: ``coalitions`` is not bool of shape (m, units).
        """
        ...


class BatchableEncoder(DualEncoder, Protocol):
    """An encoder that leaves the running of its rows to others."""

    def masked_image(self, image: ImageInput, removal: ImageRemoval) -> MaskedInput:
        """The image, ready to be masked.

        Raises:
            InvalidImageError: ``image`` is no picture.
            InvalidParameterError: ``removal`` is unknown.
        """
        ...

    def masked_text(self, caption: str, removal: TextRemoval) -> MaskedInput:
        """The caption, ready to be masked.

        Raises:
            InvalidCaptionError: the caption cannot be used with this model.
            InvalidParameterError: this encoder does not remove tokens so.
        """
        ...
