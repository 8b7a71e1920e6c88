"""Kernels on coalitions: inner products of standardised presence chi, order by order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fixlip_core.estimators.basis import pair_indices
from fixlip_core.types import FloatArray

__all__ = ["outer", "pair_chunks", "pair_kernel", "product_kernel", "separable_pair_kernel", "single_kernel"]

_PAIRS_PER_CHUNK = 2_048


def single_kernel(chi: FloatArray, variances: FloatArray, other: FloatArray | None = None) -> FloatArray:
    """(m, m'): sum_i r_i chi_i chi'_i of the rows of ``chi`` (m, n) with those of ``other`` (m', n), by default itself.

    Args:
        chi: (m, n) standardised presence.
        variances: (n,) the r_i.
        other: (m', n) standardised presence, or None for ``chi``.
    """
    return np.asarray((chi * variances) @ (chi if other is None else other).T)


def pair_chunks(chi: FloatArray) -> Iterator[tuple[slice, FloatArray]]:
    """Chunks of the pairs i < j: their place among all pairs and (pairs, m) products chi_i chi_j of (m, n) ``chi``."""
    rows, columns = pair_indices(chi.shape[1])
    players = np.ascontiguousarray(chi.T)
    for start in range(0, len(rows), _PAIRS_PER_CHUNK):
        part = slice(start, start + _PAIRS_PER_CHUNK)
        products = players[rows[part]]
        products *= players[columns[part]]
        yield part, products


def pair_kernel(chi: FloatArray, variances: FloatArray, other: FloatArray | None = None) -> FloatArray:
    """(m, m'): sum_{i<j} W_ij chi_i chi_j chi'_i chi'_j for symmetric (n, n) ``variances``.

    Args:
        chi: (m, n) standardised presence.
        variances: (n, n) the W_ij, not negative.
        other: (m', n) standardised presence, or None for ``chi``.
    """
    weights = variances[pair_indices(chi.shape[1])]
    if other is None:
        total = np.zeros((len(chi), len(chi)))
        for part, products in pair_chunks(chi):
            products *= np.sqrt(weights[part])[:, None]
            total += products.T @ products
        return total
    total = np.zeros((len(chi), len(other)))
    for (part, products), (_, others) in zip(pair_chunks(chi), pair_chunks(other), strict=True):
        products *= weights[part][:, None]
        total += products.T @ others
    return total


def separable_pair_kernel(chi: FloatArray, rho: FloatArray) -> FloatArray:
    """(m, m): :func:`pair_kernel` of the variances rho_i rho_j, from the square of the sum over players."""
    return np.asarray((single_kernel(chi, rho) ** 2 - single_kernel(chi**2, rho**2)) / 2)


def product_kernel(chi: FloatArray, rho: FloatArray, p: float, other: FloatArray | None = None) -> FloatArray:
    """(m, m'): prod_i (1 + rho_i chi_i chi'_i), all orders at once, for (n,) decays ``rho`` in [0, 1).

    A sum of logarithms over the three values that chi_i chi'_i takes, hence a matrix product.
    """
    both, mixed, none = np.log1p(rho * (1 - p) / p), np.log1p(-rho), np.log1p(rho * p / (1 - p))
    present = (chi > 0).astype(np.float64)
    others = present if other is None else (other > 0).astype(np.float64)
    together = (present * (both + none - 2 * mixed)) @ others.T
    together += (present @ (mixed - none))[:, None] + (others @ (mixed - none))[None, :] + none.sum()
    return np.asarray(np.exp(together, out=together))


def outer(vector: FloatArray) -> FloatArray:
    """(n, n) products of a vector's entries, zero on the diagonal."""
    products = np.outer(vector, vector)
    np.fill_diagonal(products, 0.0)
    return products
