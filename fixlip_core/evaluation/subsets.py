"""The coalitions of every size to which a second-order explanation gives the greatest and the least value."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fixlip_core.coalitions import enumerate_product
from fixlip_core.errors import InvalidParameterError
from fixlip_core.types import Coalitions, FloatArray

__all__ = ["ExtremeSubsets", "brute_force_subsets", "extreme_subsets"]


@dataclass(frozen=True, slots=True, eq=False)
class ExtremeSubsets:
    """For every size k from 0 to n, a coalition of greatest and one of least value; they need not be nested.

    Attributes:
        greatest: (n + 1, n) bool; row k has k players.
        least: (n + 1, n) bool likewise.
        greatest_values: (n + 1,) their values: sum_i first[i] + sum_{i<j} second[i, j] over the players present.
        least_values: (n + 1,) likewise.
    """

    greatest: Coalitions
    least: Coalitions
    greatest_values: FloatArray
    least_values: FloatArray


def extreme_subsets(first: FloatArray, second: FloatArray) -> ExtremeSubsets:
    """Search greedily from every player, then exchange players as long as that helps.

    To choose k of n players by their pairs is NP-hard. The search (FIxLIP, arXiv 2508.05430) begins with each player in
    turn and adds the one that gains most, for all starts at once; it does the same for the players to be left out,
    which is the same problem with other first-order values. The better result of each size is then improved by the
    best exchange of a player within for one without, again and again.

    Args:
        first: (n,) values of players.
        second: (n, n) values of pairs, symmetric, zero diagonal.

    Raises:
        InvalidParameterError: a value is not finite.
    """
    _check(first, second)
    greatest, least = _greatest(first, second), _greatest(-first, -second)
    return ExtremeSubsets(greatest, least, _values(greatest, first, second), _values(least, first, second))


def brute_force_subsets(first: FloatArray, second: FloatArray) -> ExtremeSubsets:
    """The same by looking at all 2^n coalitions: a check of the search.

    Args:
        first: (n,) values of players.
        second: (n, n) values of pairs, symmetric, zero diagonal.

    Raises:
        InvalidParameterError: a value is not finite, or there are more than 20 players.
    """
    _check(first, second)
    coalitions = enumerate_product(len(first), 0.5).coalitions
    values, sizes = _values(coalitions, first, second), coalitions.sum(axis=1)
    # By size, then by value: the first and the last of each size.
    order = np.lexsort((values, sizes))
    begins = np.searchsorted(sizes[order], np.arange(len(first) + 2))
    least, greatest = order[begins[:-1]], order[begins[1:] - 1]
    return ExtremeSubsets(coalitions[greatest], coalitions[least], values[greatest], values[least])


def _check(first: FloatArray, second: FloatArray) -> None:
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        raise InvalidParameterError("the explanation has no value for some players or pairs", field="explanation")


def _values(coalitions: Coalitions, first: FloatArray, second: FloatArray) -> FloatArray:
    x = coalitions.astype(np.float64)
    return np.asarray(x @ first + 0.5 * np.einsum("mi,mi->m", x @ second, x))


def _greatest(first: FloatArray, second: FloatArray) -> Coalitions:
    """(n + 1, n) a coalition of great value for each size."""
    added = _grown(first, second)
    # Without the players of T the value is v(all) less first_i + sum_j second_ij for i in T, plus the pairs within T.
    kept = ~_grown(-(first + second.sum(axis=1)), second)[::-1]
    better = _values(kept, first, second) > _values(added, first, second)
    return _exchanged(np.where(better[:, None], kept, added), first, second)


def _grown(first: FloatArray, second: FloatArray) -> Coalitions:
    """(n + 1, n) the best coalition of each size over greedy searches from every start."""
    n = len(first)
    starts = np.arange(n)
    chosen, totals = np.empty((n, n), np.intp), np.empty((n, n))
    gains = np.tile(first, (n, 1))
    picks, total = starts, np.zeros(n)
    for size in range(n):
        if size:
            picks = gains.argmax(axis=1)
        total = total + gains[starts, picks]
        chosen[size], totals[size] = picks, total
        gains += second[picks]
        gains[starts, picks] = -np.inf
    best = totals.argmax(axis=1)
    subsets = np.zeros((n + 1, n), bool)
    for size in range(n):
        subsets[size + 1, chosen[: size + 1, best[size]]] = True
    return subsets


def _exchanged(subsets: Coalitions, first: FloatArray, second: FloatArray) -> Coalitions:
    """The subsets after exchanges of one player within for one without, each the best there is, until none helps."""
    scale = max(np.abs(first).max(initial=0.0), np.abs(second).max(initial=0.0))
    improved = subsets.copy()
    for size in range(1, len(first)):
        members = improved[size]
        marginal = first + second @ members
        # More would be a cycle of rounding.
        for _ in range(len(first)):
            inside, outside = np.flatnonzero(members), np.flatnonzero(~members)
            gains = marginal[outside] - marginal[inside, None] - second[np.ix_(inside, outside)]
            leaves, enters = np.unravel_index(gains.argmax(), gains.shape)
            if gains[leaves, enters] <= 1e-9 * scale:
                break
            members[inside[leaves]], members[outside[enters]] = False, True
            marginal += second[outside[enters]] - second[inside[leaves]]
    return improved
