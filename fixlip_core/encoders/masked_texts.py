"""Masked rows of captions: what enters the blocks, and the rows that are run each by itself.

A causal tower that pools the last position shares equal beginnings (:mod:`fixlip_core.encoders.prefixes`); any other
runs every row.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from fixlip_core.encoders.batches import LaunchedRows, checked_coalitions, launch, owned, runs_ahead, to_device
from fixlip_core.encoders.masked import MaskedRows
from fixlip_core.encoders.steady import STEADY_ROWS, filled, steady
from fixlip_core.encoders.towers import TextLine, TextTower, unit
from fixlip_core.types import Coalitions

__all__ = ["MaskedLine", "MaskedText", "MaskedTexts", "TextRows"]


@dataclass(frozen=True, eq=False)
class MaskedTexts:
    """Runs masked rows of any captions through a text tower, each by itself.

    Attributes:
        tower: the tower.
        positions_per_batch: positions to run at a time.
        embed_dim: D.
    """

    tower: TextTower
    positions_per_batch: int
    embed_dim: int

    @property
    def runs_ahead(self) -> bool:
        """See :attr:`fixlip_core.encoders.masked.MaskedTower.runs_ahead`."""
        return runs_ahead(self.tower.device)

    @torch.inference_mode()
    def run(self, units: Sequence[TextRows]) -> LaunchedRows:
        """See :meth:`fixlip_core.encoders.masked.MaskedTower.run`."""
        tower, some = self.tower, units[0].line
        lines = [(line, np.concatenate([unit.present for unit in own])) for line, own in groupby(units, key=_line)]
        rows = [len(present) for _, present in lines]
        x = owned([line.state for line, _ in lines], rows).expand(sum(rows), -1, -1)
        presents = [to_device(present, tower.device) for _, present in lines]
        if some.replaces:
            kept = torch.cat([line.kept(present) for (line, _), present in zip(lines, presents, strict=True)])
            x = torch.where(kept[:, :, None], x, owned([line.replaced_state for line, _ in lines], rows))
        masks = [line.mask(present) for (line, _), present in zip(lines, presents, strict=True)]
        mask = torch.cat(known) if (known := [mask for mask in masks if mask is not None]) else None
        # From the last block on there is one position a row, and few rows to a matrix product.
        last = len(tower.blocks) - 1
        x = filled(tower.run(x, line=some.line, stop=last, mask=mask, attend=steady))
        mask = None if mask is None else filled(mask)
        embeddings = tower.finish(x, line=some.line, start=last, mask=mask, attend=steady)
        return launch(unit(embeddings)[: sum(rows)])


@dataclass(frozen=True, eq=False)
class MaskedLine:
    """A caption's line in a text tower, ready to be masked.

    Attributes:
        tower: the tower.
        line: the line.
        replaces: whether absent tokens are replaced by padding, rather than masked.
    """

    tower: TextTower
    line: TextLine
    replaces: bool

    @cached_property
    def state(self) -> Tensor:
        """(L, W) input of the first block, all tokens present; made by whoever runs the rows."""
        return self.tower.state(self.line)[0]

    @cached_property
    def replaced_state(self) -> Tensor:
        """(L, W) the same with every content token replaced by padding."""
        return self.tower.replaced_state(self.line)[0]

    def kept(self, present: Tensor) -> Tensor:
        """(m, L) which positions are present under (m, n) coalitions; marks always are."""
        kept = torch.ones(len(present), len(self.line.ids), dtype=torch.bool, device=present.device)
        kept[:, list(self.line.content)] = present
        return kept

    def mask(self, present: Tensor) -> Tensor | None:
        """(m, 1, L, L) which keys each query may see; None: all, whatever is present."""
        mask = self.tower.mask(self.line, present, replaced=self.replaces)
        return None if mask is None else mask.expand(len(present), -1, -1, -1)


@dataclass(frozen=True, slots=True, eq=False)
class MaskedText:
    """A caption whose rows are run each by itself.

    Attributes:
        texts: what runs it.
        line: its line.
    """

    texts: MaskedTexts
    line: MaskedLine

    def rows(self, coalitions: Coalitions) -> MaskedRows:
        """See :meth:`fixlip_core.encoders.masked.MaskedInput.rows`.

        Raises:
            InvalidParameterError: ``coalitions`` is not of shape (m, tokens).
        """
        present = checked_coalitions(coalitions, len(self.line.line.content))
        size = max(1, min(STEADY_ROWS, self.texts.positions_per_batch // len(self.line.line.ids)))
        starts = range(0, len(present), size)
        units = tuple(TextRows(self.texts, self.line, present[start : start + size]) for start in starts)
        return MaskedRows(units, np.arange(len(present)), self.texts.embed_dim)


@dataclass(frozen=True, slots=True, eq=False)
class TextRows:
    """A few rows of a caption; a unit.

    Attributes:
        tower: what runs it.
        line: the caption.
        present: (m, n) the coalitions.
    """

    tower: MaskedTexts
    line: MaskedLine
    present: Coalitions

    @property
    def bucket(self) -> Hashable:
        """Lines of one length, pooled at one position and masked or not alike can be stacked."""
        line, replaces = self.line.line, self.line.replaces
        return len(line.ids), line.readout, replaces, self.tower.tower.masks(line, replaced=replaces)

    @property
    def positions(self) -> int:
        """All positions of every row."""
        return len(self.present) * len(self.line.line.ids)

    def __len__(self) -> int:
        return len(self.present)

    def halves(self) -> tuple[TextRows, TextRows]:
        """See :meth:`fixlip_core.encoders.masked.Unit.halves`."""
        middle = len(self) // 2
        first, second = self.present[:middle], self.present[middle:]
        return TextRows(self.tower, self.line, first), TextRows(self.tower, self.line, second)


def _line(rows: TextRows) -> MaskedLine:
    return rows.line
