"""The orthonormal basis of the product measure and the way back to FIxLIP's additive form.

Coefficients c_S belong to chi_S(x) = prod_{i in S} (x_i - p) / s, s = sqrt(p (1 - p)). For a projection on orders up
to 2 (see the design of the estimator; Marichal & Mathonet 2011 for the weighted Banzhaf index):

    e_ij = c_ij / s^2
    e_i  = c_i / s - (p / s^2) sum_j c_ij
    e_0  = c_0 - (p / s) sum_i c_i + (p^2 / s^2) sum_{i<j} c_ij
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fixlip_core.types import FloatArray

__all__ = [
    "Additive",
    "Coefficients",
    "count_features",
    "features",
    "pair_features",
    "pair_indices",
    "symmetric",
    "to_additive",
]


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Coefficients of chi_S for |S| <= 2: ``zero``, ``first`` (n,) and ``second`` (n, n) symmetric, zero diagonal."""

    zero: float
    first: FloatArray
    second: FloatArray

    @property
    def energy(self) -> float:
        """Variance of the order-2 projection: the sum of squares of all coefficients but the constant one."""
        return float(np.sum(self.first**2) + np.sum(self.second**2) / 2)


@dataclass(frozen=True, slots=True)
class Additive:
    """The same function as ``baseline + sum_i first[i] x_i + sum_{i<j} second[i, j] x_i x_j``."""

    baseline: float
    first: FloatArray
    second: FloatArray


def pair_indices(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of every pair i < j, in the order that pair features have everywhere."""
    return np.triu_indices(n, 1)


def pair_features(chi: FloatArray) -> FloatArray:
    """(m, n (n - 1) / 2): chi_i chi_j of every pair."""
    rows, columns = pair_indices(chi.shape[1])
    return chi[:, rows] * chi[:, columns]


def features(chi: FloatArray, order: int = 2) -> FloatArray:
    """(m, F): chi_S of all |S| <= ``order``: the constant, singles, pairs."""
    blocks = [np.ones((len(chi), 1)), chi, pair_features(chi)]
    return np.concatenate(blocks[: order + 1], axis=1)


def count_features(n: int, order: int) -> int:
    """Number of subsets of n players of at most ``order`` 1 or 2, the empty one among them."""
    return 1 + n + (n * (n - 1) // 2 if order == 2 else 0)


def symmetric(values: FloatArray, n: int) -> FloatArray:
    """(n, n) symmetric matrix with zero diagonal from the values of the pairs i < j."""
    rows, columns = pair_indices(n)
    matrix = np.zeros((n, n))
    matrix[rows, columns] = values
    return matrix + matrix.T


def to_additive(c: Coefficients, p: float, *, order: int = 2) -> Additive:
    """The best approximation of ``order`` 1 or 2 in additive form."""
    variance = p * (1 - p)
    s = np.sqrt(variance)
    second = c.second / variance if order == 2 else np.zeros_like(c.second)
    first = c.first / s - p * second.sum(axis=1)
    baseline = c.zero - p / s * c.first.sum() + p**2 * second.sum() / 2
    return Additive(float(baseline), first, second)
