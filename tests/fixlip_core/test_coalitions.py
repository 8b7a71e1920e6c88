"""Sampling and enumeration of the product measure."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from fixlip_core.coalitions import (
    enumerate_product,
    enumerate_shapley,
    sample_product,
    sample_shapley,
    shapley_sizes,
)
from fixlip_core.errors import InvalidParameterError
from fixlip_core.estimators.basis import features

PS = (0.3, 0.5, 0.7)


@pytest.mark.parametrize("p", PS)
def test_enumeration_has_every_coalition_once_with_its_probability(p: float) -> None:
    sample = enumerate_product(4, p)
    assert len(np.unique(sample.coalitions, axis=0)) == 16
    assert sample.weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(sample.weights @ sample.coalitions, p)
    assert sample.exhaustive


@pytest.mark.parametrize("p", PS)
def test_basis_is_orthonormal_under_the_measure(p: float) -> None:
    sample = enumerate_product(5, p)
    phi = features(sample.chi)
    np.testing.assert_allclose((phi * sample.weights[:, None]).T @ phi, np.eye(16), atol=1e-12)


def test_one_half_is_drawn_in_complementary_pairs() -> None:
    sample = sample_product(9, 11, 0.5, np.random.default_rng(0))
    assert sample.coalitions.shape == (11, 9)
    np.testing.assert_array_equal(sample.coalitions[0:10:2], ~sample.coalitions[1:11:2])


@pytest.mark.parametrize("p", [0.2, 0.8])
def test_other_measures_are_drawn_independently_at_their_rate(p: float) -> None:
    sample = sample_product(40, 2_000, p, np.random.default_rng(1))
    assert sample.coalitions.mean() == pytest.approx(p, abs=0.01)
    correlations = np.corrcoef(sample.coalitions.T.astype(float)) - np.eye(40)
    assert np.abs(correlations).max() < 0.12


def test_same_seed_draws_the_same_and_samples_are_frozen() -> None:
    one, two = (sample_product(6, 8, 0.3, np.random.default_rng(2)) for _ in range(2))
    np.testing.assert_array_equal(one.coalitions, two.coalitions)
    with pytest.raises(ValueError, match="read-only"):
        one.coalitions[0, 0] = True
    assert not one.exhaustive


def test_too_many_players_are_not_enumerated() -> None:
    with pytest.raises(InvalidParameterError, match="at most 20") as caught:
        enumerate_product(21, 0.5)
    assert caught.value.field == "n"


def test_shapley_kernel_is_enumerated_with_its_own_weights() -> None:
    sample = enumerate_shapley(6)
    assert len(np.unique(sample.coalitions, axis=0)) == 2**6 - 2
    sizes = sample.coalitions.sum(axis=1)
    kernel = np.array([5 / (comb(6, s) * s * (6 - s)) for s in sizes.tolist()])
    np.testing.assert_allclose(sample.weights, kernel / kernel.sum(), atol=1e-14)
    assert not sample.exhaustive


def test_shapley_kernel_is_drawn_in_complementary_pairs_by_its_law() -> None:
    sample = sample_shapley(7, 30_001, np.random.default_rng(3))
    rows = sample.coalitions
    assert rows.shape == (30_001, 7)
    np.testing.assert_array_equal(rows[0:30_000:2], ~rows[1:30_001:2])
    counts = np.bincount(rows.sum(axis=1), minlength=8) / len(rows)
    assert counts[0] == counts[7] == 0
    np.testing.assert_allclose(counts[1:7], shapley_sizes(7), atol=0.01)
    # Coalitions of one size are equally likely, hence each player is in as many.
    np.testing.assert_allclose(rows[rows.sum(axis=1) == 2].mean(axis=0), 2 / 7, atol=0.03)
    again = sample_shapley(7, 30_001, np.random.default_rng(3))
    np.testing.assert_array_equal(rows, again.coalitions)
    assert sample.p == 0.5


def test_shapley_kernel_is_drawn_independently_when_told() -> None:
    rows = sample_shapley(9, 4_000, np.random.default_rng(4), complementary=False).coalitions
    assert rows.shape == (4_000, 9)
    assert not (rows[0::2] == ~rows[1::2]).all(axis=1).mean() > 0.1
    np.testing.assert_allclose(np.bincount(rows.sum(axis=1), minlength=9)[1:9] / 4_000, shapley_sizes(9), atol=0.03)


def test_one_player_has_no_shapley_kernel() -> None:
    with pytest.raises(InvalidParameterError, match="at least 2 players"):
        sample_shapley(1, 4, np.random.default_rng(0))


@pytest.mark.parametrize("complementary", [True, False])
@pytest.mark.parametrize("m", [7, 8])
def test_longer_draws_begin_with_shorter_ones(m: int, complementary: bool) -> None:
    def rng() -> np.random.Generator:
        return np.random.default_rng(5)

    for p in PS:
        short, long = (sample_product(9, k, p, rng(), complementary=complementary).coalitions for k in (m, 50))
        np.testing.assert_array_equal(short, long[:m])
    short, long = (sample_shapley(9, k, rng(), complementary=complementary).coalitions for k in (m, 50))
    np.testing.assert_array_equal(short, long[:m])
