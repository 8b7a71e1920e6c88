"""Insertion and deletion curves (FIxLIP, arXiv 2508.05430): does the similarity go with what an explanation ranks?

A curve begins with all players and ends with none. For every number k of players that are left, one curve keeps the k
of least value and so has dropped the most important ones first (MIF); the other keeps the k of greatest value (LIF).
Read from its end, the second is the curve of insertion. The wider they lie apart, the more the ranking says of the
game. A first-order explanation ranks players, so what is left is nested; a second-order one ranks coalitions of each
size by the sum of their values, which need not be nested.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fixlip_core.encoders.protocol import DualEncoder
from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation.explained import explained_game
from fixlip_core.evaluation.subsets import ExtremeSubsets, extreme_subsets
from fixlip_core.explanation import Explanation
from fixlip_core.types import Coalitions, FloatArray, ImageInput, IntArray

__all__ = ["CURVE_POINTS", "Curves", "InsertionDeletion", "curves_of_game", "insertion_deletion", "sizes_needed"]

CURVE_POINTS = 51
"""Points of a curve, at equal steps of the share of players removed."""


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """The two curves of an explanation.

    Attributes:
        most_first: (51,) normalised similarity, (v - v(empty)) / (v(full) - v(empty)), the most important gone first.
        least_first: (51,) the same, the least important gone first.
        area: the area between them, by the trapezoidal rule: the greater the better, 0 for a ranking that says nothing.
    """

    most_first: FloatArray
    least_first: FloatArray
    area: float

    @classmethod
    def of(cls, most_first: FloatArray, least_first: FloatArray) -> Curves:
        """The curves with the area between them."""
        step = 1 / (len(most_first) - 1)
        return cls(most_first, least_first, float(np.trapezoid(least_first - most_first, dx=step)))


@dataclass(frozen=True, slots=True, eq=False)
class InsertionDeletion:
    """The curves of an explanation, at :attr:`removed`.

    Attributes:
        removed: (51,) share of the players that are removed, from 0 to 1.
        first_order: by the ranking of all players, image and text, by their main effects.
        second_order: by the coalitions of greatest and least value of each size; None for an explanation of order 1.
        subsets: those coalitions, of every size; None for an explanation of order 1.
        empty_value: v(empty).
        full_value: v(full).
        flipped: whether v(full) <= v(empty). Then the normalisation turns the curves over, or has no value where both
            are equal (nan), and the areas must not be averaged with those of other pairs.
    """

    removed: FloatArray
    first_order: Curves
    second_order: Curves | None
    subsets: ExtremeSubsets | None
    empty_value: float
    full_value: float
    flipped: bool


def insertion_deletion(
    encoder: DualEncoder,
    image: ImageInput,
    caption: str,
    explanation: Explanation,
    *,
    on_passes: Callable[[int], None] = lambda _: None,
) -> InsertionDeletion:
    """The insertion and deletion curves of ``explanation``, in the game that was explained.

    They take two coalitions of each of :func:`sizes_needed` for each order, the empty and the full one once.

    Args:
        encoder: the model that was explained.
        image: the image that was explained.
        caption: the caption that was explained.
        explanation: what to judge; of an additive one or of an attribution.
        on_passes: called with the number of passes after each batch; what it raises stops the evaluation.

    Raises:
        InvalidParameterError: the explanation belongs to other players, or has no value for some of them.
    """
    game = explained_game(encoder, image, caption, explanation, on_passes=on_passes)
    return curves_of_game(game.value, explanation)


def curves_of_game(value: Callable[[Coalitions], FloatArray], explanation: Explanation) -> InsertionDeletion:
    """The same in any game; ``value`` gives (m,) values of (m, n) coalitions and is called once.

    Raises:
        InvalidParameterError: the explanation has no value for some players or pairs.
    """
    n = explanation.n_players
    main = explanation.main_effects()
    if not np.isfinite(main).all():
        raise InvalidParameterError("the explanation has no value for some players or pairs", field="explanation")
    subsets = extreme_subsets(explanation.first, explanation.second) if explanation.order == 2 else None
    # What each curve keeps, by the number of players kept.
    kept = [_kept(-main), _kept(main)]
    if subsets is not None:
        kept += [subsets.least, subsets.greatest]
    sizes = sizes_needed(n)
    inner = sizes[(sizes > 0) & (sizes < n)]
    ends = np.stack([np.zeros(n, bool), np.ones(n, bool)])
    values = value(np.concatenate([ends, *(coalitions[inner] for coalitions in kept)]))
    empty, full = float(values[0]), float(values[1])
    removed = np.linspace(0.0, 1.0, CURVE_POINTS)
    curves = [
        _curve(removed, np.array([empty, *found, full]), np.array([0, *inner, n]) / max(n, 1))
        for found in np.split(values[2:], len(kept))
    ]
    return InsertionDeletion(
        removed=removed,
        first_order=Curves.of(curves[0], curves[1]),
        second_order=Curves.of(curves[2], curves[3]) if subsets is not None else None,
        subsets=subsets,
        empty_value=empty,
        full_value=full,
        flipped=full <= empty,
    )


def sizes_needed(n: int) -> IntArray:
    """The numbers of players kept whose values the points of a curve lie on or between, ascending, 0 and ``n`` too.

    All of them up to 51 players or so; of more, at most 100 and the same curve.
    """
    # In whole numbers: a product of floats may land beside the size that it stands for.
    scaled = n * np.arange(CURVE_POINTS)
    steps = CURVE_POINTS - 1
    return np.unique(np.concatenate([scaled // steps, -(-scaled // steps)]))


def _kept(importance: FloatArray) -> Coalitions:
    """(n + 1, n) row k: the k players of greatest importance.

    Of equal ones the last stay longest, on either curve: where a ranking says nothing, the two are the same.
    """
    n = len(importance)
    rank = np.empty(n, np.intp)
    rank[np.argsort(importance, kind="stable")] = np.arange(n)
    return np.asarray(rank >= n - np.arange(n + 1)[:, None])


def _curve(removed: FloatArray, values: FloatArray, kept_share: FloatArray) -> FloatArray:
    """(51,) the normalised curve through the values of ascending shares of players kept."""
    rise = values[-1] - values[0]
    normalised = (values - values[0]) / rise if rise else np.full_like(values, np.nan)
    return np.asarray(np.interp(1 - removed, kept_share, normalised))
