"""Bootstrap intervals of statistics over rows: of a mean, a correlation, an R^2."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from fixlip_core.types import FloatArray

__all__ = ["Interval", "Statistic", "bootstrap_interval"]

Statistic: TypeAlias = Callable[..., FloatArray]
"""``(counts, *columns) -> (b,)``: the statistic of b resamples at once.

Row k of ``counts``, (b, m), says how many times each of the m rows is in resample k; each column is of shape (m,).
"""

# Mixed into the caller's seed: resamples are not to depend on what drew the data.
_STREAM = 0x626F6F74
_BLOCK_BYTES = 8 * 2**20
_GROUPS = 200


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, both ends included."""

    low: float
    high: float


def bootstrap_interval(
    statistic: Statistic, *columns: FloatArray, seed: int, resamples: int = 1_000, level: float = 0.95
) -> Interval | None:
    """Confidence interval of a statistic of independent rows.

    Rows are drawn with replacement, the same for all columns. The interval is the bias-corrected and accelerated one
    (BCa; Efron 1987, J. Am. Stat. Assoc. 82:171), which follows the skewness of a bounded statistic near its bound;
    the acceleration is that of the jackknife over at most 200 groups of rows. As the bootstrap's own intervals are
    too narrow for few rows, the normal quantiles are replaced by sqrt(n / (n - 1)) times Student's (Hesterberg 2015,
    Am. Stat. 69:371): then the interval of a mean of normal values has about the t interval's length.

    Args:
        statistic: what the interval is of, of many resamples at once.
        columns: (m,) each; row k of all of them belongs together.
        seed: draws the resamples.
        resamples: how many.
        level: probability with which the interval is to cover the true value.

    Returns:
        The interval; None where there is none, with less than two rows or a statistic without value.
    """
    rows = len(columns[0])
    if rows < 2 or np.isnan(estimate := float(statistic(np.ones((1, rows)), *columns)[0])):
        return None
    drawn = _resampled(statistic, columns, seed, resamples)
    if not len(drawn):
        return None
    ends = np.quantile(drawn, _shares(drawn, estimate, _left_out(statistic, columns), rows, level))
    return Interval(float(ends[0]), float(ends[1]))


def _resampled(statistic: Statistic, columns: tuple[FloatArray, ...], seed: int, resamples: int) -> FloatArray:
    """(resamples,) the statistic of each, in blocks; those without a value are left out."""
    rows = len(columns[0])
    rng = np.random.default_rng([_STREAM, seed])
    size = max(1, _BLOCK_BYTES // (8 * rows))
    parts = []
    for start in range(0, resamples, size):
        b = min(size, resamples - start)
        picks = rng.integers(rows, size=(b, rows)) + rows * np.arange(b)[:, None]
        counts = np.bincount(picks.ravel(), minlength=b * rows).reshape(b, rows).astype(np.float64)
        parts.append(statistic(counts, *columns))
    return _with_value(parts)


def _left_out(statistic: Statistic, columns: tuple[FloatArray, ...]) -> FloatArray:
    """(groups,) the statistic without each group of rows, where it has a value."""
    rows = len(columns[0])
    groups = min(rows, _GROUPS)
    counts = (np.arange(rows) % groups != np.arange(groups)[:, None]).astype(np.float64)
    size = max(1, _BLOCK_BYTES // (8 * rows))
    return _with_value([statistic(counts[start : start + size], *columns) for start in range(0, groups, size)])


def _with_value(parts: list[FloatArray]) -> FloatArray:
    values = np.concatenate(parts)
    return np.asarray(values[~np.isnan(values)])


def _shares(drawn: FloatArray, estimate: float, left_out: FloatArray, rows: int, level: float) -> FloatArray:
    """(2,) the shares of resamples below the interval's ends."""
    from scipy.special import ndtr, ndtri, stdtrit

    below = (np.count_nonzero(drawn < estimate) + 0.5 * np.count_nonzero(drawn == estimate)) / len(drawn)
    # Half a resample away from none and all, where the quantile would be infinite.
    bias = ndtri(np.clip(below, 0.5 / (len(drawn) + 1), 1 - 0.5 / (len(drawn) + 1)))
    leverage = left_out.sum() / max(len(left_out), 1) - left_out
    spread = np.sqrt(np.square(leverage).sum())
    acceleration = np.sum(leverage**3) / (6 * spread**3) if spread > 0 else 0.0
    reach = np.sqrt(rows / (rows - 1)) * stdtrit(rows - 1, np.array([(1 - level) / 2, (1 + level) / 2]))
    shifted = bias + reach
    # Beyond 1 the transformation would turn round; it gets there for a handful of rows alone.
    return np.asarray(ndtr(bias + shifted / (1 - np.minimum(acceleration * shifted, 0.9))))
