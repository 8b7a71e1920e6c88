"""Pointing-game recognition (FIxLIP, arXiv 2508.05430): do a word's interactions lie where its object is?

Over the text players t whose object is known, with m_t(q) the share of patch q inside that object's region, and over
cross-modal values e_qt alone:

    correct = sum of e_qt+ m_t(q) + e_qt- (1 - m_t(q)),    wrong = sum of e_qt+ (1 - m_t(q)) + e_qt- m_t(q),

with e+ and e- the positive part and the size of the negative part. What counts is correct / (correct + wrong).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation.saliency import saliency_of
from fixlip_core.explanation import Explanation
from fixlip_core.types import BoolArray, FloatArray

__all__ = ["Pointing", "pointing_game", "quadrant_shares"]


@dataclass(frozen=True, slots=True)
class Pointing:
    """What of an explanation points to where it should, and what does not.

    Attributes:
        correct: positive values inside the objects' regions, and sizes of negative values outside.
        wrong: the reverse.
    """

    correct: float
    wrong: float

    @property
    def ratio(self) -> float:
        """What is right of the whole, from 0 to 1; nan where all values are 0 or there are no objects."""
        whole = self.correct + self.wrong
        return self.correct / whole if whole > 0 else float("nan")


def pointing_game(explanation: Explanation, regions: Mapping[int, BoolArray | FloatArray]) -> Pointing:
    """Play the game with an explanation whose objects are known.

    At order 2 the cross-modal pairs of each text player count, single values and pairs of one side do not. At order 1
    every text player has the patches' own values. The value of an image player of several patches is shared out among
    them equally.

    Args:
        explanation: of any method.
        regions: by text player, from 0: (rows, columns) which patches, or which share of each, its object covers.

    Raises:
        InvalidParameterError: there is no such text player, a region is not of the grid's shape, or a share is not in
            [0, 1].
    """
    owners = explanation.players.owners
    patches = np.bincount(owners, minlength=explanation.n_image)
    correct = wrong = 0.0
    for token, region in regions.items():
        inside = _shares(explanation, token, region).ravel()
        values = explanation.cross[:, token] if explanation.order == 2 else saliency_of(explanation)[0]
        of_patches = (values / patches)[owners]
        positive, negative = np.maximum(of_patches, 0), np.maximum(-of_patches, 0)
        correct += float(positive @ inside + negative @ (1 - inside))
        wrong += float(positive @ (1 - inside) + negative @ inside)
    return Pointing(correct, wrong)


def quadrant_shares(grid: tuple[int, int]) -> FloatArray:
    """(4, rows, columns) the share of every patch that lies in each quadrant: the top left and right, then the bottom.

    Where the middle of the picture cuts a patch, as on CLIP ViT-B/32's 7 x 7 grid, its value counts in two quadrants by
    halves, or in four by quarters: each quadrant has a quarter of the picture on any grid.
    """
    rows, columns = (_halves(n) for n in grid)
    return np.asarray(np.einsum("ar,bc->abrc", rows, columns).reshape(4, *grid))


def _halves(n: int) -> FloatArray:
    """(2, n) the share of each of n equal parts that lies in the first and in the second half."""
    first = np.clip(n / 2 - np.arange(n), 0.0, 1.0)
    return np.stack([first, 1 - first])


def _shares(explanation: Explanation, token: int, region: BoolArray | FloatArray) -> FloatArray:
    """(rows, columns) float64 of a region that is one."""
    if not 0 <= token < explanation.n_text:
        raise InvalidParameterError(
            f"text players are from 0 to {explanation.n_text - 1}; there is no {token}", field="regions"
        )
    shares = np.asarray(region, dtype=np.float64)
    if shares.shape != explanation.grid:
        raise InvalidParameterError(
            f"the region of text player {token} must be of the grid's shape {explanation.grid}, not {shares.shape}",
            field="regions",
        )
    if not ((shares >= 0) & (shares <= 1)).all():
        raise InvalidParameterError(
            f"the region of text player {token} must have shares from 0 to 1 or truth values", field="regions"
        )
    return shares
