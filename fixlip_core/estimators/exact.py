"""Exact interactions of small games by enumerating every coalition."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fixlip_core.coalitions import enumerate_product
from fixlip_core.estimators.basis import Additive, Coefficients, features, symmetric, to_additive
from fixlip_core.types import Coalitions, FloatArray

__all__ = ["exact_additive", "exact_coefficients"]


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
