"""The process against Bayesian linear regression on every chi_S, written out."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from fixlip_core.coalitions import CoalitionSample, sample_product, standardise
from fixlip_core.estimators.basis import pair_indices
from fixlip_core.estimators.gaussian_process import CoalitionProcess
from fixlip_core.estimators.kernels import pair_kernel
from fixlip_core.estimators.prior import Prior
from fixlip_core.estimators.surrogate import TowerFit

PS = (0.3, 0.5, 0.7)
N = 5


def make(p: float, seed: int = 0) -> tuple[CoalitionProcess, np.ndarray, Prior]:
    rng = np.random.default_rng(seed)
    pairs = rng.uniform(0.05, 0.5, (N, N))
    pairs = pairs + pairs.T
    np.fill_diagonal(pairs, 0.0)
    prior = Prior(
        p=p,
        singles=rng.uniform(0.1, 1.0, N),
        pairs=pairs,
        rho=rng.uniform(0.05, 0.4, N),
        product=0.3,
        noise=0.05,
    )
    sample = sample_product(N, 14, p, rng, complementary=False)
    return CoalitionProcess(sample.chi, prior), rng.normal(size=(14, 3)), prior


def fit_of(process: CoalitionProcess, targets: np.ndarray) -> TowerFit:
    """The process with the targets for embeddings."""
    m = len(targets)
    return TowerFit(targets, CoalitionSample(process.chi > 0, np.full(m, 1 / m), process.prior.p, False), process)


class WrittenOut:
    """The same posterior with one weight for each of the 2^N basis functions and a flat prior on the constant."""

    def __init__(self, chi: np.ndarray, prior: Prior) -> None:
        self.sets = [s for k in range(N + 1) for s in combinations(range(N), k)]
        self.phi = np.stack([chi[:, list(s)].prod(axis=1) for s in self.sets], axis=1)
        self.prior_variance = np.array([self._variance(s, prior) for s in self.sets])
        precision = 1 / self.prior_variance
        precision[0] = 0.0  # flat
        self.posterior = np.linalg.inv(self.phi.T @ self.phi / prior.noise + np.diag(precision))
        self.gain = self.posterior @ self.phi.T / prior.noise

    @staticmethod
    def _variance(s: tuple[int, ...], prior: Prior) -> float:
        own = {1: lambda: prior.singles[s[0]], 2: lambda: prior.pairs[s]}.get(len(s), lambda: 0.0)()
        return float(own) + prior.product * float(np.prod(prior.rho[list(s)]))


@pytest.mark.parametrize("p", PS)
def test_coefficients_are_those_of_bayesian_regression(p: float) -> None:
    process, targets, prior = make(p)
    truth = WrittenOut(process.chi, prior)
    expected = truth.gain @ targets
    alpha = process.alpha_of(targets)
    np.testing.assert_allclose(process.constant_of(targets), expected[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(process.first_of(alpha), expected[1 : N + 1], atol=1e-5)
    rows, columns = pair_indices(N)
    pairs = expected[N + 1 : N + 1 + len(rows)]
    fit = fit_of(process, targets)
    np.testing.assert_allclose(fit.pairs_along(np.eye(3)[0])[rows, columns], pairs[:, 0], atol=1e-5)
    np.testing.assert_allclose(np.concatenate(list(fit.pair_vectors())), pairs, atol=1e-5)


@pytest.mark.parametrize("p", PS)
def test_variances_are_those_of_bayesian_regression(p: float) -> None:
    process, _, prior = make(p, seed=1)
    posterior = WrittenOut(process.chi, prior).posterior
    variances = np.diag(posterior)
    np.testing.assert_allclose(process.variance(process.constant()), variances[:1], rtol=1e-3)
    np.testing.assert_allclose(process.variance(process.singles()), variances[1 : N + 1], atol=1e-6)
    rows, columns = pair_indices(N)
    np.testing.assert_allclose(process.pair_variances()[rows, columns], variances[N + 1 : N + 1 + len(rows)], atol=1e-6)
    singles, constant = process.singles(), process.constant()
    for i in range(N):
        one = type(singles)(singles.data[:, [i]], singles.variance[[i]], singles.constant[[i]])
        between = process.covariance(one, constant, np.zeros(1))
        assert between[0] == pytest.approx(posterior[0, i + 1], abs=1e-6)


@pytest.mark.parametrize("p", PS)
def test_expected_squares_are_those_of_bayesian_regression(p: float) -> None:
    process, targets, prior = make(p, seed=5)
    truth = WrittenOut(process.chi, prior)
    scale = 2.5
    expected = ((truth.gain @ targets) ** 2).sum(axis=1) / scale + np.diag(truth.posterior)
    singles, pairs = process.expected_squares(targets, scale)
    np.testing.assert_allclose(singles, expected[1 : N + 1], atol=1e-5)
    np.testing.assert_allclose(pairs[pair_indices(N)], expected[N + 1 : N + 1 + N * (N - 1) // 2], atol=1e-5)


@pytest.mark.parametrize("p", PS)
def test_a_known_gram_matrix_of_the_pairs_changes_nothing(p: float) -> None:
    process, targets, prior = make(p, seed=6)
    known = CoalitionProcess(process.chi, prior, pair_kernel(process.chi, prior.pairs))
    np.testing.assert_allclose(known.alpha_of(targets), process.alpha_of(targets), rtol=1e-12)


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("p", PS)
def test_left_out_errors_are_those_of_fits_without_the_row(p: float, order: int) -> None:
    process, targets, prior = make(p, seed=2)
    errors = process.left_out_errors(targets, order)
    for m in range(len(process.chi)):
        kept = np.arange(len(process.chi)) != m
        rest = CoalitionProcess(process.chi[kept], prior)
        fit = fit_of(rest, targets[kept])
        predicted = rest.constant_of(targets[kept])
        x = process.chi[m]
        if order >= 1:
            predicted = predicted + x @ fit.first
        if order >= 2:
            predicted = predicted + np.array([x @ fit.pairs_along(unit) @ x / 2 for unit in np.eye(3)])
        np.testing.assert_allclose(errors[m], targets[m] - predicted, atol=1e-6)


@pytest.mark.parametrize("p", PS)
def test_kernel_is_the_sum_over_all_orders(p: float) -> None:
    process, _, prior = make(p, seed=3)
    truth = WrittenOut(process.chi, prior)
    written_out = truth.phi * truth.prior_variance @ truth.phi.T
    np.testing.assert_allclose(prior.kernel(process.chi), written_out, atol=1e-10)


def test_repeated_coalitions_without_noise_are_survived() -> None:
    process, _, prior = make(0.5, seed=4)
    chi = standardise(np.repeat(process.chi[:3] > 0, 4, axis=0), 0.5)
    silent = Prior(p=0.5, singles=prior.singles, pairs=prior.pairs, rho=prior.rho, product=0.3, noise=0.0)
    targets = np.repeat(np.arange(3.0), 4)[:, None]
    process = CoalitionProcess(chi, silent)
    assert np.isfinite(process.first_of(process.alpha_of(targets))).all()
