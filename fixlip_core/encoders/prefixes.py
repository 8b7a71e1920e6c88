"""Masked rows of captions in a causal text tower, equal beginnings computed once.

The state at a position depends only on the coalition's bits before it. All 2^n coalitions of n tokens then take
about 2^(n+1) positions instead of (n + 2) 2^n. Coalitions drawn at random share their first few positions only; the
rest is run at once.

A unit is some of a caption's coalitions with the stages in which they are cheapest to run. Units with the same stages
are run side by side, each with its own beginnings.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from fixlip_core.defaults import TEXT_ROWS_PER_CALL
from fixlip_core.encoders.batches import LaunchedRows, checked_coalitions, launch, runs_ahead
from fixlip_core.encoders.masked import MaskedRows
from fixlip_core.encoders.masked_texts import MaskedLine
from fixlip_core.encoders.steady import filled
from fixlip_core.encoders.towers import TextTower, unit
from fixlip_core.encoders.tries import Stage, Trie, beginnings, cheapest_cuts
from fixlip_core.types import BoolArray, Coalitions

__all__ = ["PrefixRows", "SharedPrefixes", "SharedText"]


@dataclass(frozen=True, eq=False)
class SharedPrefixes:
    """Runs masked rows of any captions through a causal text tower that pools the last position.

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
    def run(self, units: Sequence[PrefixRows]) -> LaunchedRows:
        """See :meth:`fixlip_core.encoders.masked.MaskedTower.run`."""
        last = Trie.of(self.tower.blocks, units, positions_per_batch=self.positions_per_batch).run()
        return launch(unit(self.tower.head(filled(last)[:, None]))[: len(last)])


@dataclass(frozen=True, slots=True, eq=False)
class SharedText:
    """A caption whose rows share their beginnings.

    Attributes:
        texts: what runs it.
        line: its line.
    """

    texts: SharedPrefixes
    line: MaskedLine

    def rows(self, coalitions: Coalitions) -> MaskedRows:
        """See :meth:`fixlip_core.encoders.masked.MaskedInput.rows`.

        Raises:
            InvalidParameterError: ``coalitions`` is not of shape (m, tokens).
        """
        present = checked_coalitions(coalitions, len(self.line.line.content))
        distinct, row_of = np.unique(present, axis=0, return_inverse=True)
        size = max(1, min(TEXT_ROWS_PER_CALL, self.texts.positions_per_batch // len(self.line.line.ids)))
        starts = range(0, len(distinct), size)
        units = tuple(PrefixRows.of(self.texts, self.line, distinct[start : start + size]) for start in starts)
        return MaskedRows(units, row_of.reshape(-1), self.texts.embed_dim)


@dataclass(frozen=True, slots=True, eq=False)
class PrefixRows:
    """Coalitions of a caption and the stages that they are run in; a unit.

    Attributes:
        tower: what runs it.
        line: the caption.
        coalitions: (m, n) distinct, sorted.
        stages: the stages, in order.
    """

    tower: SharedPrefixes
    line: MaskedLine
    coalitions: Coalitions
    stages: tuple[Stage, ...]

    @classmethod
    def of(cls, tower: SharedPrefixes, line: MaskedLine, coalitions: Coalitions) -> PrefixRows:
        """The unit with the stages that take the least."""
        known = [beginnings(bits) for bits in _bits_before(line, coalitions)]
        cuts = cheapest_cuts([len(rows) for rows, _ in known])
        return cls(tower, line, coalitions, tuple(Stage(start, stop, *known[stop - 1]) for start, stop in cuts))

    @property
    def bucket(self) -> Hashable:
        """Lines of one length with their tokens at the same places, cut alike, can be run side by side."""
        line = self.line.line
        cuts = tuple(stage.stop for stage in self.stages)
        return len(line.ids), line.content, self.line.replaces, cuts

    @property
    def positions(self) -> int:
        """Positions of all stages."""
        return sum(len(stage.rows) * stage.length for stage in self.stages)

    def __len__(self) -> int:
        return len(self.coalitions)

    def halves(self) -> tuple[PrefixRows, PrefixRows]:
        """See :meth:`fixlip_core.encoders.masked.Unit.halves`."""
        middle = len(self) // 2
        first, second = self.coalitions[:middle], self.coalitions[middle:]
        return PrefixRows.of(self.tower, self.line, first), PrefixRows.of(self.tower, self.line, second)


def _bits_before(line: MaskedLine, coalitions: Coalitions) -> list[BoolArray]:
    """For every position t, (m, k) the tokens whose bits its state depends on; a replaced token's own is one."""
    content = line.line.content
    ends = range(line.replaces, len(line.line.ids) + line.replaces)
    return [coalitions[:, : sum(at < end for at in content)] for end in ends]
