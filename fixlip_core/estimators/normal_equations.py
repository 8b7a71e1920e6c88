"""Weighted least squares through its Gram matrix, gathered over chunks of rows: no design matrix exists whole."""

from __future__ import annotations

import numpy as np

from fixlip_core.errors import InvalidParameterError
from fixlip_core.estimators import lapack
from fixlip_core.types import FloatArray

__all__ = ["MAX_COEFFICIENTS", "NormalEquations", "check_size", "solve_definite"]

MAX_COEFFICIENTS = 12_000
"""Two Gram matrices of so many rows, a tower's and the joint one, take 2.3 GB; they are factored where they lie."""


class NormalEquations:
    """Gram matrix and right side of one least-squares problem.

    Raises:
        InvalidParameterError: there are more coefficients than memory is given to.
    """

    def __init__(self, n_features: int) -> None:
        check_size(n_features)
        self._gram = np.zeros((n_features, n_features), order="F")
        self._right = np.zeros(n_features)

    def add(self, design: FloatArray, target: FloatArray, weights: FloatArray) -> None:
        """Add (m, F) rows with (m,) targets and (m,) weights, which are not negative."""
        rooted = design * np.sqrt(weights)[:, None]
        # One triangle, in place: a product of its own would take the matrix's memory once more.
        lapack.add_gram(self._gram, rooted)
        self._right += design.T @ (weights * target)

    def solve(self) -> FloatArray:
        """(F,) the solution; the equations are used up.

        Raises:
            LinAlgError: the rows do not determine it.
        """
        return solve_definite(self._gram, self._right)


def solve_definite(gram: FloatArray, right: FloatArray) -> FloatArray:
    """Solve by Cholesky, in ``gram``'s memory; only its lower triangle is read.

    Raises:
        LinAlgError: the matrix is singular, which a condition number near the end of float64's range counts as.
    """
    # LAPACK works on columns: a matrix that lies in rows is its transpose, upper triangle.
    lower = bool(gram.flags.f_contiguous)
    factored = np.asfortranarray(np.asarray_chkfinite(gram if lower else gram.T))
    fault = lapack.factor(factored, lower=lower)
    diagonal = np.abs(np.diag(factored))
    if fault or diagonal.min() < 1e-6 * diagonal.max():
        raise np.linalg.LinAlgError("the Gram matrix is singular")
    return lapack.solve(factored, right, lower=lower)


def check_size(n_features: int) -> None:
    """Refuse a Gram matrix that memory is not given to.

    Raises:
        InvalidParameterError: there are more than :data:`MAX_COEFFICIENTS`.
    """
    if n_features > MAX_COEFFICIENTS:
        raise InvalidParameterError(
            f"least squares takes at most {MAX_COEFFICIENTS} coefficients, here are {n_features}; use estimator 'gp', "
            "order 1, or regions instead of patches",
            field="estimator",
        )
