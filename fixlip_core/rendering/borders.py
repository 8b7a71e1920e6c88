"""Where one player of the image ends and another begins: lines between patches, in units of patches."""

from __future__ import annotations

import numpy as np

from fixlip_core.types import BoolArray, FloatArray, IntArray

__all__ = ["borders", "outline"]


def borders(owners: IntArray | BoolArray) -> FloatArray:
    """(m, 2, 2) ends (x, y) of the lines between neighbours of different owners, (rows, columns), each a patch long."""
    row, column = np.nonzero(owners[:, 1:] != owners[:, :-1])
    upright = np.stack([np.stack([column + 1, row], axis=-1), np.stack([column + 1, row + 1], axis=-1)], axis=1)
    row, column = np.nonzero(owners[1:] != owners[:-1])
    level = np.stack([np.stack([column, row + 1], axis=-1), np.stack([column + 1, row + 1], axis=-1)], axis=1)
    return np.concatenate([upright, level]).astype(np.float64)


def outline(owners: IntArray, player: int) -> FloatArray:
    """(m, 2, 2) ends (x, y) of the lines around all patches of one owner, at the picture's edge as well."""
    return borders(np.pad(owners == player, 1)) - 1.0
