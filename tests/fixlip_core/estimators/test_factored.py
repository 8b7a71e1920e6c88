"""The factored Gaussian-process estimator: oracles, propagated variances, honesty of its own estimates."""

from __future__ import annotations

import numpy as np
import pytest
import shapiq

from fixlip_core.coalitions import CoalitionSample, enumerate_product, sample_product
from fixlip_core.errors import InvalidParameterError
from fixlip_core.estimators.basis import pair_indices, to_additive
from fixlip_core.estimators.exact import exact_additive
from fixlip_core.estimators.factored import fit_towers
from fixlip_core.types import FloatArray
from tests.fixlip_core.games import BilinearGame, DualGame, smooth_tower, tower

PS = (0.3, 0.5, 0.7)


@pytest.mark.parametrize("p", PS)
def test_bilinear_game_is_recovered_with_r2_of_one(p: float) -> None:
    game = BilinearGame.draw(12, 4, 5, seed=0)
    image = tower(sample_product(12, 80, p, np.random.default_rng(1)), game.image, grid=(3, 4))
    text = tower(enumerate_product(4, p), game.text)
    fit = fit_towers(image, text, scale=1.0, bias=0.0).fit
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
    fit = fit_towers(image, text, scale=9.0, bias=-1.0, order=order).fit

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


def test_peer_library_agrees_on_a_dual_tower_game_of_ten_players() -> None:
    game = DualGame(smooth_tower(6, 8, 14), smooth_tower(4, 8, 15), 6, 9.0, -1.0)
    image, text = tower(enumerate_product(6, 0.5), game.image), tower(enumerate_product(4, 0.5), game.text)
    fit = fit_towers(image, text, scale=game.scale, bias=game.bias).fit
    ours = to_additive(fit.coefficients, 0.5)
    peer = shapiq.ExactComputer(game=game.value, n_players=10)("FBII", order=2)
    for i in range(10):
        assert ours.first[i] == pytest.approx(peer[(i,)], abs=1e-6)
        for j in range(i):
            assert ours.second[i, j] == pytest.approx(peer[(i, j)], abs=1e-6)


@pytest.mark.parametrize("p", PS)
def test_standard_errors_cover_on_a_smooth_game(p: float) -> None:
    n, n_text = 16, 4
    encode_image, encode_text = smooth_tower(n, 24, 7), smooth_tower(n_text, 24, 8)
    text = tower(enumerate_product(n_text, p), encode_text)
    full = tower(enumerate_product(n, p), encode_image, grid=(4, 4))
    truth = to_additive(fit_towers(full, text, scale=10.0, bias=0.0).fit.coefficients, p)
    inside = []
    for seed in range(6):
        image = tower(sample_product(n, 96, p, np.random.default_rng([9, seed])), encode_image, grid=(4, 4))
        fit = fit_towers(image, text, scale=10.0, bias=0.0).fit
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
    one, two = (fit_towers(image, text, scale=5.0, bias=0.0).fit for _ in range(2))
    np.testing.assert_array_equal(one.coefficients.second, two.coefficients.second)
    np.testing.assert_array_equal(one.second_std_error, two.second_std_error)


def test_constant_embeddings_are_no_trouble() -> None:
    sample = sample_product(5, 12, 0.5, np.random.default_rng(13))
    image = tower(sample, lambda x: np.tile([1.0, 0.0], (len(x), 1)))
    text = tower(enumerate_product(2, 0.5), lambda x: np.tile([1.0, 0.0], (len(x), 1)))
    fit = fit_towers(image, text, scale=3.0, bias=0.0).fit
    assert fit.coefficients.zero == pytest.approx(3.0)
    assert not fit.coefficients.first.any()
    assert np.isnan(fit.estimated_r2)
    assert isinstance(sample, CoalitionSample)


@pytest.mark.parametrize("p", [1e-4, 0.003, 0.999])
def test_p_near_its_ends_is_refused_for_few_coalitions(p: float) -> None:
    image = tower(sample_product(9, 512, p, np.random.default_rng(14)), smooth_tower(9, 6, 15), grid=(3, 3))
    text = tower(enumerate_product(3, p), smooth_tower(3, 6, 16))
    with pytest.raises(
        InvalidParameterError, match="512 image coalitions.*never " + ("present" if p < 0.5 else "abs")
    ) as caught:
        fit_towers(image, text, scale=5.0, bias=0.0)
    assert caught.value.field == "p"


@pytest.mark.parametrize(("p", "m"), [(0.3, 8), (0.7, 8), (0.7, 9), (0.75, 12)])
@pytest.mark.parametrize("seed", range(4))
def test_players_that_never_varied_have_errors_like_the_values_of_others(p: float, m: int, seed: int) -> None:
    sample = sample_product(36, m, p, np.random.default_rng([17, seed]))
    image = tower(sample, smooth_tower(36, 6, 18), grid=(6, 6))
    fit = fit_towers(image, tower(enumerate_product(3, p), smooth_tower(3, 6, 19)), scale=5.0, bias=0.0).fit
    values = to_additive(fit.coefficients, p)
    assert np.isfinite(values.second).all()
    varied = np.ptp(sample.coalitions.astype(int), axis=0) > 0
    errors = fit.first_std_error[:36][~varied]
    assert varied.any()
    assert (errors > np.sqrt(np.mean(values.first[:36][varied] ** 2)) / 3).all()


@pytest.mark.parametrize("p", [1e-300, 1 - 1e-12])
def test_p_that_float64_cannot_tell_from_its_ends_is_refused(p: float) -> None:
    image, text = (
        tower(enumerate_product(3, p), smooth_tower(3, 6, 15)),
        tower(enumerate_product(3, p), smooth_tower(3, 6, 16)),
    )
    with pytest.raises(InvalidParameterError, match="1e-09") as caught:
        fit_towers(image, text, scale=5.0, bias=0.0)
    assert caught.value.field == "p"


def test_all_coalitions_are_enough_at_any_other_p() -> None:
    p, encode = 1e-8, smooth_tower(3, 6, 15)
    text = tower(enumerate_product(1, p), lambda x: np.ones((len(x), 6)))
    fit = fit_towers(tower(enumerate_product(3, p), encode), text, scale=1.0, bias=0.0).fit
    ends = encode(np.concatenate([np.zeros((1, 3), bool), np.eye(3, dtype=bool)])).sum(axis=1)
    np.testing.assert_allclose(to_additive(fit.coefficients, p).first[:3], ends[1:] - ends[0], atol=1e-5)
