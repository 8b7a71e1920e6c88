"""Masked rows of inputs that are masked before their tower sees them: what is absent is replaced in the input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from fixlip_core.encoders.batches import LaunchedRows, launch, runs_ahead, to_device
from fixlip_core.encoders.masked import MaskedRows
from fixlip_core.encoders.rows import FewRows, cut
from fixlip_core.encoders.steady import STEADY_ROWS, filled
from fixlip_core.encoders.towers import unit
from fixlip_core.types import Coalitions

__all__ = ["ReplacedInput", "WholeTower"]


@dataclass(frozen=True, eq=False)
class WholeTower:
    """A tower that is run as it is, from inputs to embeddings.

    Attributes:
        encode: (m, ...) inputs to (m, D) embeddings, not normalised.
        weight: one of its weights; inputs must be where it is.
        rows_per_batch: inputs to run at a time.
        embed_dim: D.
    """

    encode: Callable[[Tensor], Tensor]
    weight: Tensor
    rows_per_batch: int
    embed_dim: int

    @property
    def positions_per_batch(self) -> int:
        """See :attr:`fixlip_core.encoders.masked.MaskedTower.positions_per_batch`; an input counts as one."""
        return self.rows_per_batch

    @property
    def rows_per_unit(self) -> int:
        """Rows of a unit. On a CPU no batch has fewer, so that every row has its bits in any batch."""
        return min(STEADY_ROWS, self.rows_per_batch)

    @property
    def runs_ahead(self) -> bool:
        """See :attr:`fixlip_core.encoders.masked.MaskedTower.runs_ahead`."""
        return runs_ahead(self.weight.device)

    @torch.inference_mode()
    def run(self, units: Sequence[FewRows[ReplacedInput]]) -> LaunchedRows:
        """See :meth:`fixlip_core.encoders.masked.MaskedTower.run`."""
        device, inputs = self.weight.device, []
        for masked, own in groupby(units, key=lambda rows: rows.masked):
            present = masked.spread(to_device(np.concatenate([rows.present for rows in own]), device))
            inputs.append(torch.where(present, masked.shown.to(device), masked.hidden.to(device)))
        rows = torch.cat(inputs)
        return launch(self.embed(filled(rows, at_least=self.rows_per_unit))[: len(rows)])

    def embed(self, inputs: Tensor) -> Tensor:
        """(m, D) float32 unit embeddings of (m, ...) inputs."""
        device, dtype = self.weight.device, self.weight.dtype
        # With low precision some of open_clip's towers (CoCa's pooling) mix it with float32 and need the cast.
        with torch.autocast(device.type, dtype, enabled=dtype != torch.float32):
            return unit(self.encode(inputs.to(device)))


@dataclass(frozen=True, slots=True, eq=False)
class ReplacedInput:
    """An input, ready to be masked.

    Attributes:
        tower: what runs it.
        shown: (1, ...) the input.
        hidden: (1, ...) what stands in for what is absent.
        spread: (m, n) coalitions to (m, ...) where the input is shown.
        n_units: n.
    """

    tower: WholeTower
    shown: Tensor
    hidden: Tensor
    spread: Callable[[Tensor], Tensor]
    n_units: int

    @property
    def positions(self) -> int:
        """Positions of a row; an input counts as one."""
        return 1

    def rows(self, coalitions: Coalitions) -> MaskedRows:
        """See :meth:`fixlip_core.encoders.masked.MaskedInput.rows`.

        Raises:
            InvalidParameterError: ``coalitions`` is not of shape (m, n).
        """
        rows = self.tower.rows_per_unit
        return cut(self, coalitions, self.n_units, rows=rows, embed_dim=self.tower.embed_dim)
