"""The search for coalitions of extreme value: sizes, values and what brute force finds."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation.subsets import brute_force_subsets, extreme_subsets
from fixlip_core.types import FloatArray


def _game(n: int, seed: int) -> tuple[FloatArray, FloatArray]:
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.normal(size=(n, n)), 1)
    return rng.normal(size=n), upper + upper.T


def _value(members: tuple[int, ...], first: FloatArray, second: FloatArray) -> float:
    return float(sum(first[list(members)]) + sum(second[i, j] for i, j in itertools.combinations(members, 2)))


def test_brute_force_is_the_definition() -> None:
    first, second = _game(5, 0)
    found = brute_force_subsets(first, second)
    for k in range(6):
        values = [_value(members, first, second) for members in itertools.combinations(range(5), k)]
        assert found.greatest_values[k] == pytest.approx(max(values))
        assert found.least_values[k] == pytest.approx(min(values))
        assert _value(tuple(np.flatnonzero(found.greatest[k])), first, second) == pytest.approx(max(values))
        assert _value(tuple(np.flatnonzero(found.least[k])), first, second) == pytest.approx(min(values))


@pytest.mark.parametrize("n", [1, 2, 3, 30])
def test_there_is_one_coalition_of_every_size_with_its_value(n: int) -> None:
    first, second = _game(n, n)
    found = extreme_subsets(first, second)
    for subsets, values in ((found.greatest, found.greatest_values), (found.least, found.least_values)):
        assert subsets.sum(axis=1).tolist() == list(range(n + 1))
        assert values == pytest.approx([_value(tuple(np.flatnonzero(row)), first, second) for row in subsets])
    assert (found.greatest_values >= found.least_values).all()


def test_no_exchange_improves_what_is_found() -> None:
    first, second = _game(25, 1)
    found = extreme_subsets(first, second)
    for k in (3, 12, 22):
        members = set(np.flatnonzero(found.greatest[k]).tolist())
        others = set(range(25)) - members
        exchanged = [
            _value((*(members - {leaves}), enters), first, second)
            for leaves, enters in itertools.product(members, others)
        ]
        assert max(exchanged) <= found.greatest_values[k] + 1e-9


def test_an_additive_game_is_its_ranking() -> None:
    first = np.array([0.5, -1.0, 2.0, 0.0])
    found = extreme_subsets(first, np.zeros((4, 4)))
    assert found.greatest_values == pytest.approx([0, 2, 2.5, 2.5, 1.5])
    assert found.least_values == pytest.approx([0, -1, -1, -0.5, 1.5])
    assert found.greatest[1].tolist() == [False, False, True, False]


def test_subsets_need_not_be_nested() -> None:
    # Player 0 alone is best; 1 and 2 together are worth more than any pair with it.
    second = np.zeros((3, 3))
    second[1, 2] = second[2, 1] = 10.0
    found = extreme_subsets(np.array([3.0, 0.0, 0.0]), second)
    assert found.greatest[1].tolist() == [True, False, False]
    assert found.greatest[2].tolist() == [False, True, True]


def test_ties_and_zeros_are_settled_the_same_way_each_time() -> None:
    zero = extreme_subsets(np.zeros(6), np.zeros((6, 6)))
    again = extreme_subsets(np.zeros(6), np.zeros((6, 6)))
    assert (zero.greatest == again.greatest).all()
    assert zero.greatest.sum(axis=1).tolist() == list(range(7))


def test_values_that_are_not_there_are_refused() -> None:
    first, second = _game(4, 2)
    first[2] = np.nan
    for search in (extreme_subsets, brute_force_subsets):
        with pytest.raises(InvalidParameterError, match="no value for some players"):
            search(first, second)
    with pytest.raises(InvalidParameterError, match="too many"):
        brute_force_subsets(*_game(21, 0))
