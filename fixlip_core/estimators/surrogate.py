"""A tower after its passes: vector coefficients of its embedding, and a surrogate that needs no further pass.

Both kinds of tower are one: a coefficient is its prior variance times ``sum_m alpha_m chi_S(x_m)``, where an enumerated
tower has all variances 1 and the weighted embeddings themselves for alpha. Pairs' vectors never exist together, since
n^2 / 2 of them do not fit into memory on a large grid; they are contracted with what is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fixlip_core.coalitions import CoalitionSample, standardise
from fixlip_core.estimators.basis import pair_indices, symmetric
from fixlip_core.estimators.gaussian_process import CoalitionProcess
from fixlip_core.estimators.kernels import outer, pair_chunks
from fixlip_core.types import Coalitions, FloatArray

__all__ = ["TowerFit"]

_ROWS_PER_CHUNK = 1_024


@dataclass(frozen=True)
class TowerFit:
    """A tower's embedding as a function of the coalition: exact where every coalition was passed.

    Attributes:
        values: (m, D) embeddings.
        sample: the coalitions behind them; its p is that of the basis.
        process: what was learnt from them, or None where every coalition was passed.
    """

    values: FloatArray
    sample: CoalitionSample
    process: CoalitionProcess | None

    @property
    def n(self) -> int:
        """Number of the tower's players."""
        return int(self.sample.coalitions.shape[1])

    @cached_property
    def chi(self) -> FloatArray:
        """(m, n) standardised coalitions."""
        return self.sample.chi

    @cached_property
    def moment(self) -> FloatArray:
        """(D, D) E[e e^T] over the coalitions' law."""
        return np.asarray((self.values * self.sample.weights[:, None]).T @ self.values)

    @cached_property
    def zero(self) -> FloatArray:
        """(D,) constant coefficient."""
        if self.process is None:
            return np.asarray(self.sample.weights @ self.values)
        return self.process.constant_of(self.values)

    @cached_property
    def alpha(self) -> FloatArray:
        """(m, D) weights of the coalitions in the coefficients above the constant."""
        if self.process is None:
            return np.asarray(self.values * self.sample.weights[:, None])
        return self.process.alpha_of(self.values)

    @cached_property
    def first(self) -> FloatArray:
        """(n, D) first-order coefficients."""
        variances = np.ones(self.n) if self.process is None else self.process.prior.single_variances
        return np.asarray(variances[:, None] * (self.chi.T @ self.alpha))

    @cached_property
    def pair_variances(self) -> FloatArray:
        """(n, n) prior variances of the second-order coefficients, zero diagonal; 1 where they are exact."""
        return outer(np.ones(self.n)) if self.process is None else self.process.prior.pair_variances

    def pairs_along(self, direction: FloatArray) -> FloatArray:
        """(n, n) second-order coefficients along a direction (D,), zero diagonal."""
        weighted = self.chi * (self.alpha @ direction)[:, None]
        return np.asarray(self.pair_variances * (weighted.T @ self.chi))

    def pair_vectors(self) -> Iterator[FloatArray]:
        """Second-order coefficients in chunks of (pairs, D), pairs i < j in order."""
        variances = self.pair_variances[pair_indices(self.n)]
        for part, products in pair_chunks(self.chi):
            yield variances[part, None] * (products @ self.alpha)

    def pair_lengths(self, root: FloatArray) -> FloatArray:
        """(n, n) squared lengths of the second-order coefficients after the map ``root`` (D, k)."""
        mapped = self.alpha @ root
        variances = self.pair_variances[pair_indices(self.n)]
        lengths = np.empty_like(variances)
        for part, products in pair_chunks(self.chi):
            vectors = products @ mapped
            lengths[part] = variances[part] ** 2 * np.einsum("kd,kd->k", vectors, vectors)
        return symmetric(lengths, self.n)

    @cached_property
    def pair_sums(self) -> FloatArray:
        """(n, D) sum over j of the second-order coefficients ij."""
        return np.asarray((self.chi * (self.chi @ self.pair_variances)).T @ self.alpha)

    def evaluate(self, coalitions: Coalitions) -> FloatArray:
        """(m', D) embeddings at (m', n) coalitions: looked up, or the process's posterior mean."""
        if self.process is None:
            # Row k of an enumeration is the binary form of k, player 0 its highest bit.
            return np.asarray(self.values[coalitions @ (1 << np.arange(self.n)[::-1])])
        result = np.empty((len(coalitions), self.values.shape[1]))
        kernel = self.process.prior.kernel
        for start in range(0, len(coalitions), _ROWS_PER_CHUNK):
            rows = slice(start, start + _ROWS_PER_CHUNK)
            result[rows] = kernel(standardise(coalitions[rows], self.sample.p), self.chi) @ self.alpha
        return result + self.zero
