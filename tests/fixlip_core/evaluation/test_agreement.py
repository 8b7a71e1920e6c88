"""Weighted by counts, every statistic is that of the rows repeated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from fixlip_core.evaluation.agreement import mean, pearson, r2, spearman
from fixlip_core.types import FloatArray

ROWS = 40


def _columns(*, ties: bool) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=ROWS)
    y = x + rng.normal(size=ROWS)
    return (np.round(x), np.round(y)) if ties else (x, y)


@pytest.mark.parametrize("ties", [False, True])
def test_figures_are_those_of_the_repeated_rows(ties: bool) -> None:
    x, y = _columns(ties=ties)
    counts = np.random.default_rng(1).multinomial(ROWS, np.full(ROWS, 1 / ROWS), size=6).astype(float)
    for k, row in enumerate(counts):
        a, b = (np.repeat(column, row.astype(int)) for column in (x, y))
        assert mean(counts, x)[k] == pytest.approx(a.mean())
        assert r2(counts, x, y)[k] == pytest.approx(1 - np.sum((a - b) ** 2) / np.sum((a - a.mean()) ** 2))
        assert pearson(counts, x, y)[k] == pytest.approx(stats.pearsonr(a, b).statistic)
        assert spearman(counts, x, y)[k] == pytest.approx(stats.spearmanr(a, b).statistic)


def test_constant_columns_have_no_value() -> None:
    x, flat, all_rows = np.arange(7.0), np.full(7, 0.1), np.ones((1, 7))
    for statistic in (pearson, spearman):
        assert np.isnan(statistic(all_rows, x, flat))
        assert np.isnan(statistic(all_rows, flat, x))
    assert np.isnan(r2(all_rows, flat, x))
    assert r2(all_rows, x, np.full(7, 3.0)) == pytest.approx(0.0)


def test_a_resample_of_one_row_has_no_value() -> None:
    x, y = _columns(ties=False)
    one = np.zeros((1, ROWS))
    one[0, 3] = ROWS
    for statistic in (pearson, spearman, r2):
        assert np.isnan(statistic(one, 1e3 + x, y))
