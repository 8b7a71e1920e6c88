"""A fitted tower: its coefficients are those of its own surrogate, whichever way it was fitted."""

from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.coalitions import enumerate_product, sample_product
from fixlip_core.estimators import factored, kernels, surrogate
from fixlip_core.estimators.basis import features, pair_indices, symmetric
from fixlip_core.estimators.factored import FactoredFit, fit_towers
from fixlip_core.estimators.surrogate import TowerFit
from tests.fixlip_core.games import DualGame, smooth_tower, tower

PS = (0.3, 0.5, 0.7)
GAME = DualGame(smooth_tower(6, 7, 1), smooth_tower(4, 7, 2), 6, 9.0, -1.0)


def fitted(p: float) -> FactoredFit:
    image = tower(sample_product(6, 30, p, np.random.default_rng(3)), GAME.image, grid=(2, 3))
    return fit_towers(image, tower(enumerate_product(4, p), GAME.text), scale=GAME.scale, bias=GAME.bias)


def towers(p: float) -> list[TowerFit]:
    """One that is a process, one that is enumerated."""
    return [fitted(p).image, fitted(p).text]


@pytest.mark.parametrize("p", PS)
def test_coefficients_are_those_of_the_evaluated_surrogate(p: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "_PAIRS_PER_CHUNK", 4)
    monkeypatch.setattr(surrogate, "_ROWS_PER_CHUNK", 5)
    direction, root = np.random.default_rng(4).normal(size=7), np.random.default_rng(5).normal(size=(7, 3))
    for tower_fit in towers(p):
        n, everything = tower_fit.n, enumerate_product(tower_fit.n, p)
        values = tower_fit.evaluate(everything.coalitions)
        c = (features(everything.chi) * everything.weights[:, None]).T @ values
        pairs = c[n + 1 :]
        rows, columns = pair_indices(n)
        np.testing.assert_allclose(tower_fit.first, c[1 : n + 1], atol=1e-9)
        np.testing.assert_allclose(np.concatenate(list(tower_fit.pair_vectors())), pairs, atol=1e-9)
        np.testing.assert_allclose(tower_fit.pairs_along(direction)[rows, columns], pairs @ direction, atol=1e-9)
        np.testing.assert_allclose(tower_fit.pair_lengths(root), symmetric(((pairs @ root) ** 2).sum(1), n), atol=1e-9)
        sums = [pairs[(rows == i) | (columns == i)].sum(axis=0) for i in range(n)]
        np.testing.assert_allclose(tower_fit.pair_sums, sums, atol=1e-9)


@pytest.mark.parametrize("p", PS)
def test_values_are_the_games_own_where_all_was_passed(p: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(factored, "_ROWS_PER_CHUNK", 10)
    image, text = tower(enumerate_product(6, p), GAME.image), tower(enumerate_product(4, p), GAME.text)
    fit = fit_towers(image, text, scale=GAME.scale, bias=GAME.bias)
    joint = sample_product(10, 37, p, np.random.default_rng(6)).coalitions
    np.testing.assert_allclose(fit.evaluate(joint[:, :6], joint[:, 6:]), GAME.value(joint), atol=1e-12)


def test_values_of_a_process_are_close_to_the_games() -> None:
    fit = fitted(0.5)
    joint = enumerate_product(10, 0.5).coalitions
    truth, values = GAME.value(joint), fit.evaluate(joint[:, :6], joint[:, 6:])
    assert np.mean((truth - values) ** 2) < 0.2 * np.var(truth)
    assert fit.fit.coefficients.zero == pytest.approx(values.mean(), abs=0.05 * float(np.std(truth)))
