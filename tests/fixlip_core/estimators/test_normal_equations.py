"""Normal equations in pieces: both memory layouts, singular systems, the limit."""

from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.errors import InvalidParameterError
from fixlip_core.estimators.normal_equations import MAX_COEFFICIENTS, NormalEquations, check_size, solve_definite


def test_pieces_make_the_weighted_solution() -> None:
    rng = np.random.default_rng(0)
    design, target, weights = rng.normal(size=(40, 6)), rng.normal(size=40), rng.uniform(0, 2, 40)
    equations = NormalEquations(6)
    for start in range(0, 40, 7):
        rows = slice(start, start + 7)
        equations.add(design[rows], target[rows], weights[rows])
    root = np.sqrt(weights)
    expected, *_ = np.linalg.lstsq(root[:, None] * design, root * target, rcond=None)
    np.testing.assert_allclose(equations.solve(), expected, atol=1e-12)


@pytest.mark.parametrize("layout", ["C", "F"])
def test_only_the_lower_triangle_is_read(layout: str) -> None:
    rng = np.random.default_rng(1)
    root, right = rng.normal(size=(5, 5)), rng.normal(size=(5, 2))
    gram = root @ root.T
    lower = np.array(np.tril(gram), order=layout)  # type: ignore[call-overload]  # order is a plain str here
    np.testing.assert_allclose(solve_definite(lower, right), np.linalg.solve(gram, right), rtol=1e-8)


def test_singular_equations_are_an_error() -> None:
    equations = NormalEquations(3)
    equations.add(np.ones((9, 3)), np.ones(9), np.ones(9))
    with pytest.raises(np.linalg.LinAlgError):
        equations.solve()
    almost = np.eye(3)
    almost[2, 2] = 1e-14
    with pytest.raises(np.linalg.LinAlgError, match="singular"):
        solve_definite(almost, np.ones(3))


def test_limit_is_on_coefficients() -> None:
    check_size(MAX_COEFFICIENTS)
    with pytest.raises(InvalidParameterError, match="order 1, or regions") as caught:
        check_size(MAX_COEFFICIENTS + 1)
    assert caught.value.field == "estimator"
