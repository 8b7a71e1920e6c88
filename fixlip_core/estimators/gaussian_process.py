"""A Gaussian process over coalitions: interactions from far fewer passes than there are coefficients.

One kernel serves every target that is linear in a tower's embedding (Rasmussen & Williams 2006, ch. 2):

    K(x, x') = sum_i r_i chi_i chi'_i + sum_{i<j} W_ij chi_i chi_j chi'_i chi'_j + w prod_i (1 + rho_i chi_i chi'_i)

so the coefficient of chi_S is its prior variance times ``sum_m alpha_m chi_S(x_m)``, in closed form, with a posterior
variance beside it. The constant has a flat prior.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fixlip_core.estimators import lapack
from fixlip_core.estimators.basis import pair_indices, symmetric
from fixlip_core.estimators.kernels import (
    pair_chunks,
    pair_kernel,
    separable_pair_kernel,
    single_kernel,
)
from fixlip_core.estimators.prior import Prior
from fixlip_core.types import FloatArray

__all__ = ["CoalitionProcess", "Functionals"]

# Relative to the kernel's trace: keeps repeated coalitions from making the matrix singular.
_JITTER = 1e-9


@dataclass(frozen=True, slots=True)
class Functionals:
    """k linear functionals of the process.

    Attributes:
        data: (m, k) prior covariance with the value at each observed coalition.
        variance: (k,) prior variance.
        constant: (k,) what each gives for the constant function 1.
    """

    data: FloatArray
    variance: FloatArray
    constant: FloatArray


@dataclass(frozen=True)
class CoalitionProcess:
    """The process of ``prior``, conditioned on standardised coalitions.

    Attributes:
        chi: (m, n) standardised coalitions.
        prior: prior variances of the coefficients.
        pair_gram: (m, m) Gram matrix of the second-order kernel where it is known already; None: it is computed.
    """

    chi: FloatArray
    prior: Prior
    pair_gram: FloatArray | None = None

    @cached_property
    def _pair_kernel(self) -> FloatArray:
        """(m, m) covariance that the second-order kernel alone gives."""
        return pair_kernel(self.chi, self.prior.pairs) if self.pair_gram is None else self.pair_gram

    @cached_property
    def _factor(self) -> FloatArray:
        matrix = self.prior.kernel(self.chi, pairs=self._pair_kernel)
        matrix[np.diag_indices_from(matrix)] += self.prior.noise + _JITTER * np.trace(matrix) / len(matrix)
        factored: FloatArray = np.asfortranarray(np.asarray_chkfinite(matrix))
        if lapack.factor(factored):
            raise np.linalg.LinAlgError("the covariance is not positive definite")
        return factored

    def solve(self, right: FloatArray) -> FloatArray:
        """``(K + nu I)^-1 right``."""
        return lapack.solve(self._factor, right)

    @cached_property
    def _ones(self) -> tuple[FloatArray, float]:
        """``(K + nu I)^-1 1`` and ``1^T (K + nu I)^-1 1``."""
        solved = self.solve(np.ones(len(self.chi)))
        return solved, float(solved.sum())

    def constant_of(self, targets: FloatArray) -> FloatArray:
        """(k,) constant coefficients of (m, k) targets, by generalised least squares."""
        ones, total = self._ones
        return np.asarray(ones @ targets / total)

    def alpha_of(self, targets: FloatArray) -> FloatArray:
        """(m, k) ``(K + nu I)^-1 (targets - constant)``, from which all other coefficients follow."""
        return self.solve(targets - self.constant_of(targets))

    def first_of(self, alpha: FloatArray) -> FloatArray:
        """(n, k) first-order coefficients of the targets of ``alpha`` (m, k)."""
        return np.asarray(self.prior.single_variances[:, None] * (self.chi.T @ alpha))

    def scale_of(self, targets: FloatArray) -> FloatArray:
        """(k, k) scale matrix of (m, k) targets under the kernel (restricted maximum likelihood)."""
        centred = targets - self.constant_of(targets)
        return np.asarray(centred.T @ self.solve(centred) / max(len(centred) - 1, 1))

    def covariance(self, left: Functionals, right: Functionals, prior: FloatArray) -> FloatArray:
        """(k,) posterior covariances of ``left`` with ``right`` one by one, for a target of scale 1.

        Args:
            left: k functionals.
            right: k functionals.
            prior: (k,) their prior covariances.
        """
        ones, total = self._ones
        explained = np.einsum("mk,mk->k", self.solve(left.data), right.data)
        slack = (left.constant - ones @ left.data) * (right.constant - ones @ right.data) / total
        return np.asarray(prior - explained + slack)

    def variance(self, functionals: Functionals) -> FloatArray:
        """(k,) posterior variances for a target of scale 1; never negative."""
        return np.maximum(self.covariance(functionals, functionals, functionals.variance), 0.0)

    def constant(self) -> Functionals:
        """The constant coefficient. Under its flat prior only the product kernel's share is finite."""
        weight = self.prior.product
        return Functionals(np.full((len(self.chi), 1), weight), np.array([weight]), np.ones(1))

    def singles(self) -> Functionals:
        """The n first-order coefficients."""
        variances = self.prior.single_variances
        return Functionals(self.chi * variances, variances, np.zeros(len(variances)))

    def pair_variances(self) -> FloatArray:
        """(n, n) posterior variances of the second-order coefficients, for a target of scale 1; zero diagonal."""
        n = self.chi.shape[1]
        prior = self.prior.pair_variances[pair_indices(n)]
        ones, total = self._ones
        posterior = np.empty_like(prior)
        for part, products in pair_chunks(self.chi):
            slack = (products @ ones) ** 2 / total
            # |L^-1 f|^2 = f^T (L L^T)^-1 f takes one triangular solve.
            whitened = lapack.solve_lower(self._factor, products.T)
            explained = np.einsum("mk,mk->k", whitened, whitened)
            posterior[part] = prior[part] - prior[part] ** 2 * (explained - slack)
        return symmetric(np.maximum(posterior, 0.0), n)

    def expected_squares(self, targets: FloatArray, scale: float) -> tuple[FloatArray, FloatArray]:
        """(n,) and (n, n) posterior expectations of the squared coefficients, relative to the scale.

        Args:
            targets: (m, k) values; squares are summed over them.
            scale: trace of their scale matrix, positive.
        """
        n = self.chi.shape[1]
        alpha = self.alpha_of(targets)
        # Squared mean and variance together are one form in the features: r + r^2 f^T (a a^T / scale - P) f.
        form = alpha @ (alpha.T / scale) - self._projected
        single, pair = self.prior.single_variances, self.prior.pair_variances[pair_indices(n)]
        pairs = np.empty_like(pair)
        for part, products in pair_chunks(self.chi):
            pairs[part] = pair[part] + pair[part] ** 2 * np.einsum("km,km->k", products @ form, products)
        return single + single**2 * np.einsum("mi,mi->i", form @ self.chi, self.chi), symmetric(pairs, n)

    def left_out_errors(self, targets: FloatArray, order: int) -> FloatArray:
        """(m, k) errors at each coalition of the prediction by orders up to ``order``, that coalition left out.

        Leaving an observation out is the same as putting its own leave-one-out prediction in its place.
        """
        ones, total = self._ones
        projected = self._projected
        residual = projected @ targets
        gap = residual / np.diag(projected)[:, None]
        predicted, leverage = self.constant_of(targets) + np.zeros_like(residual), ones / total
        for low in self._low_kernels[:order]:
            predicted += low @ residual
            leverage = leverage + np.einsum("ab,ab->a", low, projected)
        return np.asarray(targets - predicted + leverage[:, None] * gap)

    @cached_property
    def _projected(self) -> FloatArray:
        """(m, m) inverse of the covariance with the constant projected out."""
        ones, total = self._ones
        inverse, _ = lapack.inverse(self._factor)
        inverse = np.tril(inverse) + np.tril(inverse, -1).T
        inverse -= np.outer(ones, ones / total)
        return np.asarray(inverse)

    @cached_property
    def _low_kernels(self) -> tuple[FloatArray, FloatArray]:
        """(m, m) covariance of the first-order part of the values, and of the second-order part."""
        prior = self.prior
        second = self._pair_kernel + prior.product * separable_pair_kernel(self.chi, prior.rho)
        return single_kernel(self.chi, prior.single_variances), second
