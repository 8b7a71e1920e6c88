"""The restricted likelihood: its gradient, and that it finds the weights that made the data."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize

from fixlip_core.coalitions import sample_product
from fixlip_core.estimators import likelihood
from fixlip_core.estimators.likelihood import KernelParts, likeliest_weights
from fixlip_core.types import FloatArray


def parts_on_a_line(n: int) -> KernelParts:
    places = np.arange(n, dtype=float)
    return KernelParts.of(np.linspace(1, 2, n), np.abs(places[:, None] - places))


@pytest.mark.parametrize("p", [0.3, 0.5])
def test_gradient_is_that_of_the_value(p: float) -> None:
    rng = np.random.default_rng(0)
    chi = sample_product(6, 30, p, rng).chi
    grams = parts_on_a_line(6).grams(chi, p)
    targets = rng.normal(size=(30, 3))
    start = np.log([0.5, 0.2, 0.1, 0.3])

    def value(x: FloatArray) -> float:
        return likelihood._restricted_likelihood(grams, targets, np.exp(x))[0]

    gradient = likelihood._restricted_likelihood(grams, targets, np.exp(start))[1]
    np.testing.assert_allclose(gradient, scipy.optimize.approx_fprime(start, value, 1e-6), atol=1e-4)


def test_weights_that_made_the_data_are_found() -> None:
    rng = np.random.default_rng(1)
    chi = sample_product(10, 300, 0.5, rng, complementary=False).chi
    grams = parts_on_a_line(10).grams(chi, 0.5)
    true = np.array([1.0, 0.4, 0.0, 0.5])
    covariance = np.tensordot(true, grams, axes=1)
    targets = np.linalg.cholesky(covariance) @ rng.normal(size=(300, 40)) + 7.0
    found = likeliest_weights(grams, targets, np.array(likelihood.START))
    relative = found / found[0]
    assert relative[1] == pytest.approx(0.4, rel=0.3)
    assert relative[2] < 0.1
    assert relative[3] == pytest.approx(0.5, rel=0.3)


def test_constant_targets_leave_the_start() -> None:
    chi = sample_product(4, 12, 0.5, np.random.default_rng(2)).chi
    start = np.array(likelihood.START)
    grams = parts_on_a_line(4).grams(chi, 0.5)
    np.testing.assert_array_equal(likeliest_weights(grams, np.ones((12, 2)), start), start)


def test_targets_without_energy_have_no_likelihood() -> None:
    chi = sample_product(4, 12, 0.5, np.random.default_rng(4)).chi
    grams = parts_on_a_line(4).grams(chi, 0.5)
    value, gradient = likelihood._restricted_likelihood(grams, np.zeros((12, 2)), np.array(likelihood.START))
    assert np.isfinite(value)
    assert not gradient.any()


def test_prior_has_the_variances_of_its_gram_matrices() -> None:
    parts = parts_on_a_line(6)
    chi = sample_product(6, 20, 0.4, np.random.default_rng(3)).chi
    weights = np.array([0.7, 0.2, 0.1, 0.4])
    prior = parts.prior(weights, 0.4)
    covariance = prior.kernel(chi) + prior.noise * np.eye(20)
    np.testing.assert_allclose(covariance, np.tensordot(weights, parts.grams(chi, 0.4), axes=1), atol=1e-10)
