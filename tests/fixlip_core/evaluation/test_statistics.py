"""Means over explanations, and two methods on the same pairs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import wilcoxon

from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation.statistics import compare_paired, summarise

NAN = float("nan")


def test_a_summary_counts_what_it_leaves_out() -> None:
    found = summarise([1.0, 2.0, NAN, 3.0, 4.0, float("inf")])
    assert (found.n, found.n_missing, found.mean) == (4, 2, 2.5)
    assert found.std_error == pytest.approx(np.std([1, 2, 3, 4], ddof=1) / 2)
    assert found.interval is not None
    assert found.interval.low < 2.5 < found.interval.high
    many = np.random.default_rng(0).normal(size=30)
    assert summarise(many).interval == summarise(many, seed=0).interval != summarise(many, seed=1).interval


def test_few_values_have_no_spread() -> None:
    nothing, one = summarise([NAN]), summarise([2.0])
    assert (nothing.n, nothing.n_missing, nothing.interval) == (0, 1, None)
    assert np.isnan([nothing.mean, nothing.std_error, one.std_error]).all()
    assert (one.n, one.mean, one.interval) == (1, 2.0, None)


def test_wins_losses_and_ties_by_pair() -> None:
    a, b = [1.0, 2.0, 3.0, NAN, 5.0], [0.0, 2.0, 4.0, 1.0, 2.0]
    found = compare_paired(a, b)
    assert (found.n, found.wins, found.losses, found.ties, found.n_missing) == (4, 2, 1, 1, 1)
    assert found.mean_difference == pytest.approx(0.75)
    lower = compare_paired(a, b, higher_is_better=False)
    assert (lower.wins, lower.losses, lower.mean_difference) == (1, 2, found.mean_difference)
    assert lower.p_value == found.p_value


def test_pairing_sees_a_difference_that_the_spread_of_pairs_hides() -> None:
    rng = np.random.default_rng(0)
    b = rng.normal(size=20)
    a = b + 0.2 + 0.1 * rng.normal(size=20)
    found = compare_paired(a, b)
    assert found.interval is not None
    assert 0.1 < found.interval.low < 0.2 < found.interval.high < 0.3
    assert found.p_value < 1e-4
    assert compare_paired(a, rng.permutation(b)).p_value > 0.05


@pytest.mark.parametrize("n", [5, 12, 50, 51, 300])
def test_the_p_value_is_that_of_scipy(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.normal(0.2, 1.0, size=n), rng.normal(size=n)
    assert compare_paired(a, b).p_value == pytest.approx(wilcoxon(a - b, zero_method="pratt").pvalue)


def test_ties_and_zeros_have_the_exact_p_value_too() -> None:
    differences = np.array([0.0, 0.0, 1.0, 1.0, -1.0, 2.0, 2.0, 3.0])
    # Zeros take ranks 1 and 2, the ones 4 each, the twos 6.5 each, the three 8.
    ranks, found = np.array([4.0, 4.0, 4.0, 6.5, 6.5, 8.0]), 29.0
    sums = np.array([np.sum(ranks[list(signs)]) for signs in itertools.product([False, True], repeat=6)])
    assert compare_paired(differences, np.zeros(8)).p_value == pytest.approx(2 * np.mean(sums >= found))
    assert compare_paired(-differences, np.zeros(8)).p_value == pytest.approx(2 * np.mean(sums >= found))
    many = np.random.default_rng(0).integers(-2, 4, size=200).astype(float)
    expected = wilcoxon(many, zero_method="pratt", method="asymptotic").pvalue
    assert compare_paired(many, np.zeros(200)).p_value == pytest.approx(expected)


def test_the_p_value_is_exact_for_few_pairs() -> None:
    # All six differ in one direction: two of the 2^6 sign patterns are as extreme.
    assert compare_paired(np.arange(1.0, 7.0), np.zeros(6)).p_value == pytest.approx(2 / 64)
    assert compare_paired(np.array([1.0, 1.0, 1.0]), np.zeros(3)).p_value == pytest.approx(2 / 8)


def test_equal_columns_and_no_columns() -> None:
    same = compare_paired([1.0, 2.0], [1.0, 2.0])
    assert (same.ties, same.mean_difference, same.p_value) == (2, 0.0, 1.0)
    nothing = compare_paired([NAN], [1.0])
    assert (nothing.n, nothing.interval) == (0, None)
    assert np.isnan([nothing.mean_difference, nothing.p_value]).all()


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="as many values as a, 2, not 1") as caught:
        compare_paired([1.0, 2.0], [1.0])
    assert caught.value.field == "b"
