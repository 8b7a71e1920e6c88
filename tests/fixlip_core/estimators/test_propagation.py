"""Standard errors: the closed forms against the posterior's whole covariance, one direction at a time."""

from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.coalitions import enumerate_product, sample_product
from fixlip_core.estimators.basis import Coefficients, features, pair_indices, symmetric, to_additive
from fixlip_core.estimators.factored import fit_towers
from fixlip_core.estimators.propagation import propagate
from fixlip_core.estimators.surrogate import TowerFit
from fixlip_core.types import FloatArray
from tests.fixlip_core.games import smooth_tower, tower

PS = (0.3, 0.5, 0.7)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("p", PS)
@pytest.mark.parametrize("uncertain", ["image", "text"])
def test_variances_are_those_of_the_whole_posterior(p: float, order: int, uncertain: str) -> None:
    n, k, dim = 4, 3, 2
    rng = np.random.default_rng(4)
    samples = {"image": sample_product(n, 10, p, rng, complementary=False), "text": enumerate_product(k, p)}
    if uncertain == "text":
        samples = {"image": enumerate_product(n, p), "text": sample_product(k, 6, p, rng, complementary=False)}
    image, text = tower(samples["image"], smooth_tower(n, dim, 5)), tower(samples["text"], smooth_tower(k, dim, 6))
    fitted = fit_towers(image, text, scale=1.0, bias=0.0)
    own, other = (fitted.image, fitted.text) if uncertain == "image" else (fitted.text, fitted.image)
    found = propagate(own, other, order)
    first, second = variances_of(own, other, p, order)
    size = own.n
    np.testing.assert_allclose(found.own_first, first[:size], rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found.other_first, first[size:], rtol=1e-6, atol=1e-12)
    if order == 2:
        np.testing.assert_allclose(found.own_pairs, second[:size, :size], rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(found.cross, second[:size, size:], rtol=1e-6, atol=1e-12)
        np.testing.assert_allclose(found.other_pairs, second[size:, size:], rtol=1e-6, atol=1e-12)


def variances_of(own: TowerFit, other: TowerFit, p: float, order: int) -> tuple[FloatArray, FloatArray]:
    """Squares of what each direction of the posterior does to the additive values, summed: they are linear in it."""
    process = own.process
    assert process is not None
    n = own.n
    prior = process.prior
    variances = np.concatenate([[prior.product], prior.single_variances, prior.pair_variances[pair_indices(n)]])
    data, constant = features(process.chi) * variances, np.eye(len(variances))[0]
    ones = process.solve(np.ones(len(process.chi)))
    slack = constant - ones @ data
    covariance = np.diag(variances) - data.T @ process.solve(data) + np.outer(slack, slack) / ones.sum()
    firsts, seconds = [], []
    for functional in root(covariance).T:
        for direction in root(process.scale_of(own.values)).T:
            step = np.outer(functional, direction)
            first, second = additive(step, other, p, order)
            firsts.append(first**2)
            seconds.append(second**2)
    return np.sum(firsts, axis=0), np.sum(seconds, axis=0)


def additive(c: FloatArray, other: TowerFit, p: float, order: int) -> tuple[FloatArray, FloatArray]:
    """Additive values of a tower with vector coefficients ``c`` (F, D) beside ``other``."""
    n, k = int(np.sqrt(2 * len(c) - 1.75) - 0.5), other.n
    zero, first, pairs = c[0], c[1 : n + 1], c[n + 1 :]
    second = np.zeros((n + k, n + k))
    second[:n, :n], second[n:, n:] = symmetric(pairs @ other.zero, n), other.pairs_along(zero)
    second[:n, n:] = first @ other.first.T
    second[n:, :n] = second[:n, n:].T
    firsts = np.concatenate([first @ other.zero, other.first @ zero])
    values = to_additive(Coefficients(float(zero @ other.zero), firsts, second), p, order=order)
    return values.first, values.second


def root(covariance: FloatArray) -> FloatArray:
    energies, directions = np.linalg.eigh(covariance)
    return np.asarray(directions * np.sqrt(np.maximum(energies, 0)))
