"""Coalitions of the product measure: every player present with probability p, independently.

Under this measure the functions chi_S(x) = prod_{i in S} (x_i - p) / s, s = sqrt(p (1 - p)), are orthonormal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fixlip_core.defaults import MAX_ENUMERATED_PLAYERS
from fixlip_core.errors import InvalidParameterError
from fixlip_core.types import Coalitions, FloatArray

__all__ = ["CoalitionSample", "enumerate_product", "sample_product", "standardise"]


@dataclass(frozen=True, slots=True)
class CoalitionSample:
    """Weighted coalitions that stand for the product measure.

    Attributes:
        coalitions: (m, n) bool, read-only.
        weights: (m,) float64 that sum to 1, read-only.
        p: probability of presence.
        exhaustive: whether these are all 2^n coalitions with their exact probabilities.
    """

    coalitions: Coalitions
    weights: FloatArray
    p: float
    exhaustive: bool

    def __post_init__(self) -> None:
        self.coalitions.flags.writeable = False
        self.weights.flags.writeable = False

    def __len__(self) -> int:
        return len(self.coalitions)

    @property
    def chi(self) -> FloatArray:
        """(m, n) standardised presence: chi_i of every coalition."""
        return standardise(self.coalitions, self.p)


def standardise(coalitions: Coalitions, p: float) -> FloatArray:
    """(m, n) float64: (x_i - p) / sqrt(p (1 - p)), of mean 0 and variance 1 under the measure."""
    return np.asarray((coalitions - p) / np.sqrt(p * (1 - p)), dtype=np.float64)


def sample_product(
    n: int, m: int, p: float, rng: np.random.Generator, *, complementary: bool = True
) -> CoalitionSample:
    """Draw ``m`` coalitions of ``n`` players, equally weighted.

    At p = 1/2 they come in complementary pairs unless told otherwise, so that estimates of odd and even orders do not
    disturb each other (an odd ``m`` leaves the last one single); at other p they are independent.
    """
    if p == 0.5 and complementary:
        half = rng.random((-(-m // 2), n)) < 0.5
        rows = np.stack([half, ~half], axis=1).reshape(-1, n)[:m]
    else:
        rows = rng.random((m, n)) < p
    return CoalitionSample(np.ascontiguousarray(rows), np.full(m, 1 / m), p, exhaustive=False)


def enumerate_product(n: int, p: float) -> CoalitionSample:
    """All 2^n coalitions with their probabilities; row k is the binary form of k, player 0 its highest bit.

    Neighbouring rows then begin alike, which text towers that share prefixes turn to account.

    Raises:
        InvalidParameterError: there are more than 20 players.
    """
    if n > MAX_ENUMERATED_PLAYERS:
        raise InvalidParameterError(
            f"2^{n} coalitions are too many to enumerate; at most {MAX_ENUMERATED_PLAYERS} players are", field="n"
        )
    rows = (np.arange(2**n)[:, None] >> np.arange(n)[::-1] & 1).astype(bool)
    present = rows.sum(axis=1)
    return CoalitionSample(rows, p**present * (1.0 - p) ** (n - present), p, exhaustive=True)
