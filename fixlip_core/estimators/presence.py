"""Moments of a tower's surrogate under any product measure, in closed form.

E_t is the mean when every player is present with probability t. An enumerated tower is summed up; of a process every
term of the kernel is a product over players, whose mean is a product of means:

    E_t chi_i = (t - p) / s =: c,    E_t x_i chi_i = t (1 - p) / s =: t k.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from fixlip_core.estimators.prior import Prior
from fixlip_core.estimators.surrogate import TowerFit
from fixlip_core.types import FloatArray

__all__ = ["PresenceMeans", "moments_of"]


class PresenceMeans(Protocol):
    """Means of a tower's embedding e over the t-product measure."""

    @property
    def mean(self) -> FloatArray:
        """(D,) E_t[e]."""
        ...

    def present(self, directions: FloatArray | None = None) -> FloatArray:
        """(n, k) E_t[e x_i] along (D, k) directions, by default all D."""
        ...

    def together(self, direction: FloatArray) -> FloatArray:
        """(n, n) E_t[<e, direction> x_i x_j]; the diagonal is not defined."""
        ...


def moments_of(tower: TowerFit) -> Callable[[float], PresenceMeans]:
    """The means of a fitted tower as a function of the probability of presence t."""
    if tower.process is None:
        return partial(_enumerated, tower, tower.sample.coalitions.astype(np.float64))
    prior = tower.process.prior
    pair = tower.chi * (tower.chi @ prior.pairs)
    return partial(_conditioned, tower, prior, tower.chi * prior.singles, pair)


@dataclass(frozen=True, slots=True)
class _Enumerated:
    """Sums over every coalition, with (m,) weights."""

    values: FloatArray
    coalitions: FloatArray
    weights: FloatArray

    @property
    def mean(self) -> FloatArray:
        return np.asarray(self.weights @ self.values)

    def present(self, directions: FloatArray | None = None) -> FloatArray:
        weighted = (self.coalitions * self.weights[:, None]).T
        return np.asarray(weighted @ (self.values if directions is None else self.values @ directions))

    def together(self, direction: FloatArray) -> FloatArray:
        weighted = self.weights * (self.values @ direction)
        return np.asarray((self.coalitions * weighted[:, None]).T @ self.coalitions)


def _enumerated(tower: TowerFit, coalitions: FloatArray, t: float) -> _Enumerated:
    sizes = coalitions.sum(axis=1)
    return _Enumerated(tower.values, coalitions, t**sizes * (1 - t) ** (tower.n - sizes))


@dataclass(frozen=True, slots=True)
class _Conditioned:
    """Sums over the process's m coalitions of alpha_m times the kernel's own means.

    Attributes:
        tower: the fitted tower.
        pairs: (n, n) variances that the second-order kernel gives.
        t: probability of presence.
        step: k - c, what presence adds to the mean of chi.
        low: (m,) mean of the kernel's first two orders.
        own: (m, n) what the presence of a player adds to it.
        product: (m,) mean of the product kernel.
        raised: (m, n) factor by which the presence of a player raises it.
    """

    tower: TowerFit
    pairs: FloatArray
    t: float
    step: float
    low: FloatArray
    own: FloatArray
    product: FloatArray
    raised: FloatArray

    @property
    def mean(self) -> FloatArray:
        return np.asarray(self.tower.zero + (self.low + self.product) @ self.tower.alpha)

    def present(self, directions: FloatArray | None = None) -> FloatArray:
        zero, alpha = self.tower.zero, self.tower.alpha
        if directions is not None:
            zero, alpha = zero @ directions, alpha @ directions
        kernel = self.raised * self.product[:, None] + self.own + self.low[:, None]
        return np.asarray(self.t * (zero + kernel.T @ alpha))

    def together(self, direction: FloatArray) -> FloatArray:
        zero, alpha, chi = float(self.tower.zero @ direction), self.tower.alpha @ direction, self.tower.chi
        own = alpha @ self.own
        paired = self.step**2 * self.pairs * ((chi * alpha[:, None]).T @ chi)
        product = (self.raised * (self.product * alpha)[:, None]).T @ self.raised
        return np.asarray(self.t**2 * (zero + self.low @ alpha + own[:, None] + own[None, :] + paired + product))


def _conditioned(tower: TowerFit, prior: Prior, single: FloatArray, pair: FloatArray, t: float) -> _Conditioned:
    """The means at ``t``, from each coalition's first-order terms and second-order terms of each player."""
    s = float(np.sqrt(prior.p * (1 - prior.p)))
    c, k = (t - prior.p) / s, (1 - prior.p) / s
    scaled = tower.chi * prior.rho
    factors = 1 + c * scaled
    return _Conditioned(
        tower=tower,
        pairs=prior.pairs,
        t=t,
        step=k - c,
        low=c * single.sum(axis=1) + c**2 * pair.sum(axis=1) / 2,
        own=(k - c) * (single + c * pair),
        product=prior.product * factors.prod(axis=1),
        raised=(1 + k * scaled) / factors,
    )
