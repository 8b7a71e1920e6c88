"""Kernels on coalitions: inner products of standardised presence chi, order by order."""

from __future__ import annotations

import numpy as np

from fixlip_core.estimators.basis import pair_indices
from fixlip_core.types import FloatArray

__all__ = ["outer", "pair_kernel", "product_kernel", "single_kernel"]

_PAIRS_PER_CHUNK = 8_192


def single_kernel(chi: FloatArray, variances: FloatArray) -> FloatArray:
    """(m, m): sum_i r_i chi_i chi'_i for (m, n) ``chi`` and (n,) ``variances``."""
    return np.asarray((chi * variances) @ chi.T)


def pair_kernel(chi: FloatArray, variances: FloatArray) -> FloatArray:
    """(m, m): sum_{i<j} W_ij chi_i chi_j chi'_i chi'_j for symmetric (n, n) ``variances``."""
    rows, columns = pair_indices(chi.shape[1])
    weights = np.sqrt(variances[rows, columns])
    total = np.zeros((len(chi), len(chi)))
    for start in range(0, len(rows), _PAIRS_PER_CHUNK):
        part = slice(start, start + _PAIRS_PER_CHUNK)
        products = chi[:, rows[part]] * chi[:, columns[part]] * weights[part]
        total += products @ products.T
    return total


def product_kernel(chi: FloatArray, rho: FloatArray, p: float) -> FloatArray:
    """(m, m): prod_i (1 + rho_i chi_i chi'_i), all orders at once, for (n,) decays ``rho`` in [0, 1).

    A sum of logarithms over the three values that chi_i chi'_i takes, hence a matrix product.
    """
    both, mixed, none = np.log1p(rho * (1 - p) / p), np.log1p(-rho), np.log1p(rho * p / (1 - p))
    present = (chi > 0).astype(np.float64)
    single = present @ (mixed - none)
    together = (present * (both + none - 2 * mixed)) @ present.T
    return np.asarray(np.exp(together + single[:, None] + single[None, :] + none.sum()))


def outer(vector: FloatArray) -> FloatArray:
    """(n, n) products of a vector's entries, zero on the diagonal."""
    products = np.outer(vector, vector)
    np.fill_diagonal(products, 0.0)
    return products
