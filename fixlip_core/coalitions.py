"""Coalitions: the product measure, every player present with probability p independently, and the Shapley kernel.

Under the product measure the functions chi_S(x) = prod_{i in S} (x_i - p) / s, s = sqrt(p (1 - p)), are orthonormal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fixlip_core.defaults import MAX_ENUMERATED_PLAYERS
from fixlip_core.errors import InvalidParameterError
from fixlip_core.types import Coalitions, FloatArray

__all__ = [
    "CoalitionSample",
    "enumerate_product",
    "enumerate_shapley",
    "sample_product",
    "sample_shapley",
    "shapley_sizes",
    "standardise",
]


@dataclass(frozen=True, slots=True)
class CoalitionSample:
    """Weighted coalitions that stand for a measure, by default the product measure.

    Attributes:
        coalitions: (m, n) bool, read-only.
        weights: (m,) float64 that sum to 1, read-only.
        p: probability of presence; for another measure than the product's, that of the basis alone.
        exhaustive: whether these are all 2^n coalitions with their exact probabilities under the product measure.
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
    disturb each other (an odd ``m`` leaves the last one single); at other p they are independent. Least squares near
    its least number of rows wants them independent: a pair's even orders are equal, and count once.
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


def shapley_sizes(n: int) -> FloatArray:
    """(n - 1,) probabilities of the sizes 1 to n - 1 under the Shapley kernel (Charnes et al. 1988).

    The kernel weighs a coalition of size s by (n - 1) / (C(n, s) s (n - s)): sizes have shares of 1 / (s (n - s)).

    Raises:
        InvalidParameterError: there are fewer than two players, hence no size between none and all.
    """
    if n < 2:
        raise InvalidParameterError("the Shapley kernel needs at least 2 players", field="n")
    sizes = np.arange(1, n)
    share = 1 / (sizes * (n - sizes))
    return np.asarray(share / share.sum())


def sample_shapley(n: int, m: int, rng: np.random.Generator, *, complementary: bool = True) -> CoalitionSample:
    """Draw ``m`` coalitions of ``n`` players from the Shapley kernel, equally weighted.

    They come in complementary pairs unless told otherwise (an odd ``m`` leaves the last one single); independent draws
    tell as many coefficients apart as there are rows, pairs only about half as many. Neither the empty nor the full
    coalition is drawn. The basis is that of p = 1/2: the kernel is symmetric.

    Raises:
        InvalidParameterError: there are fewer than two players.
    """
    bounds = np.cumsum(shapley_sizes(n))[:-1]
    # Row by row, a size and a ranking of the players: a longer draw begins with a shorter one.
    uniform = rng.random((-(-m // 2) if complementary else m, n + 1))
    sizes = 1 + np.searchsorted(bounds, uniform[:, 0], side="right")
    rows = np.argsort(uniform[:, 1:], axis=1) < sizes[:, None]
    if complementary:
        rows = np.stack([rows, ~rows], axis=1).reshape(-1, n)[:m]
    return CoalitionSample(np.ascontiguousarray(rows), np.full(m, 1 / m), 0.5, exhaustive=False)


def enumerate_shapley(n: int) -> CoalitionSample:
    """All coalitions but the empty and the full one, with their probabilities under the Shapley kernel.

    Raises:
        InvalidParameterError: there are fewer than two players, or more than 20.
    """
    law = shapley_sizes(n)
    rows = enumerate_product(n, 0.5).coalitions[1:-1].copy()
    sizes = rows.sum(axis=1)
    counts = np.bincount(sizes)
    return CoalitionSample(rows, law[sizes - 1] / counts[sizes], 0.5, exhaustive=False)
