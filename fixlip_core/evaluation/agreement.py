"""How well one column agrees with another, of many resamples at once: see :data:`.intervals.Statistic`."""

from __future__ import annotations

import numpy as np

from fixlip_core.types import FloatArray

__all__ = ["mean", "pearson", "r2", "spearman"]


def mean(counts: FloatArray, values: FloatArray) -> FloatArray:
    """(b,) means of (m,) values."""
    return np.asarray(counts @ values / counts.sum(axis=1))


def r2(counts: FloatArray, truth: FloatArray, predicted: FloatArray) -> FloatArray:
    """(b,) R^2 = 1 - SSE / SST of (m,) predicted for (m,) true values; nan where the truth is constant."""
    missed = counts @ np.square(truth - predicted)
    total = _variances(counts, truth)
    return np.asarray(1 - np.divide(missed, total, out=np.full_like(total, np.nan), where=total > 0))


def pearson(counts: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """(b,) correlations of (m,) columns; nan where one of them is constant."""
    x, y = x - x.mean(), y - y.mean()
    shared = counts @ (x * y) - (counts @ x) * (counts @ y) / counts.sum(axis=1)
    return _correlation(shared, _variances(counts, x), _variances(counts, y))


def spearman(counts: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """(b,) rank correlations of (m,) columns, equal values sharing their mean rank; nan where one is constant.

    Ranks are those within each resample: a bootstrap of the whole sample's ranks would take the margins for known, and
    its intervals would be those of another statistic. No resample is sorted, though: in the order of the whole sample,
    a rank is a running sum of counts.
    """
    a, b = (_centred_ranks(counts, column) for column in (x, y))
    shared, of_a, of_b = (np.einsum("bm,bm,bm->b", counts, left, right) for left, right in ((a, b), (a, a), (b, b)))
    return _correlation(shared, of_a, of_b)


def _variances(counts: FloatArray, values: FloatArray) -> FloatArray:
    """(b,) sums of squares about the mean; exactly 0 where all values of a resample are equal."""
    centred = values - values.mean()
    squares = counts @ np.square(centred)
    spread = squares - np.square(counts @ centred) / counts.sum(axis=1)
    # What rounding leaves of nothing is no variance.
    return np.asarray(np.where(spread > 1e-12 * squares, spread, 0.0))


def _correlation(shared: FloatArray, of_x: FloatArray, of_y: FloatArray) -> FloatArray:
    scale = np.sqrt(of_x * of_y)
    found = np.divide(shared, scale, out=np.full_like(scale, np.nan), where=scale > 0)
    return np.asarray(np.clip(found, -1.0, 1.0))


def _centred_ranks(counts: FloatArray, values: FloatArray) -> FloatArray:
    """(b, m) each row's rank among the rows of the resample, less the mean rank."""
    order = np.argsort(values, kind="stable")
    begins = np.flatnonzero(np.append(True, np.diff(values[order]) > 0))
    sizes = np.add.reduceat(counts[:, order], begins, axis=1)
    middle = np.cumsum(sizes, axis=1) - (sizes - 1) / 2 - (counts.sum(axis=1, keepdims=True) + 1) / 2
    group = np.empty(len(values), np.intp)
    group[order] = np.repeat(np.arange(len(begins)), np.diff(np.append(begins, len(values))))
    return np.asarray(middle[:, group])
