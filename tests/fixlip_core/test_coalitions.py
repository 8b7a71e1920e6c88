"""Sampling and enumeration of the product measure."""

from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.coalitions import enumerate_product, sample_product
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
