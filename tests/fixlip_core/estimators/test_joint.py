"""Joint least squares: dense solutions on the same rows, exact ones on all rows, and honest refusals."""

from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.coalitions import enumerate_product, enumerate_shapley, sample_product, sample_shapley
from fixlip_core.errors import InvalidParameterError
from fixlip_core.estimators import joint
from fixlip_core.estimators.basis import features, symmetric, to_additive
from fixlip_core.estimators.exact import exact_additive, exact_shapley
from fixlip_core.estimators.joint import fit_joint, fit_joint_shapley
from tests.fixlip_core.games import DualGame, dense_shapley, smooth_tower

PS = (0.3, 0.5, 0.7)
N = 9


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows come in several chunks, as they do where there are many."""
    monkeypatch.setattr(joint, "_ENTRIES_PER_CHUNK", 2_000)


@pytest.fixture
def game() -> DualGame:
    return DualGame(smooth_tower(6, 8, 1), smooth_tower(3, 8, 2), 6, 12.0, -3.0)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("p", PS)
def test_equals_dense_weighted_least_squares(game: DualGame, p: float, order: int) -> None:
    rng = np.random.default_rng(3)
    x = sample_product(N, 300, p, rng).coalitions
    values, weights = game.value(x), rng.uniform(0.2, 2.0, 300)
    ours = to_additive(fit_joint(x, values, weights, p=p, order=order).coefficients, p, order=order)
    root = np.sqrt(weights)
    solved, *_ = np.linalg.lstsq(root[:, None] * features(x.astype(float), order), root * values, rcond=None)
    assert ours.baseline == pytest.approx(solved[0], abs=1e-8)
    np.testing.assert_allclose(ours.first, solved[1 : N + 1], atol=1e-8)
    if order == 2:
        np.testing.assert_allclose(ours.second, symmetric(solved[N + 1 :], N), atol=1e-8)
    else:
        assert not ours.second.any()


@pytest.mark.parametrize("p", PS)
def test_all_coalitions_with_their_probabilities_are_exact(game: DualGame, p: float) -> None:
    sample = enumerate_product(N, p)
    fit = fit_joint(sample.coalitions, game.value(sample.coalitions), sample.weights, p=p)
    ours, exact = to_additive(fit.coefficients, p), exact_additive(game.value, N, p)
    np.testing.assert_allclose(ours.first, exact.first, atol=1e-9)
    np.testing.assert_allclose(ours.second, exact.second, atol=1e-9)
    assert np.isnan(fit.second_std_error).all()
    assert np.isnan(fit.estimated_r2)


@pytest.mark.parametrize("order", [1, 2])
def test_shapley_equals_the_dense_constrained_solution(game: DualGame, order: int) -> None:
    rng = np.random.default_rng(4)
    x = sample_shapley(N, 400, rng).coalitions
    values, weights = game.value(x), rng.uniform(0.2, 2.0, 400)
    empty, full = game.value(np.stack([np.zeros(N, bool), np.ones(N, bool)]))
    expected = dense_shapley(x, values, weights, float(empty), float(full), order)
    ours = fit_joint_shapley(x, values, weights, empty_value=float(empty), full_value=float(full), order=order)
    np.testing.assert_allclose(ours.first, expected.first, atol=1e-8)
    np.testing.assert_allclose(ours.second, expected.second, atol=1e-8)
    assert ours.baseline == empty
    assert ours.first.sum() + ours.second.sum() / 2 == pytest.approx(full - empty, abs=1e-10)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("n", [2, 3, 9])
def test_shapley_of_all_coalitions_is_exact(n: int, order: int) -> None:
    game = DualGame(smooth_tower(n - 1, 8, 1), smooth_tower(1, 8, 2), n - 1, 12.0, -3.0)
    sample = enumerate_shapley(n)
    empty, full = game.value(np.stack([np.zeros(n, bool), np.ones(n, bool)]))
    values = game.value(sample.coalitions)
    ours = fit_joint_shapley(
        sample.coalitions, values, sample.weights, empty_value=float(empty), full_value=float(full), order=order
    )
    exact = exact_shapley(game.value, n, order=order)
    np.testing.assert_allclose(ours.first, exact.first, atol=1e-9)
    np.testing.assert_allclose(ours.second, exact.second, atol=1e-9)


def test_too_few_coalitions_are_refused_with_the_number_needed(game: DualGame) -> None:
    rng = np.random.default_rng(5)
    x = sample_product(N, 40, 0.5, rng).coalitions
    with pytest.raises(InvalidParameterError, match="46 coefficients apart from 40 coalitions") as caught:
        fit_joint(x, game.value(x), p=0.5)
    assert caught.value.field == "budget"
    with pytest.raises(InvalidParameterError, match="44 coefficients apart from 40 coalitions"):
        fit_joint_shapley(x, game.value(x), empty_value=0.0, full_value=1.0)
    repeated = np.repeat(x[:20], 5, axis=0)
    with pytest.raises(InvalidParameterError, match="46 coefficients apart from 100 coalitions"):
        fit_joint(repeated, game.value(repeated), p=0.5)
    with pytest.raises(InvalidParameterError, match="44 coefficients apart from 100 coalitions"):
        fit_joint_shapley(repeated, game.value(repeated), empty_value=0.0, full_value=1.0)


def test_more_coefficients_than_memory_is_given_to_are_refused() -> None:
    x = np.zeros((20_000, 180), bool)
    with pytest.raises(InvalidParameterError, match="at most 12000 coefficients, here are 16291") as caught:
        fit_joint(x, np.zeros(len(x)), p=0.5)
    assert caught.value.field == "estimator"
