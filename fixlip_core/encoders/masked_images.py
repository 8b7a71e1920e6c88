"""Masked rows of images: patches are embedded once, and those that are absent exchanged for what stands in for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from fixlip_core.encoders.batches import LaunchedRows, launch, owned, runs_ahead, to_device
from fixlip_core.encoders.masked import MaskedRows
from fixlip_core.encoders.rows import FewRows, cut
from fixlip_core.encoders.steady import STEADY_ROWS, filled, steady
from fixlip_core.encoders.towers import ImageTower, unit
from fixlip_core.types import Coalitions

__all__ = ["MaskedImage", "MaskedImages"]


@dataclass(frozen=True, eq=False)
class MaskedImages:
    """Runs masked rows of any images through an image tower.

    Attributes:
        tower: the tower.
        positions_per_batch: positions to run at a time.
        embed_dim: D.
    """

    tower: ImageTower
    positions_per_batch: int
    embed_dim: int

    @property
    def runs_ahead(self) -> bool:
        """See :attr:`fixlip_core.encoders.masked.MaskedTower.runs_ahead`."""
        return runs_ahead(self.tower.device)

    @torch.inference_mode()
    def run(self, units: Sequence[FewRows[MaskedImage]]) -> LaunchedRows:
        """See :meth:`fixlip_core.encoders.masked.MaskedTower.run`."""
        tower, images, rows = self.tower, [], []
        for image, own in groupby(units, key=lambda unit: unit.masked):
            images.append(image.states)
            rows.append(sum(len(unit) for unit in own))
        present = to_device(np.concatenate([unit.present for unit in units]), tower.device)
        patches, absent = (owned(states, rows) for states in zip(*images, strict=True))
        x = tower.enter(torch.where(present[:, :, None], patches, absent))
        # From where there is one position a row, there are few rows to a matrix product.
        narrow = len(tower.blocks) - (tower.readout is not None)
        x = filled(tower.run(x, stop=narrow, attend=steady))
        return launch(unit(tower.finish(x, start=narrow, attend=steady))[: len(present)])


@dataclass(frozen=True, eq=False)
class MaskedImage:
    """A view, ready to be masked.

    Attributes:
        tower: what runs it.
        pixels: (1, 3, H, W) the view, normalised.
        baseline: (1, 3, H, W) what removed pixels become.
        n_patches: number of patches.
    """

    tower: MaskedImages
    pixels: Tensor
    baseline: Tensor
    n_patches: int

    @cached_property
    def states(self) -> tuple[Tensor, Tensor]:
        """(patches, W) embedded patches, and those of the baseline; made by whoever runs the rows."""
        tower = self.tower.tower
        return tower.patches(self.pixels)[0], tower.patches(self.baseline)[0]

    @property
    def positions(self) -> int:
        """Positions of a row."""
        return self.tower.tower.first_patch + self.n_patches

    def rows(self, coalitions: Coalitions) -> MaskedRows:
        """See :meth:`fixlip_core.encoders.masked.MaskedInput.rows`.

        Raises:
            InvalidParameterError: ``coalitions`` is not of shape (m, patches).
        """
        rows = max(1, min(STEADY_ROWS, self.tower.positions_per_batch // self.positions))
        return cut(self, coalitions, self.n_patches, rows=rows, embed_dim=self.tower.embed_dim)
