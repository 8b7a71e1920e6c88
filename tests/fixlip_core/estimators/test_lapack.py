"""scipy's own wrappers are the reference: the same routines, to the bit."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import scipy.linalg

from fixlip_core.estimators import lapack
from fixlip_core.types import FloatArray


def matrix(n: int, *, m: int = 50) -> FloatArray:
    """(m, n)."""
    return np.random.default_rng(n).standard_normal((m, n))


def definite(n: int) -> FloatArray:
    """(n, n), in columns."""
    rows = matrix(n, m=2 * n)
    return np.asfortranarray(rows.T @ rows + np.eye(n))


def zeros(n: int) -> FloatArray:
    """(n, n), in columns."""
    return np.zeros((n, n), order="F")


@pytest.mark.parametrize("n", [1, 7, 130])
def test_products(n: int) -> None:
    rows, others, gram, product = matrix(n), matrix(n)[::-1], zeros(n), zeros(n)
    for _ in range(2):
        lapack.add_gram(gram, rows)
        lapack.add_product(product, rows, others)
    np.testing.assert_allclose(gram, np.tril(2 * rows.T @ rows), atol=1e-12)
    np.testing.assert_allclose(product, 2 * rows.T @ others, atol=1e-12)


@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("n", [1, 7, 130])
def test_systems_have_scipys_bits(n: int, lower: bool) -> None:
    factored = definite(n)
    assert lapack.factor(factored, lower=lower) == 0
    expected = scipy.linalg.cho_factor(definite(n), lower=lower)
    np.testing.assert_array_equal(factored, expected[0])
    for right in (matrix(3, m=n), matrix(1, m=n)[:, 0], np.zeros((n, 0))):
        solved = lapack.solve(factored, right, lower=lower)
        np.testing.assert_array_equal(solved, scipy.linalg.cho_solve(expected, right))


@pytest.mark.parametrize("n", [1, 7, 130])
def test_inverses_have_scipys_bits(n: int) -> None:
    factored = definite(n)
    lapack.factor(factored)
    inverted, fault = lapack.inverse(factored)
    assert fault == 0
    np.testing.assert_array_equal(np.tril(inverted), np.tril(scipy.linalg.lapack.dpotri(factored, lower=1)[0]))
    right = matrix(3, m=n)
    expected = scipy.linalg.solve_triangular(factored, right, lower=True)
    np.testing.assert_array_equal(lapack.solve_lower(factored, right), expected)


def test_what_is_not_definite_is_told() -> None:
    assert lapack.factor(np.asfortranarray(-np.eye(3))) == 1
    assert lapack.inverse(zeros(3))[1] == 1


def test_a_layout_that_a_routine_would_misread_is_refused() -> None:
    wrong: FloatArray
    for wrong in (np.zeros((3, 3)), np.zeros((3, 4), order="F"), np.zeros((3, 3), np.float32, order="F")):
        with pytest.raises(ValueError, match="lie in columns"):
            lapack.add_gram(wrong, matrix(3))
    with pytest.raises(ValueError, match="differ"):
        lapack.add_product(zeros(3), matrix(3), matrix(4))
    for solve in (lapack.solve, lapack.solve_lower):
        with pytest.raises(ValueError, match="do not fit"):
            solve(definite(3), matrix(2, m=4))


def test_other_threads_go_on_meanwhile() -> None:
    is_over, pauses_s = threading.Event(), [0.0]

    def tick() -> None:
        last_s = time.perf_counter()
        while not is_over.is_set():
            time.sleep(0.002)
            now_s = time.perf_counter()
            pauses_s.append(now_s - last_s)
            last_s = now_s

    ticking = threading.Thread(target=tick)
    factored = definite(1_500)
    ticking.start()
    started_s = time.perf_counter()
    lapack.factor(factored)
    lapack.inverse(factored)
    lapack.solve(factored, factored)
    taken_s = time.perf_counter() - started_s
    is_over.set()
    ticking.join()
    assert max(pauses_s) < 0.5 * taken_s
