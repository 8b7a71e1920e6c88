"""Inputs of any encoder, ready to be masked.

An encoder that does not leave its rows to others is called as it is: each call is a unit that nothing else can join.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from fixlip_core.encoders.masked import MaskedInput, MaskedRows
from fixlip_core.encoders.protocol import DualEncoder, ImageRemoval, TextRemoval
from fixlip_core.types import Coalitions, Embeddings, ImageInput

__all__ = ["CalledInput", "CalledRows", "CalledTower", "FinishedRows", "masked_image", "masked_text"]


def masked_image(encoder: DualEncoder, image: ImageInput, removal: ImageRemoval) -> MaskedInput:
    """The image; see :meth:`fixlip_core.encoders.masked.BatchableEncoder.masked_image`."""
    own: Callable[[ImageInput, ImageRemoval], MaskedInput] | None = getattr(encoder, "masked_image", None)
    if own is not None:
        return own(image, removal)
    tower = CalledTower("images", encoder.rows_per_call[0])
    return CalledInput(tower, encoder.card.embed_dim, lambda rows: encoder.encode_images(image, rows, removal=removal))


def masked_text(encoder: DualEncoder, caption: str, removal: TextRemoval) -> MaskedInput:
    """The caption; see :meth:`fixlip_core.encoders.masked.BatchableEncoder.masked_text`."""
    own: Callable[[str, TextRemoval], MaskedInput] | None = getattr(encoder, "masked_text", None)
    if own is not None:
        return own(caption, removal)
    tower = CalledTower("texts", encoder.rows_per_call[1])
    return CalledInput(tower, encoder.card.embed_dim, lambda rows: encoder.encode_texts(caption, rows, removal=removal))


@dataclass(frozen=True, slots=True)
class CalledTower:
    """Runs a unit by calling its encoder.

    Attributes:
        name: which tower.
        positions_per_batch: rows of a call; a row counts as one position.
    """

    name: str
    positions_per_batch: int

    @property
    def runs_ahead(self) -> bool:
        """A call returns when it is done."""
        return False

    def run(self, units: Sequence[CalledRows]) -> FinishedRows:
        """See :meth:`fixlip_core.encoders.masked.MaskedTower.run`."""
        return FinishedRows(np.concatenate([unit.encode(unit.coalitions) for unit in units]))


@dataclass(frozen=True, slots=True, eq=False)
class FinishedRows:
    """Embeddings that are there; see :class:`fixlip_core.encoders.masked.Launched`."""

    rows: Embeddings

    def is_done(self) -> bool:
        """Always."""
        return True

    def embeddings(self) -> Embeddings:
        """(m, D)."""
        return self.rows


@dataclass(frozen=True, slots=True, eq=False)
class CalledInput:
    """An input of an encoder that is called.

    Attributes:
        tower: what runs it.
        embed_dim: D.
        encode: (m, units) coalitions to (m, D) embeddings.
    """

    tower: CalledTower
    embed_dim: int
    encode: Callable[[Coalitions], Embeddings]

    def rows(self, coalitions: Coalitions) -> MaskedRows:
        """See :meth:`fixlip_core.encoders.masked.MaskedInput.rows`; the encoder checks the coalitions itself."""
        unit = CalledRows(self.tower, coalitions.copy(), self.encode)
        return MaskedRows((unit,) if len(unit) else (), np.arange(len(unit)), self.embed_dim)


@dataclass(frozen=True, slots=True, eq=False)
class CalledRows:
    """A call; a unit.

    Attributes:
        tower: what runs it.
        coalitions: (m, units).
        encode: (m, units) coalitions to (m, D) embeddings.
    """

    tower: CalledTower
    coalitions: Coalitions
    encode: Callable[[Coalitions], Embeddings]

    @property
    def bucket(self) -> Hashable:
        """Nothing else is like it."""
        return self

    @property
    def positions(self) -> int:
        """Its rows."""
        return len(self.coalitions)

    def __len__(self) -> int:
        return len(self.coalitions)

    def halves(self) -> tuple[CalledRows, CalledRows]:
        """See :meth:`fixlip_core.encoders.masked.Unit.halves`."""
        middle = len(self) // 2
        first, second = self.coalitions[:middle], self.coalitions[middle:]
        return CalledRows(self.tower, first, self.encode), CalledRows(self.tower, second, self.encode)
