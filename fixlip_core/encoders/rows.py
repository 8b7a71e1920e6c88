"""Units that are a few rows of one input, each row as costly as the next."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from fixlip_core.encoders.batches import checked_coalitions
from fixlip_core.encoders.masked import MaskedRows, MaskedTower
from fixlip_core.types import Coalitions

__all__ = ["FewRows", "RowWise", "cut"]


class RowWise(Protocol):
    """An input whose rows are all of one shape, the same for all inputs of its tower."""

    @property
    def tower(self) -> MaskedTower:
        """What runs it."""
        ...

    @property
    def positions(self) -> int:
        """Positions of a row."""
        ...


_InputT = TypeVar("_InputT", bound=RowWise)


@dataclass(frozen=True, slots=True, eq=False)
class FewRows(Generic[_InputT]):
    """A few rows of an input; a unit.

    Attributes:
        masked: the input.
        present: (m, n) the coalitions.
    """

    masked: _InputT
    present: Coalitions

    @property
    def tower(self) -> MaskedTower:
        """What runs it."""
        return self.masked.tower

    @property
    def bucket(self) -> Hashable:
        """All inputs of a tower have the same shape."""
        return None

    @property
    def positions(self) -> int:
        """All positions of every row."""
        return len(self.present) * self.masked.positions

    def __len__(self) -> int:
        return len(self.present)

    def halves(self) -> tuple[FewRows[_InputT], FewRows[_InputT]]:
        """See :meth:`fixlip_core.encoders.masked.Unit.halves`."""
        middle = len(self) // 2
        return FewRows(self.masked, self.present[:middle]), FewRows(self.masked, self.present[middle:])


def cut(masked: RowWise, coalitions: Coalitions, n_units: int, *, rows: int, embed_dim: int) -> MaskedRows:
    """An input under (m, n) coalitions, in units of so many rows.

    Raises:
        InvalidParameterError: ``coalitions`` is not bool of shape (m, ``n_units``).
    """
    present = checked_coalitions(coalitions, n_units)
    units = tuple(FewRows(masked, present[start : start + rows]) for start in range(0, len(present), rows))
    return MaskedRows(units, np.arange(len(present)), embed_dim)
