"""What the estimators take and give: a tower's sample, and coefficients with their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fixlip_core.coalitions import CoalitionSample
from fixlip_core.errors import InvalidParameterError
from fixlip_core.estimators.basis import Coefficients
from fixlip_core.types import FloatArray

__all__ = ["GameFit", "TowerSample", "check_presence"]

# Between this and its complement coalitions hardly ever repeat, and the prior answers for a player that never varied.
# Nearer to 0 or 1 most are the same, and that the same coalition has the same value would pass for certainty.
_MODERATE_P = 0.25
# A rarer state counts by its probability: nearer to the ends float64 has no digits left for them.
_LEAST_P = 1e-9


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


def check_presence(image: TowerSample, text: TowerSample) -> None:
    """Refuse coalitions drawn at a p near 0 or 1 where a player is in all of them, or in none.

    Raises:
        InvalidParameterError: p is below 1/4 or above 3/4, and a tower's coalitions are too few for it; or it is
            within 1e-9 of 0 or 1, where not even all coalitions tell.
    """
    if min(image.sample.p, 1 - image.sample.p) < _LEAST_P:
        raise InvalidParameterError(f"p must be at least {_LEAST_P:g} from 0 and from 1", field="p")
    for name, tower in (("image", image), ("text", text)):
        p, coalitions = tower.sample.p, tower.sample.coalitions
        if tower.sample.exhaustive or _MODERATE_P <= p <= 1 - _MODERATE_P:
            continue
        if not (coalitions.any(axis=0) & ~coalitions.all(axis=0)).all():
            never = "present" if p < 0.5 else "absent"
            raise InvalidParameterError(
                f"with p = {p:g} and {len(coalitions)} {name} coalitions some players are never {never}: take p nearer "
                "to 0.5 or more passes",
                field="p",
            )
