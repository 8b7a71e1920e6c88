from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from fixlip_core.comparison.measures import agreement
from fixlip_core.types import FloatArray


def random(seed: int, shape: tuple[int, ...] = (40,)) -> FloatArray:
    return np.random.default_rng(seed).normal(size=shape)


def test_an_explanation_agrees_with_itself_in_other_units() -> None:
    values = random(0)
    found = agreement((0, 1), "image", values, 1e-9 * values)
    measures = (found.spearman, found.kendall, found.cosine, found.top_overlap)
    np.testing.assert_allclose(measures, 1.0)
    assert (found.n, found.top_k, found.note) == (40, 4, None)


def test_the_opposite_agrees_in_strength_alone() -> None:
    values = random(0)
    found = agreement((0, 1), "image", values, -values)
    np.testing.assert_allclose((found.spearman, found.kendall, found.cosine), -1.0)
    assert found.top_overlap == 1.0


@pytest.mark.parametrize("seed", range(3))
def test_ranks_are_scipys_with_ties_too(seed: int) -> None:
    a, b = np.round(random(seed), 1), np.round(random(seed) + random(seed + 9), 1)
    found = agreement((0, 1), "text", a, b)
    assert found.spearman == pytest.approx(stats.spearmanr(a, b).statistic)
    assert found.kendall == pytest.approx(stats.kendalltau(a, b).statistic)


def test_kendall_by_hand() -> None:
    """Of three pairs two are in order: (2 - 1) / 3."""
    found = agreement((0, 1), "text", np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]))
    assert found.kendall == pytest.approx(1 / 3)
    assert found.spearman == pytest.approx(0.5)


def test_two_players_have_an_order() -> None:
    found = agreement((0, 1), "text", np.array([1.0, 2.0]), np.array([5.0, -5.0]))
    assert (found.kendall, found.spearman, found.top_k) == (-1.0, -1.0, 1)


def test_the_strongest_are_shared_by_absolute_value() -> None:
    a, b = np.zeros(20), np.zeros(20)
    a[[3, 5]], b[[5, 8]] = (-9, 8), (7, -6)
    found = agreement((0, 1), "image", a, b)
    assert found.top_k == 2
    assert found.top_overlap == pytest.approx(1 / 3)


def test_matrices_are_compared_pair_by_pair() -> None:
    a, b = random(0, (6, 3)), random(1, (6, 3))
    found = agreement((0, 1), "pairs", a, b)
    assert (found.n, found.top_k) == (18, 2)
    assert found.cosine == pytest.approx(float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)))


def test_no_values_of_pairs() -> None:
    found = agreement((0, 1), "pairs", random(0), None)
    assert found.n == 0
    assert all(map(math.isnan, (found.spearman, found.kendall, found.cosine, found.top_overlap)))
    assert found.note == "an explanation has no values of pairs"


def test_nothing_but_zeros() -> None:
    found = agreement((0, 1), "image", random(0), np.zeros(40))
    assert (found.n, found.note) == (40, "all values of an explanation are zero")
    assert all(map(math.isnan, (found.spearman, found.kendall, found.cosine, found.top_overlap)))


@pytest.mark.parametrize(("a", "b"), [([2.0], [-3.0]), ([1.0, 1.0], [-1.0, -3.0])])
def test_what_has_no_ranks_may_have_a_direction(a: list[float], b: list[float]) -> None:
    found = agreement((0, 1), "text", np.array(a), np.array(b))
    assert math.isnan(found.spearman)
    assert math.isnan(found.kendall)
    assert found.cosine < -0.8
    assert found.note is not None
    assert "no ranks" in found.note


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_any_scale(scale: float) -> None:
    found = agreement((0, 1), "image", scale * random(0), random(0))
    assert found.cosine == pytest.approx(1.0)
