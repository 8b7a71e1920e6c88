"""The factored Gaussian-process estimator: oracles, propagated variances, honesty of its own estimates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from fixlip_core.coalitions import CoalitionSample, enumerate_product, sample_product
from fixlip_core.estimators import factored
from fixlip_core.estimators.basis import Coefficients, pair_indices, symmetric, to_additive
from fixlip_core.estimators.exact import exact_additive
from fixlip_core.estimators.factored import fit_gaussian_processes
from fixlip_core.estimators.gaussian_process import CoalitionProcess
from fixlip_core.types import FloatArray
from tests.fixlip_core.games import BilinearGame, smooth_tower, tower

PS = (0.3, 0.5, 0.7)


@pytest.mark.parametrize("p", PS)
def test_bilinear_game_is_recovered_with_r2_of_one(p: float) -> None:
    game = BilinearGame.draw(12, 4, 5, seed=0)
    image = tower(sample_product(12, 80, p, np.random.default_rng(1)), game.image, grid=(3, 4))
    text = tower(enumerate_product(4, p), game.text)
    fit = fit_gaussian_processes(image, text, scale=1.0, bias=0.0)
    ours = to_additive(fit.coefficients, p)
    size = np.abs(game.a @ game.b.T).max()
    np.testing.assert_allclose(ours.second[:12, 12:], game.a @ game.b.T, atol=1e-3 * size)
    np.testing.assert_allclose(ours.second[:12, :12], 0, atol=1e-3 * size)
    np.testing.assert_allclose(ours.second[12:, 12:], 0, atol=1e-9)
    assert fit.estimated_r2 == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("p", PS)
def test_enumerated_towers_are_exact_and_certain(p: float, order: int) -> None:
    encode_image, encode_text = smooth_tower(6, 8, 2), smooth_tower(4, 8, 3)
    image, text = tower(enumerate_product(6, p), encode_image), tower(enumerate_product(4, p), encode_text)
    fit = fit_gaussian_processes(image, text, scale=9.0, bias=-1.0, order=order)

    def value(x: np.ndarray) -> FloatArray:
        return np.asarray(9.0 * np.einsum("md,md->m", encode_image(x[:, :6]), encode_text(x[:, 6:])) - 1.0)

    exact = exact_additive(value, 10, p, order=order)
    ours = to_additive(fit.coefficients, p, order=order)
    np.testing.assert_allclose(ours.first, exact.first, atol=1e-9)
    np.testing.assert_allclose(ours.second, exact.second, atol=1e-9)
    assert ours.baseline == pytest.approx(exact.baseline, abs=1e-9)
    assert not fit.first_std_error.any()
    assert not fit.second_std_error.any()
    sample = enumerate_product(10, p)
    truth, x = value(sample.coalitions), sample.coalitions.astype(float)
    missed = truth - ours.baseline - x @ ours.first - np.einsum("mi,mi->m", x @ ours.second, x) / 2
    spread = truth - sample.weights @ truth
    assert fit.estimated_r2 == pytest.approx(1 - sample.weights @ missed**2 / (sample.weights @ spread**2), abs=1e-9)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("p", PS)
@pytest.mark.parametrize("uncertain", ["image", "text"])
def test_variances_are_those_of_drawn_posteriors(p: float, order: int, uncertain: str) -> None:
    """Draw the uncertain tower's coefficients from its posterior and watch how the additive values spread."""
    n, k, dim = 4, 3, 2
    rng = np.random.default_rng(4)
    samples = {"image": sample_product(n, 10, p, rng, complementary=False), "text": enumerate_product(k, p)}
    if uncertain == "text":
        samples = {"image": enumerate_product(n, p), "text": sample_product(k, 6, p, rng, complementary=False)}
    image, text = tower(samples["image"], smooth_tower(n, dim, 5)), tower(samples["text"], smooth_tower(k, dim, 6))
    moments = [(t.embeddings * t.sample.weights[:, None]).T @ t.embeddings for t in (image, text)]
    a = factored._fit_tower(image, image.embeddings, moments[1])
    b = factored._fit_tower(text, text.embeddings, moments[0])
    own, other = (a, b) if uncertain == "image" else (b, a)
    found = factored._variances(own, other, p, order)
    process = own.process
    assert process is not None
    drawn = _posterior_draws(process, own, 60_000, rng)
    size = own.n
    values = []
    for zero, first, pairs in drawn:
        values.append(_additive(zero, first, pairs, other, p, order))
    firsts, seconds = (np.stack(part).var(axis=0) for part in zip(*values, strict=True))
    own_first, other_first = (firsts[:size], firsts[size:])
    np.testing.assert_allclose(found.own_first, own_first, rtol=0.05, atol=1e-9)
    np.testing.assert_allclose(found.other_first, other_first, rtol=0.05, atol=1e-9)
    if order == 2:
        np.testing.assert_allclose(found.own_pairs, seconds[:size, :size], rtol=0.05, atol=1e-9)
        np.testing.assert_allclose(found.cross, seconds[:size, size:], rtol=0.05, atol=1e-9)
        np.testing.assert_allclose(found.other_pairs, seconds[size:, size:], rtol=0.05, atol=1e-9)


def _posterior_draws(
    process: CoalitionProcess, own: factored._Tower, count: int, rng: np.random.Generator
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """Draws of (zero, first, pairs) vector coefficients: one covariance over functionals, one over directions."""
    n = own.n
    rows, columns = pair_indices(n)
    chi, prior = process.chi, process.prior
    variances = np.concatenate([[prior.product], prior.single_variances, prior.pair_variances[rows, columns]])
    phi = np.concatenate([np.ones((len(chi), 1)), chi, chi[:, rows] * chi[:, columns]], axis=1)
    data, constant = phi * variances, np.eye(len(variances))[0]
    solved = process.solve(data)
    ones = process.solve(np.ones(len(chi)))
    slack = constant - ones @ data
    covariance = np.diag(variances) - data.T @ solved + np.outer(slack, slack) / ones.sum()
    sigma = process.scale_of(own.values)
    half = _root(covariance)
    directions = _root(sigma)
    noise = rng.normal(size=(count, len(variances), sigma.shape[0]))
    draws = np.einsum("ab,cbd,de->cae", half, noise, directions)
    for draw in draws:
        yield own.zero + draw[0], own.first + draw[1 : n + 1], own.pairs + draw[n + 1 :]


def _root(covariance: FloatArray) -> FloatArray:
    energies, directions = np.linalg.eigh(covariance)
    return np.asarray(directions * np.sqrt(np.maximum(energies, 0)) @ directions.T)


def _additive(
    zero: FloatArray, first: FloatArray, pairs: FloatArray, other: factored._Tower, p: float, order: int
) -> tuple[FloatArray, FloatArray]:
    n, k = len(first), other.n
    second = np.zeros((n + k, n + k))
    second[:n, :n], second[n:, n:] = symmetric(pairs @ other.zero, n), symmetric(other.pairs @ zero, k)
    second[:n, n:] = first @ other.first.T
    second[n:, :n] = second[:n, n:].T
    values = to_additive(
        Coefficients(float(zero @ other.zero), np.concatenate([first @ other.zero, other.first @ zero]), second),
        p,
        order=order,
    )
    return values.first, values.second


@pytest.mark.parametrize("p", PS)
def test_standard_errors_cover_on_a_smooth_game(p: float) -> None:
    n, n_text = 16, 4
    encode_image, encode_text = smooth_tower(n, 24, 7), smooth_tower(n_text, 24, 8)
    text = tower(enumerate_product(n_text, p), encode_text)
    full = tower(enumerate_product(n, p), encode_image, grid=(4, 4))
    truth = to_additive(fit_gaussian_processes(full, text, scale=10.0, bias=0.0).coefficients, p)
    inside = []
    for seed in range(6):
        image = tower(sample_product(n, 96, p, np.random.default_rng([9, seed])), encode_image, grid=(4, 4))
        fit = fit_gaussian_processes(image, text, scale=10.0, bias=0.0)
        ours = to_additive(fit.coefficients, p)
        rows, columns = pair_indices(n + n_text)
        inside.append(np.abs(ours.first - truth.first) <= fit.first_std_error)
        some = fit.second_std_error[rows, columns] > 0
        inside.append((np.abs(ours.second - truth.second) <= fit.second_std_error)[rows, columns][some])
    # 68 % were the prior known; it is learnt from the same 96 rows.
    assert 0.5 <= np.concatenate(inside).mean() <= 0.8


def test_same_sample_gives_the_same_bits() -> None:
    image = tower(sample_product(9, 40, 0.5, np.random.default_rng(10)), smooth_tower(9, 6, 11), grid=(3, 3))
    text = tower(enumerate_product(3, 0.5), smooth_tower(3, 6, 12))
    one, two = (fit_gaussian_processes(image, text, scale=5.0, bias=0.0) for _ in range(2))
    np.testing.assert_array_equal(one.coefficients.second, two.coefficients.second)
    np.testing.assert_array_equal(one.second_std_error, two.second_std_error)


def test_constant_embeddings_are_no_trouble() -> None:
    sample = sample_product(5, 12, 0.5, np.random.default_rng(13))
    image = tower(sample, lambda x: np.tile([1.0, 0.0], (len(x), 1)))
    text = tower(enumerate_product(2, 0.5), lambda x: np.tile([1.0, 0.0], (len(x), 1)))
    fit = fit_gaussian_processes(image, text, scale=3.0, bias=0.0)
    assert fit.coefficients.zero == pytest.approx(3.0)
    assert not fit.coefficients.first.any()
    assert np.isnan(fit.estimated_r2)
    assert isinstance(sample, CoalitionSample)
