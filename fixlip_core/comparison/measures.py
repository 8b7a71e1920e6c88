"""How far two explanations agree on the same players."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from fixlip_core.evaluation.agreement import spearman
from fixlip_core.types import FloatArray

__all__ = ["TOP_SHARE", "Agreement", "Part", "agreement"]

Part: TypeAlias = Literal["image", "text", "pairs"]
"""Which values are compared: those of image players, of text players, or of their cross-modal pairs."""

TOP_SHARE: Final = 0.1
"""Share of the players, or pairs, that count as the strongest."""

_NAN: Final = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How far two explanations agree in one part. None of the measures depends on the unit of either's values.

    Attributes:
        explanations: the two, by their places from 0.
        part: which values.
        n: number of common players, or pairs.
        spearman: rank correlation of the values, with their signs; equal values share their mean rank.
        kendall: Kendall's tau-b of the values.
        cosine: cosine of the angle between the values as vectors.
        top_k: how many are the strongest: a tenth, at least one.
        top_overlap: Jaccard index of the two sets of strongest, by absolute value.
        note: why a measure is nan; None where none is.
    """

    explanations: tuple[int, int]
    part: Part
    n: int
    spearman: float = _NAN
    kendall: float = _NAN
    cosine: float = _NAN
    top_k: int = 0
    top_overlap: float = _NAN
    note: str | None = None


def agreement(
    explanations: tuple[int, int], part: Part, first: FloatArray | None, second: FloatArray | None
) -> Agreement:
    """The agreement of two explanations' values, of any but the same shape; None where an explanation has none.

    Ranks need two values that differ, and a cosine one that is not zero: else the measure is nan, and the note says so.
    """
    if first is None or second is None:
        return Agreement(explanations=explanations, part=part, n=0, note="an explanation has no values of pairs")
    a, b = np.ravel(first), np.ravel(second)
    if not (a.any() and b.any()):
        return Agreement(explanations=explanations, part=part, n=a.size, note="all values of an explanation are zero")
    top_k = max(1, round(TOP_SHARE * a.size))
    are_ranked = bool((a != a[0]).any() and (b != b[0]).any())
    return Agreement(
        explanations=explanations,
        part=part,
        n=a.size,
        spearman=float(spearman(np.ones((1, a.size)), a, b)[0]) if are_ranked else _NAN,
        kendall=_kendall(a, b) if are_ranked else _NAN,
        cosine=_cosine(a, b),
        top_k=top_k,
        top_overlap=_jaccard(_strongest(a, top_k), _strongest(b, top_k)),
        note=None if are_ranked else "all values of an explanation are equal: they have no ranks",
    )


def _kendall(a: FloatArray, b: FloatArray) -> float:
    from scipy.stats import kendalltau  # slow to import, and of no use to whoever compares nothing

    return float(kendalltau(a, b).statistic)


def _cosine(a: FloatArray, b: FloatArray) -> float:
    # Scaled first: squares of small or great values would leave the range of floats.
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    return float(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def _strongest(values: FloatArray, k: int) -> set[int]:
    return set(np.argsort(-np.abs(values), kind="stable")[:k].tolist())


def _jaccard(one: set[int], other: set[int]) -> float:
    return len(one & other) / len(one | other)
