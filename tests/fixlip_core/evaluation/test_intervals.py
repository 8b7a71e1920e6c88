"""Bootstrap intervals: what they cover, how they follow skewness, and where there are none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from fixlip_core.evaluation import intervals
from fixlip_core.evaluation.agreement import mean, pearson, r2, spearman
from fixlip_core.evaluation.intervals import Interval, Statistic, bootstrap_interval
from fixlip_core.types import FloatArray

REPEATS = 400


def _gaussian_pair(rng: np.random.Generator, rows: int) -> tuple[FloatArray, FloatArray]:
    x = rng.normal(size=rows)
    return x, 0.8 * x + 0.6 * rng.normal(size=rows)


# The Gaussian pair's correlation is .8, its rank correlation 6/pi asin(.4), and x predicts y with 1 - E(x - y)^2.
@pytest.mark.parametrize(
    ("statistic", "draw", "true", "least"),
    [
        pytest.param(mean, lambda rng: (rng.normal(size=8),), 0.0, 0.92, id="mean of few"),
        pytest.param(mean, lambda rng: (rng.exponential(size=30),), 1.0, 0.91, id="mean of a skew law"),
        pytest.param(pearson, lambda rng: _gaussian_pair(rng, 60), 0.8, 0.92, id="pearson"),
        pytest.param(spearman, lambda rng: _gaussian_pair(rng, 60), 6 / np.pi * np.arcsin(0.4), 0.92, id="spearman"),
        pytest.param(r2, lambda rng: _gaussian_pair(rng, 60)[::-1], 0.6, 0.92, id="r2"),
    ],
)
def test_intervals_cover_the_true_value_as_often_as_they_say(
    statistic: Statistic, draw: Callable[[np.random.Generator], tuple[FloatArray, ...]], true: float, least: float
) -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for seed in range(REPEATS):
        found = bootstrap_interval(statistic, *draw(rng), seed=seed, resamples=500)
        assert found is not None
        covered += found.low <= true <= found.high
    # Three standard errors of a share of .95 over so many repeats are .033.
    assert least <= covered / REPEATS <= 0.985


def test_an_interval_of_a_mean_is_that_of_student() -> None:
    values = np.random.default_rng(2).normal(size=200)
    found = bootstrap_interval(mean, values, seed=0, resamples=4_000)
    low, high = stats.t.interval(0.95, 199, values.mean(), stats.sem(values))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)
    narrower = bootstrap_interval(mean, values, seed=0, level=0.8)
    assert narrower is not None
    assert found.low < narrower.low < narrower.high < found.high


def test_an_interval_is_that_of_scipy_for_many_rows() -> None:
    x, y = _gaussian_pair(np.random.default_rng(3), 400)
    expected = stats.bootstrap(
        (x, y), lambda a, b: stats.pearsonr(a, b).statistic, paired=True, vectorized=False, n_resamples=800,
        rng=np.random.default_rng(0),
    ).confidence_interval  # fmt: skip
    found = bootstrap_interval(pearson, x, y, seed=0, resamples=4_000)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = _gaussian_pair(np.random.default_rng(4), 50)
    whole = bootstrap_interval(spearman, x, y, seed=5)
    monkeypatch.setattr(intervals, "_BLOCK_BYTES", 8 * 50 * 7)
    assert bootstrap_interval(spearman, x, y, seed=5) == whole
    assert bootstrap_interval(spearman, x, y, seed=6) != whole


def test_where_nothing_varies_the_interval_is_a_point() -> None:
    assert bootstrap_interval(mean, np.full(9, 0.5), seed=0) == Interval(0.5, 0.5)


def test_there_is_no_interval_of_one_row_or_of_no_value() -> None:
    assert bootstrap_interval(mean, np.array([1.0]), seed=0) is None
    assert bootstrap_interval(mean, np.array([]), seed=0) is None
    assert bootstrap_interval(pearson, np.arange(5.0), np.ones(5), seed=0) is None


def test_resamples_without_a_value_are_left_out() -> None:
    # Two rows: half of the resamples are constant, and without either row so is the rest.
    found = bootstrap_interval(pearson, np.array([0.0, 1.0]), np.array([0.0, 1.0]), seed=0)
    assert found == Interval(1.0, 1.0)
