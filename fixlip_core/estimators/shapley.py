"""FIxLIP-Shapley: the best approximation of order 1 (Shapley values) or 2 (Faith-Shap) under the Shapley kernel.

Faith-Shap (FSII; Tsai, Yeh & Ravikumar 2023) minimises E[(v(x) - v(empty) - sum e_i x_i - sum e_ij x_i x_j)^2] over the
kernel's coalitions subject to efficiency: all values together are v(full) - v(empty). Two facts make it cheap:

* The matrix of the normal equations, E[x_S x_R], depends on |S u R| alone, so that permutations of the players leave it
  as it is. Vectors over pairs then fall into three parts (the Johnson scheme): constant, sums of a player's share, and
  the rest; on each the matrix is a number, or 2 by 2 together with the singles. Solving takes O(n^2).
* The kernel is a mixture of product measures: over the density dt / (t (1 - t)) of Bernoulli(t), sizes 0 < s < n have
  weight n / (s (n - s)). Under a product measure the towers factor, and the integrand is a polynomial in t of degree
  n - 2, whose Gauss-Legendre quadrature is exact with n / 2 nodes. No coalition is ever drawn.
"""

from __future__ import annotations

import numpy as np

from fixlip_core.coalitions import shapley_sizes
from fixlip_core.estimators.basis import Additive
from fixlip_core.estimators.factored import FactoredFit
from fixlip_core.estimators.presence import moments_of
from fixlip_core.types import FloatArray

__all__ = ["fit_shapley", "solve_shapley"]

# Exact up to degree 95. An enumerated tower has at most 20 players, and the coefficient of degree k of a process is
# below 1.5^k / k! (its product kernel stands for interactions of mean order 1.5): nothing is left beyond.
_MAX_NODES = 48


def fit_shapley(fitted: FactoredFit, *, empty_value: float, full_value: float, order: int = 2) -> Additive:
    """FSII (``order`` 2) or Shapley values (``order`` 1) of the towers' surrogates, exactly.

    The surrogate stands for the game between the empty and the full coalition, whose values are the game's own. There
    are no standard errors: the values weigh coalitions of all sizes, and a posterior over them has no short form.

    Args:
        fitted: both towers, fitted on coalitions of any law.
        empty_value: v(empty).
        full_value: v(full).
        order: 1 or 2.

    Returns:
        The values, v(empty) as the baseline; they sum to v(full).
    """
    n_image, n_text = fitted.image.n, fitted.text.n
    n = n_image + n_text
    singles, pairs = np.zeros(n), np.zeros((n, n))
    image, text = moments_of(fitted.image), moments_of(fitted.text)
    offset = fitted.bias - empty_value
    everything = fitted.evaluate(np.ones((1, n_image), bool), np.ones((1, n_text), bool))[0] - empty_value
    nodes, weights = np.polynomial.legendre.leggauss(min(max(n // 2, 1), _MAX_NODES))
    for t, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        share = weight / (t * (1 - t))
        a, b = image(t), text(t)
        by_text = b.present()
        by_image = a.present(np.column_stack([b.mean, by_text.T]))
        singles += share * (np.concatenate([by_image[:, 0], by_text @ a.mean]) + t * (offset - everything))
        if order == 2:
            cross = by_image[:, 1:]
            together = np.block([[a.together(b.mean), cross], [cross.T, b.together(a.mean)]])
            pairs += share * (together + (t**2 * offset - t * everything))
    # The kernel leaves out the full coalition, whose probability is t^n. With t in its place the integrand is smooth;
    # the rest, (t - t^n) / (t (1 - t)), integrates to the harmonic number. Sizes together weigh twice that.
    harmonic = float(np.sum(1 / np.arange(1, n)))
    singles, pairs = ((part / harmonic + everything) / 2 for part in (singles, pairs))
    first, second = solve_shapley(singles, pairs, full_value - empty_value, order=order)
    return Additive(empty_value, first, second)


def solve_shapley(
    singles: FloatArray, pairs: FloatArray, gain: float, *, order: int = 2
) -> tuple[FloatArray, FloatArray]:
    """Solve the kernel's normal equations with efficiency as a constraint.

    Args:
        singles: (n,) E[(v - v(empty)) x_i] under the Shapley kernel, n >= 2.
        pairs: (n, n) E[(v - v(empty)) x_i x_j], symmetric; the diagonal is not read, nor anything at order 1.
        gain: v(full) - v(empty), the sum of all values.
        order: 1 or 2.

    Returns:
        (n,) values e_i and (n, n) e_ij, symmetric with zero diagonal.
    """
    n = len(singles)
    p1, p2, p3, p4 = (_presence(n, k) for k in (1, 2, 3, 4))
    above = singles - singles.mean()
    if order == 1:
        return above / (p1 - p2) + gain / n, np.zeros((n, n))
    off = ~np.eye(n, dtype=bool)
    mean, share, rest = _components(np.where(off, pairs, 0.0))
    count = n * (n - 1) / 2
    constants = np.array(
        [
            [p1 + (n - 1) * p2, (n - 1) * p2 + (count - n + 1) * p3, 1],
            [2 * p2 + (n - 2) * p3, p2 + 2 * (n - 2) * p3 + (count - 2 * n + 3) * p4, 1],
            [n, count, 0],
        ]
    )
    single_mean, pair_mean, _ = np.linalg.solve(constants, [singles.mean(), mean, gain])
    if n == 2:
        # Neither pair nor share of one can be told from coalitions of a single player; efficiency gives the pair.
        return single_mean + above / p1, np.where(off, pair_mean, 0.0)
    shares = np.array([[p1 - p2, (n - 2) * (p2 - p3)], [p2 - p3, p2 + (n - 4) * p3 - (n - 3) * p4]])
    single_share, pair_share = np.linalg.solve(shares, np.stack([above, share]))
    second = pair_mean + pair_share[:, None] + pair_share[None, :] + rest / (p2 - 2 * p3 + p4)
    first, second = single_mean + single_share, np.where(off, second, 0.0)
    # Of tens of thousands of values the rounding adds up; efficiency is exact.
    left = (gain - first.sum() - second.sum() / 2) / (n + count)
    return first + left, np.where(off, second + left, 0.0)


def _presence(n: int, k: int) -> float:
    """Probability that k given players are all present under the Shapley kernel."""
    sizes, held = np.arange(1, n), np.arange(k)
    return float(shapley_sizes(n) @ np.prod((sizes[:, None] - held) / np.maximum(n - held, 1), axis=1))


def _components(pairs: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Mean, (n,) share of each player, and (n, n) rest: values of pairs are mean + share_i + share_j + rest_ij."""
    n = len(pairs)
    sums = pairs.sum(axis=1)
    mean = float(sums.sum()) / (n * (n - 1))
    share = (sums - sums.mean()) / max(n - 2, 1)
    return mean, share, pairs - mean - share[:, None] - share[None, :]
