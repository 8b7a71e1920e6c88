"""The model-agnostic estimators: weighted least squares on joint coalitions of any game, whoever drew them.

Every value is a pass of both towers, so this is the expensive way to the same numbers; it needs no structure of the
game at all.
"""

from __future__ import annotations

import numpy as np

from fixlip_core.coalitions import standardise
from fixlip_core.errors import InvalidParameterError
from fixlip_core.estimators.basis import Additive, Coefficients, count_features, features, symmetric
from fixlip_core.estimators.normal_equations import NormalEquations
from fixlip_core.estimators.tower import GameFit
from fixlip_core.types import Coalitions, FloatArray

__all__ = ["fit_joint", "fit_joint_shapley"]

_ENTRIES_PER_CHUNK = 8_000_000


def fit_joint(
    coalitions: Coalitions, values: FloatArray, weights: FloatArray | None = None, *, p: float, order: int = 2
) -> GameFit:
    """Coefficients of orders up to ``order`` by weighted least squares.

    Args:
        coalitions: (m, n) joint coalitions, from any design.
        values: (m,) the game's values there.
        weights: (m,) of the rows, not negative; None for equal ones, right for draws from the p-product measure.
        p: probability of presence of the basis that the coefficients are given in.
        order: 1 or 2.

    Returns:
        The coefficients; their standard errors are nan.

    Raises:
        InvalidParameterError: there are fewer independent coalitions than coefficients, or more coefficients than
            memory is given to.
    """
    n = coalitions.shape[1]
    needed = count_features(n, order)
    equations = _equations(len(coalitions), needed)
    weights = _or_equal(weights, len(coalitions))
    for rows in _chunks(len(coalitions), needed):
        equations.add(features(standardise(coalitions[rows], p), order), values[rows], weights[rows])
    c = _solve(equations, len(coalitions), needed)
    second = symmetric(c[n + 1 :], n) if order == 2 else np.zeros((n, n))
    return GameFit.without_errors(Coefficients(float(c[0]), c[1 : n + 1], second))


def fit_joint_shapley(
    coalitions: Coalitions,
    values: FloatArray,
    weights: FloatArray | None = None,
    *,
    empty_value: float,
    full_value: float,
    order: int = 2,
) -> Additive:
    """FSII (``order`` 2; Tsai et al. 2023) or Shapley values (``order`` 1) by constrained weighted least squares.

    Efficiency holds to rounding: the last coefficient is put as what the others leave of v(full) - v(empty).

    Args:
        coalitions: (m, n) joint coalitions, neither empty nor full ones needed.
        values: (m,) the game's values there.
        weights: (m,) of the rows, not negative; None for equal ones, right for draws from the Shapley kernel.
        empty_value: v(empty).
        full_value: v(full).
        order: 1 or 2.

    Returns:
        The values, v(empty) as the baseline; they sum to v(full).

    Raises:
        InvalidParameterError: there are fewer independent coalitions than free coefficients, or more coefficients
            than memory is given to.
    """
    n = coalitions.shape[1]
    needed = count_features(n, order) - 2  # without the constant and the last coefficient
    equations = _equations(len(coalitions), needed)
    weights = _or_equal(weights, len(coalitions))
    gain = full_value - empty_value
    for rows in _chunks(len(coalitions), needed):
        design = features(coalitions[rows].astype(np.float64), order)[:, 1:]
        last = design[:, -1]
        equations.add(design[:, :-1] - last[:, None], values[rows] - empty_value - gain * last, weights[rows])
    free = _solve(equations, len(coalitions), needed)
    e = np.append(free, gain - free.sum())
    return Additive(empty_value, e[:n], symmetric(e[n:], n) if order == 2 else np.zeros((n, n)))


def _equations(m: int, needed: int) -> NormalEquations:
    if m < needed:
        raise _too_few(m, needed)
    return NormalEquations(needed)


def _or_equal(weights: FloatArray | None, m: int) -> FloatArray:
    return np.full(m, 1 / m) if weights is None else np.asarray(weights, dtype=np.float64)


def _chunks(m: int, n_features: int) -> list[slice]:
    step = max(_ENTRIES_PER_CHUNK // max(n_features, 1), 1)
    return [slice(start, start + step) for start in range(0, m, step)]


def _solve(equations: NormalEquations, m: int, needed: int) -> FloatArray:
    try:
        return equations.solve()
    except np.linalg.LinAlgError as error:
        raise _too_few(m, needed) from error


def _too_few(m: int, needed: int) -> InvalidParameterError:
    return InvalidParameterError(
        f"joint least squares cannot tell {needed} coefficients apart from {m} coalitions; raise the budget well above "
        f"{needed} or use estimator 'gp'",
        field="budget",
    )
