"""Moments under product measures: closed forms against sums over every coalition."""

from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.coalitions import enumerate_product, sample_product
from fixlip_core.estimators.factored import fit_towers
from fixlip_core.estimators.presence import moments_of
from tests.fixlip_core.games import smooth_tower, tower


@pytest.mark.parametrize("t", [0.01, 0.2, 0.5, 0.95])
@pytest.mark.parametrize("p", [0.3, 0.5, 0.7])
def test_moments_are_the_surrogates_means(p: float, t: float) -> None:
    image = tower(sample_product(6, 30, p, np.random.default_rng(0)), smooth_tower(6, 5, 1), grid=(2, 3))
    fit = fit_towers(image, tower(enumerate_product(4, p), smooth_tower(4, 5, 2)), scale=3.0, bias=0.0)
    direction = np.random.default_rng(3).normal(size=5)
    for fitted in (fit.image, fit.text):
        everything = enumerate_product(fitted.n, t)
        values, x = fitted.evaluate(everything.coalitions), everything.coalitions.astype(float)
        weighted = values * everything.weights[:, None]
        found = moments_of(fitted)(t)
        np.testing.assert_allclose(found.mean, weighted.sum(axis=0), atol=1e-11)
        np.testing.assert_allclose(found.present(), x.T @ weighted, atol=1e-11)
        along = found.present(direction[:, None])
        np.testing.assert_allclose(along[:, 0], x.T @ weighted @ direction, atol=1e-11)
        pairs = np.einsum("mi,mj,m->ij", x, x, weighted @ direction)
        above = np.triu_indices(fitted.n, 1)
        np.testing.assert_allclose(found.together(direction)[above], pairs[above], atol=1e-11)
