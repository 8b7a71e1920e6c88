"""Many explanations' figures in a few: means with their intervals, and two methods on the same pairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation.agreement import mean
from fixlip_core.evaluation.intervals import Interval, bootstrap_interval
from fixlip_core.types import FloatArray

__all__ = ["PairedComparison", "Summary", "compare_paired", "summarise"]

_MOST_EXACT = 50


@dataclass(frozen=True, slots=True)
class Summary:
    """The mean of a figure over explanations.

    Attributes:
        n: values that count.
        mean: their mean; nan where there are none.
        std_error: the mean's standard error; nan for less than two values.
        interval: 95 % bootstrap interval of the mean; None for less than two values.
        n_missing: values that were left out, for they are not finite: what could not be measured.
    """

    n: int
    mean: float
    std_error: float
    interval: Interval | None
    n_missing: int


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """Two methods, or models, on the same pairs of an image and a caption.

    Attributes:
        n: pairs of which both have a value.
        wins: those of them where the first is better.
        losses: those where the second is.
        ties: those where both are equal.
        mean_difference: mean of the first's value less the second's; nan for no pairs.
        interval: 95 % bootstrap interval of that mean, over pairs; None for less than two pairs.
        p_value: two-sided, of Wilcoxon's signed-rank test that differences lie symmetrically about 0; nan for no pairs.
        n_missing: pairs that were left out, for a value of theirs is not finite.
    """

    n: int
    wins: int
    losses: int
    ties: int
    mean_difference: float
    interval: Interval | None
    p_value: float
    n_missing: int


def summarise(values: Sequence[float] | FloatArray, *, seed: int = 0) -> Summary:
    """Mean, standard error and 95 % interval of (n,) values of independent pairs.

    Args:
        values: one of each pair; nan where there is none.
        seed: draws the bootstrap's resamples; see :func:`.intervals.bootstrap_interval`.
    """
    given = np.asarray(values, dtype=np.float64)
    kept = given[np.isfinite(given)]
    n = len(kept)
    return Summary(
        n=n,
        mean=float(kept.mean()) if n else float("nan"),
        std_error=float(kept.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan"),
        interval=bootstrap_interval(mean, kept, seed=seed),
        n_missing=len(given) - n,
    )


def compare_paired(
    a: Sequence[float] | FloatArray,
    b: Sequence[float] | FloatArray,
    *,
    seed: int = 0,
    higher_is_better: bool = True,
) -> PairedComparison:
    """Compare two columns row by row.

    The test ranks zero differences too (Pratt 1959, J. Am. Stat. Assoc. 54:655) and is exact up to 50 pairs.

    Args:
        a: (n,) values of the first, one of each pair; nan where there is none.
        b: (n,) values of the second, of the same pairs in the same order.
        seed: draws the bootstrap's resamples.
        higher_is_better: whether the greater value wins; the difference is a - b all the same.

    Raises:
        InvalidParameterError: the columns are not of one length.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        raise InvalidParameterError(f"b must have as many values as a, {len(first)}, not {len(second)}", field="b")
    differences = (first - second)[np.isfinite(first) & np.isfinite(second)]
    above, below = int(np.sum(differences > 0)), int(np.sum(differences < 0))
    n = len(differences)
    return PairedComparison(
        n=n,
        wins=above if higher_is_better else below,
        losses=below if higher_is_better else above,
        ties=n - above - below,
        mean_difference=float(differences.mean()) if n else float("nan"),
        interval=bootstrap_interval(mean, differences, seed=seed),
        p_value=_signed_rank_p(differences),
        n_missing=len(first) - n,
    )


def _signed_rank_p(differences: FloatArray) -> float:
    """Two-sided p-value: exact, equal sizes sharing their mean rank, up to 50 differences; else by the normal law."""
    if not len(differences):
        return float("nan")
    _, group, sizes = np.unique(np.abs(differences), return_inverse=True, return_counts=True)
    # Twice the mean ranks: whole numbers, of which the exact law can be counted.
    ranks = (2 * np.cumsum(sizes) - sizes + 1)[group]
    signed, above = ranks[differences != 0], int(ranks[differences > 0].sum())
    total = int(signed.sum())
    if len(signed) > _MOST_EXACT:
        from scipy.special import ndtr

        return float(2 * ndtr(-abs(2 * above - total) / np.sqrt(np.square(signed).sum())))
    ways = np.zeros(total + 1)
    ways[0] = 1
    for rank in signed:
        ways[rank:] = ways[rank:] + ways[:-rank]
    return min(1.0, 2 * float(ways[: min(above, total - above) + 1].sum()) / 2.0 ** len(signed))
