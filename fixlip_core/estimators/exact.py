"""Exact interactions of small games by enumerating every coalition."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fixlip_core.coalitions import enumerate_product, enumerate_shapley
from fixlip_core.estimators.basis import Additive, Coefficients, features, symmetric, to_additive
from fixlip_core.estimators.shapley import solve_shapley
from fixlip_core.types import Coalitions, FloatArray

__all__ = ["exact_additive", "exact_coefficients", "exact_shapley"]


def exact_coefficients(value: Callable[[Coalitions], FloatArray], n: int, p: float) -> Coefficients:
    """Coefficients c_S = E[v chi_S] of every |S| <= 2.

    Args:
        value: the game: (m, n) coalitions to (m,) values.
        n: number of players, at most 20.
        p: probability of presence.

    Raises:
        InvalidParameterError: there are more than 20 players.
    """
    sample = enumerate_product(n, p)
    weighted = sample.weights * np.asarray(value(sample.coalitions), dtype=np.float64)
    c = weighted @ features(sample.chi)
    return Coefficients(float(c[0]), c[1 : n + 1], symmetric(c[n + 1 :], n))


def exact_additive(value: Callable[[Coalitions], FloatArray], n: int, p: float, *, order: int = 2) -> Additive:
    """The most faithful approximation of ``order`` 1 or 2 (FIxLIP, arXiv 2508.05430), exactly.

    Raises:
        InvalidParameterError: there are more than 20 players.
    """
    return to_additive(exact_coefficients(value, n, p), p, order=order)


def exact_shapley(value: Callable[[Coalitions], FloatArray], n: int, *, order: int = 2) -> Additive:
    """The FSII (``order`` 2) or the Shapley values (``order`` 1) of a game, exactly; v(empty) is the baseline.

    Args:
        value: the game: (m, n) coalitions to (m,) values.
        n: number of players, 2 to 20.
        order: 1 or 2.

    Raises:
        InvalidParameterError: there are fewer than 2 players or more than 20.
    """
    sample = enumerate_shapley(n)
    empty, full = np.asarray(value(np.stack([np.zeros(n, bool), np.ones(n, bool)])), dtype=np.float64)
    weighted = sample.weights * (np.asarray(value(sample.coalitions), dtype=np.float64) - empty)
    present = sample.coalitions.astype(np.float64)
    pairs = (present * weighted[:, None]).T @ present
    first, second = solve_shapley(weighted @ present, pairs, float(full - empty), order=order)
    return Additive(float(empty), first, second)
