"""Which weights the kernel's parts get: restricted maximum likelihood.

The targets of a tower share one kernel and one scale, which is profiled out; the constant is projected out (Harville
1977; Rasmussen & Williams 2006, sec. 5.4). The gradient costs no more than the value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.optimize

from fixlip_core.estimators import lapack
from fixlip_core.estimators.kernels import outer, pair_kernel, product_kernel, single_kernel
from fixlip_core.estimators.prior import Prior
from fixlip_core.types import FloatArray

__all__ = ["LOCAL", "START", "KernelParts", "likeliest_weights"]

LENGTHS = (1.0, 2.5)
"""Ranges of the pairs' locality, in patches or tokens."""

PRODUCT_ORDER = 1.5
"""Mean order of the interactions that the product kernel stands for."""

START = (0.5, 0.1, 0.1, 0.2)
"""First guess of the weights: singles, pairs near and far, product."""

LOCAL = slice(1, -1)
"""Where the pairs are among the weights and Gram matrices."""

NOISE_SHARE = 0.1
"""Noise relative to the product kernel. The game is deterministic: what looks like noise is interactions of orders too
high for the product kernel. Left free, the likelihood at times takes all high orders for noise."""

_MAX_RHO = 0.9
_MAX_STEPS = 15
_TOLERANCE = 1e-5
_NOT_DEFINITE = 1e6
_LOG_BOUNDS = (-12.0, 4.0)


@dataclass(frozen=True, slots=True)
class KernelParts:
    """The kernel's terms at weight 1: each a Gram matrix, or what makes it."""

    relevance: FloatArray
    localities: tuple[FloatArray, ...]
    rho: FloatArray

    @classmethod
    def of(cls, relevance: FloatArray, distances: FloatArray) -> KernelParts:
        """The parts for (n,) relevances of any scale and (n, n) distances between players."""
        share = relevance / relevance.sum()
        together = outer(np.sqrt(share))
        localities = [together * np.exp(-(distances**2) / (2 * length**2)) for length in LENGTHS]
        rho = np.minimum(PRODUCT_ORDER * share, _MAX_RHO)
        return cls(share, tuple(2 * w / max(w.sum(), 1e-12) for w in localities), rho)

    def grams(self, chi: FloatArray, p: float) -> FloatArray:
        """(k, m, m), each of trace about m, so that the weights compare."""
        return np.stack(
            [
                single_kernel(chi, self.relevance),
                *(pair_kernel(chi, locality) for locality in self.localities),
                product_kernel(chi, self.rho, p) / np.prod(1 + self.rho) + NOISE_SHARE * np.eye(len(chi)),
            ]
        )

    def prior(self, weights: FloatArray, p: float) -> Prior:
        """The prior with ``weights`` for the parts, in the order of :data:`START`."""
        single, *local, product = weights.tolist()
        pairs = np.einsum("k,kij->ij", local, np.stack(self.localities))
        return Prior(
            p=p,
            singles=single * self.relevance,
            pairs=pairs,
            rho=self.rho,
            product=product / float(np.prod(1 + self.rho)),
            noise=NOISE_SHARE * product,
        )


def likeliest_weights(grams: FloatArray, targets: FloatArray, start: FloatArray) -> FloatArray:
    """Weights of the Gram matrices at the maximum of the restricted likelihood.

    All targets share one kernel and one scale; the scale is profiled out.
    """
    scale = float(np.mean((targets - targets.mean(axis=0)) ** 2))
    if not scale > 0:
        return start

    def objective(log_weights: FloatArray) -> tuple[float, FloatArray]:
        return _restricted_likelihood(grams, targets, np.exp(log_weights))

    found = scipy.optimize.minimize(
        objective,
        np.log(start),
        jac=True,
        method="L-BFGS-B",
        bounds=[_LOG_BOUNDS] * len(start),
        options={"maxiter": _MAX_STEPS, "ftol": _TOLERANCE},
    )
    return np.asarray(np.exp(found.x))


def _restricted_likelihood(grams: FloatArray, targets: FloatArray, weights: FloatArray) -> tuple[float, FloatArray]:
    """-2 log restricted likelihood per row and target, up to a constant, and its gradient in log weights."""
    projected = _projected_inverse(grams, weights)
    if projected is None:
        return _NOT_DEFINITE, np.zeros_like(weights)
    inverse, log_determinant = projected
    rows = len(targets) - 1
    alpha = inverse @ targets
    quadratic = float((alpha * targets).sum())
    if not quadratic > 0:
        return _NOT_DEFINITE, np.zeros_like(weights)
    # Each derivative is the inner product of a Gram matrix with this one.
    slope = inverse / rows - alpha @ (alpha / quadratic).T
    gradient = grams.reshape(len(grams), -1) @ slope.ravel()
    return float(np.log(quadratic) + log_determinant / rows), weights * gradient


def _projected_inverse(grams: FloatArray, weights: FloatArray) -> tuple[FloatArray, float] | None:
    """Inverse of the covariance on contrasts (no constant), with its log determinant; None if not definite."""
    total = np.tensordot(weights, grams, axes=1)
    factored = np.asfortranarray(total)
    if lapack.factor(factored):
        return None
    log_determinant = 2 * float(np.log(np.diag(factored)).sum())
    inverse, fault = lapack.inverse(factored)
    if fault:
        return None
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    ones = inverse.sum(axis=1)
    total_ones = float(ones.sum())
    return inverse - np.outer(ones, ones / total_ones), log_determinant + float(np.log(total_ones))
