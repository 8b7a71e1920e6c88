"""Oracles 3, 4 and 9 for FSII and Shapley values: a dense constrained solve, algebra, and a peer library."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import shapiq

from fixlip_core.coalitions import CoalitionSample, enumerate_product, enumerate_shapley, sample_product
from fixlip_core.errors import InvalidParameterError
from fixlip_core.estimators import shapley
from fixlip_core.estimators.basis import Additive
from fixlip_core.estimators.exact import exact_shapley
from fixlip_core.estimators.factored import FactoredFit, fit_towers
from fixlip_core.estimators.shapley import fit_shapley, solve_shapley
from fixlip_core.types import Coalitions, FloatArray
from tests.fixlip_core.games import BilinearGame, DualGame, dense_shapley, smooth_tower, tower, unanimity

PS = (0.3, 0.5, 0.7)


def rough(n: int, seed: int) -> DualGame:
    """A dual-tower game of all orders, of n players."""
    n_text = max(n // 3, 1)
    return DualGame(smooth_tower(n - n_text, 8, seed), smooth_tower(n_text, 8, seed + 1), n - n_text, 9.0, -1.0)


def ends(game: DualGame, n: int) -> tuple[float, float]:
    empty, full = game.value(np.stack([np.zeros(n, bool), np.ones(n, bool)]))
    return float(empty), float(full)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("n", [2, 3, 4, 5, 8])
def test_closed_form_is_the_dense_constrained_solution(n: int, order: int) -> None:
    game, sample = rough(n, 1), enumerate_shapley(n)
    empty, full = ends(game, n)
    expected = dense_shapley(sample.coalitions, game.value(sample.coalitions), sample.weights, empty, full, order)
    found = exact_shapley(game.value, n, order=order)
    np.testing.assert_allclose(found.first, expected.first, atol=1e-10)
    np.testing.assert_allclose(found.second, expected.second, atol=1e-10)
    assert found.baseline == pytest.approx(empty)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("p", PS)
def test_enumerated_towers_give_the_games_own(p: float, order: int) -> None:
    game = rough(10, 2)
    found = fit_shapley(
        enumerated(game, 10, p), empty_value=ends(game, 10)[0], full_value=ends(game, 10)[1], order=order
    )
    exact = exact_shapley(game.value, 10, order=order)
    np.testing.assert_allclose(found.first, exact.first, atol=1e-10)
    np.testing.assert_allclose(found.second, exact.second, atol=1e-10)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_smallest_games_have_a_solution(n: int) -> None:
    game = rough(n, 10)
    empty, full = ends(game, n)
    found = fit_shapley(enumerated(game, n, 0.5), empty_value=empty, full_value=full)
    exact = exact_shapley(game.value, n)
    np.testing.assert_allclose(found.first, exact.first, atol=1e-12)
    np.testing.assert_allclose(found.second, exact.second, atol=1e-12)


def test_many_players_need_no_more_nodes_than_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the nodes of the exact rule the integrand has nothing left, at any p of the basis."""
    game = DualGame(smooth_tower(100, 16, 11), smooth_tower(12, 16, 12), 100, 9.0, -1.0)
    for p in (0.1, 0.5):
        rng = np.random.default_rng(13)
        image = tower(sample_product(100, 120, p, rng), game.image, grid=(10, 10))
        text = tower(sample_product(12, 80, p, rng), game.text)
        fitted = fit_towers(image, text, scale=game.scale, bias=game.bias)
        few = fit_shapley(fitted, empty_value=0.0, full_value=1.0)
        monkeypatch.setattr(shapley, "_MAX_NODES", 56)
        all_nodes = fit_shapley(fitted, empty_value=0.0, full_value=1.0)
        monkeypatch.undo()
        np.testing.assert_allclose(few.first, all_nodes.first, atol=1e-9)
        np.testing.assert_allclose(few.second, all_nodes.second, atol=1e-9)


def enumerated(game: DualGame, n: int, p: float) -> FactoredFit:
    image = tower(enumerate_product(game.n_image, p), game.image)
    text = tower(enumerate_product(n - game.n_image, p), game.text)
    return fit_towers(image, text, scale=game.scale, bias=game.bias)


@pytest.mark.parametrize("text_enumerated", [True, False])
@pytest.mark.parametrize("p", PS)
def test_surrogates_fsii_is_that_of_all_their_values(p: float, text_enumerated: bool) -> None:
    """The quadrature over products of means against the surrogate evaluated on every coalition."""
    game, rng = rough(9, 3), np.random.default_rng(4)
    texts = enumerate_product(3, p) if text_enumerated else sample_product(3, 7, p, rng)
    image, text = tower(sample_product(6, 24, p, rng), game.image, grid=(2, 3)), tower(texts, game.text)
    fitted = fit_towers(image, text, scale=game.scale, bias=game.bias)

    def surrogate(x: Coalitions) -> FloatArray:
        return fitted.evaluate(x[:, :6], x[:, 6:])

    empty, full = surrogate(np.stack([np.zeros(9, bool), np.ones(9, bool)]))
    found = fit_shapley(fitted, empty_value=float(empty), full_value=float(full))
    exact = exact_shapley(surrogate, 9)
    np.testing.assert_allclose(found.first, exact.first, atol=1e-9)
    np.testing.assert_allclose(found.second, exact.second, atol=1e-9)
    # Ends of the game's own move what efficiency shares out, and nothing else: the surrogate stands in between.
    moved = fit_shapley(fitted, empty_value=float(empty), full_value=float(full) + 1.0)
    steps = np.concatenate([moved.first - found.first, (moved.second - found.second)[np.triu_indices(9, 1)]])
    assert steps.sum() == pytest.approx(1.0)
    assert np.ptp(steps[:9]) < 1e-9
    assert np.ptp(steps[9:]) < 1e-9


@pytest.mark.parametrize("order", [1, 2])
def test_efficiency_holds_exactly(order: int) -> None:
    rng = np.random.default_rng(5)
    for n in (2, 3, 7, 40, 216):
        pairs = rng.normal(size=(n, n))
        first, second = solve_shapley(rng.normal(size=n), pairs + pairs.T, 17.25, order=order)
        assert first.sum() + second.sum() / 2 == pytest.approx(17.25, abs=1e-8)


def test_unanimity_of_three() -> None:
    found = exact_shapley(unanimity, 5)
    members = np.ix_(range(3), range(3))
    np.testing.assert_allclose(found.second[members], 0.5 * (1 - np.eye(3)), atol=1e-12)
    np.testing.assert_allclose(found.first[:3], -1 / 6, atol=1e-12)
    np.testing.assert_allclose(found.first[3:], 0, atol=1e-12)
    np.testing.assert_allclose(found.second[3:], 0, atol=1e-12)
    np.testing.assert_allclose(exact_shapley(unanimity, 5, order=1).first, [1 / 3] * 3 + [0, 0], atol=1e-12)


@pytest.mark.parametrize("p", PS)
def test_order_two_games_are_their_own_fsii(p: float) -> None:
    game = BilinearGame.draw(5, 4, 3, seed=6)
    image, text = tower(enumerate_product(5, p), game.image), tower(enumerate_product(4, p), game.text)
    empty, full = game.value(np.stack([np.zeros(9, bool), np.ones(9, bool)]))
    fitted = fit_towers(image, text, scale=1.0, bias=0.0)
    found = fit_shapley(fitted, empty_value=float(empty), full_value=float(full))
    np.testing.assert_allclose(found.second[:5, 5:], game.a @ game.b.T, atol=1e-9)
    np.testing.assert_allclose(found.second[:5, :5], 0, atol=1e-9)
    np.testing.assert_allclose(found.first, np.concatenate([game.a @ game.b0, game.b @ game.a0]), atol=1e-9)
    assert found.baseline == pytest.approx(game.a0 @ game.b0)


@pytest.mark.parametrize(("index", "order"), [("FSII", 2), ("SV", 1)])
def test_peer_library_agrees_on_a_dual_tower_game_of_ten_players(index: Literal["FSII", "SV"], order: int) -> None:
    game = rough(10, 7)
    empty, full = ends(game, 10)

    peer = shapiq.ExactComputer(game=game.value, n_players=10)(index, order=order)
    found = fit_shapley(enumerated(game, 10, 0.5), empty_value=empty, full_value=full, order=order)
    for i in range(10):
        assert found.first[i] == pytest.approx(peer[(i,)], abs=1e-6)
        for j in range(i if order == 2 else 0):
            assert found.second[i, j] == pytest.approx(peer[(i, j)], abs=1e-6)


def test_tower_samples_of_the_kernels_own_law_are_taken() -> None:
    """Coalitions of another law than the product's: the fit's basis is that of p = 1/2 all the same."""
    game, rng = rough(12, 8), np.random.default_rng(9)
    empty, full = ends(game, 12)
    sizes = rng.choice(np.arange(9), size=160)
    rows = rng.permuted(np.tile(np.arange(8), (160, 1)), axis=1) < sizes[:, None]
    sample = CoalitionSample(rows, np.full(160, 1 / 160), 0.5, exhaustive=False)
    text = tower(enumerate_product(4, 0.5), game.text)
    fitted = fit_towers(tower(sample, game.image, grid=(2, 4)), text, scale=game.scale, bias=game.bias)
    found = fit_shapley(fitted, empty_value=empty, full_value=full)
    exact = exact_shapley(game.value, 12)
    assert correlation(found, exact) > 0.98


def correlation(one: Additive, two: Additive) -> float:
    above = np.triu_indices(len(one.first), 1)
    return float(np.corrcoef(one.second[above], two.second[above])[0, 1])


def test_no_sizes_between_none_and_all_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="at least 2 players") as caught:
        exact_shapley(lambda x: x[:, 0].astype(float), 1)
    assert caught.value.field == "n"
