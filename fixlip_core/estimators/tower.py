"""What the estimators take and give: a tower's sample, and coefficients with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fixlip_core.coalitions import CoalitionSample
from fixlip_core.estimators.basis import Coefficients
from fixlip_core.types import FloatArray

__all__ = ["GameFit", "TowerSample"]


@dataclass(frozen=True, slots=True)
class TowerSample:
    """One tower's masked passes.

    Attributes:
        sample: m coalitions of the tower's n players.
        embeddings: (m, D) float64 unit embeddings.
        places: (n, d) positions of the players, in units of a patch or a token; neighbours are 1 apart.
    """

    sample: CoalitionSample
    embeddings: FloatArray
    places: FloatArray

    @property
    def n(self) -> int:
        """Number of the tower's players."""
        return int(self.sample.coalitions.shape[1])


@dataclass(frozen=True, slots=True)
class GameFit:
    """Joint coefficients of a game, with the standard errors of the additive form's values.

    Attributes:
        coefficients: c_S of |S| <= 2, image players before text players.
        first_std_error: (n,) standard errors of e_i.
        second_std_error: (n, n) standard errors of e_ij.
        estimated_r2: leave-one-out estimate of the explanation's R^2.
    """

    coefficients: Coefficients
    first_std_error: FloatArray
    second_std_error: FloatArray
    estimated_r2: float

    @classmethod
    def without_errors(cls, coefficients: Coefficients) -> GameFit:
        """A fit whose solver gives no standard errors and no leave-one-out estimate: nan."""
        return cls(
            coefficients,
            np.full(coefficients.first.shape, np.nan),
            np.full(coefficients.second.shape, np.nan),
            float("nan"),
        )
