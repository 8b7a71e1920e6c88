"""Oracles 1, 2, 3 and 9: exact interactions against algebra, definitions and a peer library."""

from __future__ import annotations

import numpy as np
import pytest
import shapiq

from fixlip_core.coalitions import enumerate_product
from fixlip_core.errors import InvalidParameterError
from fixlip_core.estimators.exact import exact_additive
from fixlip_core.types import Coalitions, FloatArray
from tests.fixlip_core.games import BilinearGame, smooth_tower, unanimity

PS = (0.3, 0.5, 0.7)


@pytest.mark.parametrize("p", PS)
def test_bilinear_game_has_its_own_products_as_interactions(p: float) -> None:
    game = BilinearGame.draw(5, 4, 3, seed=1)
    values = exact_additive(game.value, 9, p)
    cross = values.second[:5, 5:]
    np.testing.assert_allclose(cross, game.a @ game.b.T, atol=1e-10)
    np.testing.assert_allclose(values.second[:5, :5], 0, atol=1e-10)
    np.testing.assert_allclose(values.second[5:, 5:], 0, atol=1e-10)
    np.testing.assert_allclose(values.first, np.concatenate([game.a @ game.b0, game.b @ game.a0]), atol=1e-10)
    assert values.baseline == pytest.approx(game.a0 @ game.b0)


@pytest.mark.parametrize("p", PS)
def test_interactions_are_mean_differences(p: float) -> None:
    n = 8
    encode = smooth_tower(n, 1, seed=2)
    rng = np.random.default_rng(3)
    table = rng.normal(size=2**n) + encode(enumerate_product(n, p).coalitions)[:, 0]
    powers = 2 ** np.arange(n)

    def value(x: Coalitions) -> FloatArray:
        return np.asarray(table[x @ powers])

    sample = enumerate_product(n, p)
    e = exact_additive(value, n, p)

    def mean_at(**fixed: bool) -> float:
        x = sample.coalitions.copy()
        for name, state in fixed.items():
            x[:, int(name[1:])] = state
        return float(sample.weights @ value(x))

    for i in range(n):
        first = mean_at(**{f"x{i}": True}) - mean_at(**{f"x{i}": False})
        assert e.first[i] + p * e.second[i].sum() == pytest.approx(first, abs=1e-10)
        for j in range(i):
            corners = [(a, b) for a in (True, False) for b in (True, False)]
            second = sum((1 if a == b else -1) * mean_at(**{f"x{i}": a, f"x{j}": b}) for a, b in corners)
            assert e.second[i, j] == pytest.approx(second, abs=1e-10)
    mean = e.baseline + p * e.first.sum() + p**2 * e.second.sum() / 2
    assert mean == pytest.approx(float(sample.weights @ value(sample.coalitions)), abs=1e-10)


@pytest.mark.parametrize("p", PS)
def test_unanimity_of_three(p: float) -> None:
    n = 5
    e = exact_additive(unanimity, n, p)
    members = np.ix_(range(3), range(3))
    np.testing.assert_allclose(e.second[members], p * (1 - np.eye(3)), atol=1e-12)
    np.testing.assert_allclose(e.first[:3], -(p**2), atol=1e-12)
    np.testing.assert_allclose(e.first[3:], 0, atol=1e-12)
    np.testing.assert_allclose(e.second[3:], 0, atol=1e-12)
    assert e.baseline == pytest.approx(p**3)
    sample = enumerate_product(n, p)
    truth = unanimity(sample.coalitions)
    x = sample.coalitions.astype(float)
    predicted = e.baseline + x @ e.first + np.einsum("mi,ij,mj->m", x, e.second, x) / 2
    spread = truth - sample.weights @ truth
    r2 = 1 - sample.weights @ (truth - predicted) ** 2 / (sample.weights @ spread**2)
    assert r2 == pytest.approx(1 - (1 - p) ** 3 / (1 - p**3))


@pytest.mark.parametrize("n", [4, 7, 10])
def test_peer_library_agrees_at_one_half(n: int) -> None:
    encode = smooth_tower(n, 1, seed=4)
    table = np.random.default_rng(5).normal(size=2**n)
    powers = 2 ** np.arange(n)

    def value(x: Coalitions) -> FloatArray:
        return np.asarray(table[np.asarray(x, dtype=int) @ powers] + encode(np.asarray(x, dtype=bool))[:, 0])

    peer = shapiq.ExactComputer(game=value, n_players=n)("FBII", order=2)
    ours = exact_additive(value, n, 0.5)
    for i in range(n):
        assert ours.first[i] == pytest.approx(peer[(i,)], abs=1e-8)
        for j in range(i + 1, n):
            assert ours.second[i, j] == pytest.approx(peer[(i, j)], abs=1e-8)


@pytest.mark.parametrize("p", PS)
def test_order_one_is_the_mean_marginal_contribution(p: float) -> None:
    game = BilinearGame.draw(3, 3, 2, seed=6)
    second, first = exact_additive(game.value, 6, p), exact_additive(game.value, 6, p, order=1)
    np.testing.assert_allclose(first.first, second.first + p * second.second.sum(axis=1), atol=1e-12)
    assert not first.second.any()


def test_too_many_players_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="at most 20"):
        exact_additive(lambda x: x[:, 0].astype(float), 21, 0.5)
