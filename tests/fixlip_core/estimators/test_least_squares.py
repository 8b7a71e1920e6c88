"""Oracle 5: the factored solve is dense weighted least squares over the same product sample."""

from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.coalitions import CoalitionSample, enumerate_product, sample_product
from fixlip_core.errors import InvalidParameterError
from fixlip_core.estimators.basis import features, symmetric, to_additive
from fixlip_core.estimators.exact import exact_additive
from fixlip_core.estimators.least_squares import fit_least_squares
from fixlip_core.estimators.tower import TowerSample
from fixlip_core.types import Coalitions, FloatArray
from tests.fixlip_core.games import BilinearGame, smooth_tower, tower

PS = (0.3, 0.5, 0.7)
SCALE, BIAS = 13.0, -2.5


def dense(image: TowerSample, text: TowerSample, p: float, order: int) -> tuple[float, FloatArray, FloatArray]:
    """Weighted least squares with the whole design matrix, on x itself rather than on chi."""
    rows = np.concatenate(
        [
            np.repeat(image.sample.coalitions, len(text.sample), axis=0),
            np.tile(text.sample.coalitions, (len(image.sample), 1)),
        ],
        axis=1,
    ).astype(float)
    value = (SCALE * image.embeddings @ text.embeddings.T + BIAS).ravel()
    root = np.sqrt(np.outer(image.sample.weights, text.sample.weights).ravel())
    design = features(rows, order)
    solved, *_ = np.linalg.lstsq(root[:, None] * design, root * value, rcond=None)
    n = rows.shape[1]
    return float(solved[0]), solved[1 : n + 1], symmetric(solved[n + 1 :], n) if order == 2 else np.zeros((n, n))


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("text_enumerated", [True, False])
@pytest.mark.parametrize("p", PS)
def test_equals_dense_weighted_least_squares(p: float, text_enumerated: bool, order: int) -> None:
    rng = np.random.default_rng(7)
    image_sample = sample_product(6, 90, p, rng)
    weights = rng.uniform(0.5, 1.5, 90)
    image_sample = CoalitionSample(image_sample.coalitions.copy(), weights / weights.sum(), p, exhaustive=False)
    text_sample = enumerate_product(4, p) if text_enumerated else sample_product(4, 150, p, rng)
    image, text = tower(image_sample, smooth_tower(6, 8, 8)), tower(text_sample, smooth_tower(4, 8, 9))
    fit = fit_least_squares(image, text, scale=SCALE, bias=BIAS, order=order)
    ours = to_additive(fit.coefficients, p, order=order)
    baseline, first, second = dense(image, text, p, order)
    np.testing.assert_allclose(ours.baseline, baseline, atol=1e-8)
    np.testing.assert_allclose(ours.first, first, atol=1e-8)
    np.testing.assert_allclose(ours.second, second, atol=1e-8)
    assert np.isnan(fit.first_std_error).all()
    assert np.isnan(fit.second_std_error).all()


@pytest.mark.parametrize("p", PS)
def test_both_modalities_enumerated_is_exact(p: float) -> None:
    image_tower, text_tower = smooth_tower(6, 8, 10), smooth_tower(4, 8, 11)
    image, text = tower(enumerate_product(6, p), image_tower), tower(enumerate_product(4, p), text_tower)
    ours = to_additive(fit_least_squares(image, text, scale=SCALE, bias=BIAS).coefficients, p)

    def value(x: Coalitions) -> FloatArray:
        return np.asarray(SCALE * np.einsum("md,md->m", image_tower(x[:, :6]), text_tower(x[:, 6:])) + BIAS)

    exact = exact_additive(value, 10, p)
    assert ours.baseline == pytest.approx(exact.baseline, abs=1e-9)
    np.testing.assert_allclose(ours.first, exact.first, atol=1e-9)
    np.testing.assert_allclose(ours.second, exact.second, atol=1e-9)


@pytest.mark.parametrize("p", PS)
def test_bilinear_game_is_recovered(p: float) -> None:
    game = BilinearGame.draw(7, 4, 5, seed=12)
    image = tower(sample_product(7, 200, p, np.random.default_rng(13)), game.image)
    text = tower(enumerate_product(4, p), game.text)
    ours = to_additive(fit_least_squares(image, text, scale=1.0, bias=0.0).coefficients, p)
    np.testing.assert_allclose(ours.second[:7, 7:], game.a @ game.b.T, atol=1e-9)
    np.testing.assert_allclose(ours.second[:7, :7], 0, atol=1e-9)
    np.testing.assert_allclose(ours.first, np.concatenate([game.a @ game.b0, game.b @ game.a0]), atol=1e-9)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("p", PS)
def test_independent_draws_in_both_towers_equal_dense_least_squares(p: float, order: int) -> None:
    """The published cross-modal estimator: no complementary pairs, equal weights, repeated rows and all."""
    rng = np.random.default_rng(17)
    image = tower(sample_product(6, 150, p, rng, complementary=False), smooth_tower(6, 8, 18))
    text = tower(sample_product(4, 80, p, rng, complementary=False), smooth_tower(4, 8, 19))
    ours = to_additive(fit_least_squares(image, text, scale=SCALE, bias=BIAS, order=order).coefficients, p, order=order)
    baseline, first, second = dense(image, text, p, order)
    assert ours.baseline == pytest.approx(baseline, abs=1e-8)
    np.testing.assert_allclose(ours.first, first, atol=1e-8)
    np.testing.assert_allclose(ours.second, second, atol=1e-8)


def test_two_players_in_one_tower_need_no_block_of_their_own() -> None:
    """With one image player the blocks of orders 1 and 2 are of one size, and solving one must not spoil the other."""
    image, text = (
        tower(enumerate_product(1, 0.5), smooth_tower(1, 4, 20)),
        tower(enumerate_product(3, 0.5), smooth_tower(3, 4, 21)),
    )
    ours = to_additive(fit_least_squares(image, text, scale=SCALE, bias=BIAS).coefficients, 0.5)
    _, first, second = dense(image, text, 0.5, 2)
    np.testing.assert_allclose(ours.first, first, atol=1e-8)
    np.testing.assert_allclose(ours.second, second, atol=1e-8)


def test_too_many_coefficients_are_refused() -> None:
    sample = sample_product(170, 4, 0.5, np.random.default_rng(22))
    image = TowerSample(sample, np.ones((4, 1)), np.zeros((170, 1)))
    with pytest.raises(InvalidParameterError, match="at most 12000 coefficients, here are 14536") as caught:
        fit_least_squares(image, tower(enumerate_product(2, 0.5), smooth_tower(2, 1, 23)), scale=1.0, bias=0.0)
    assert caught.value.field == "estimator"


def test_too_few_passes_are_refused_with_the_number_needed() -> None:
    image = tower(sample_product(10, 30, 0.5, np.random.default_rng(14)), smooth_tower(10, 4, 15))
    text = tower(enumerate_product(3, 0.5), smooth_tower(3, 4, 16))
    with pytest.raises(InvalidParameterError, match="56 image coefficients") as caught:
        fit_least_squares(image, text, scale=1.0, bias=0.0)
    assert caught.value.field == "budget"
