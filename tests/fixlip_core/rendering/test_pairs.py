from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from fixlip_core.explanation import Explanation
from fixlip_core.rendering.pairs import Kind, count_pairs, strongest_pairs
from tests.support.explanations import pair_attribution, with_regions

MakeExplanation = Callable[..., Explanation]


def test_counts_add_up(make_explanation: MakeExplanation) -> None:
    counts = count_pairs(make_explanation(("a", "b", "c"), (2, 3)))
    assert counts == {Kind.CROSS: 18, Kind.IMAGE: 15, Kind.TEXT: 3}
    assert sum(counts.values()) == 9 * 8 // 2


def test_pairs_are_the_strongest_of_their_kind_in_order(make_explanation: MakeExplanation) -> None:
    explanation = make_explanation(("a", "b", "c", "d", "e"), (3, 3), seed=2)
    pairs = strongest_pairs(explanation, 12)
    assert len(pairs) == 12
    values = [abs(pair.value) for pair in pairs]
    assert values == sorted(values, reverse=True)
    for pair in pairs:
        i, j = pair.players
        assert i < j
        assert pair.value == explanation.second[i, j]
    cross = np.sort(np.abs(explanation.cross).ravel())[::-1]
    drawn = [abs(pair.value) for pair in pairs if pair.kind is Kind.CROSS]
    assert drawn == pytest.approx(cross[: len(drawn)])


def test_kinds_follow_the_ends(make_explanation: MakeExplanation) -> None:
    for pair in strongest_pairs(make_explanation(("a", "b", "c"), (2, 2)), 40):
        in_text = sum(player >= 4 for player in pair.players)
        assert pair.kind == (Kind.IMAGE, Kind.CROSS, Kind.TEXT)[in_text]


def test_neither_modality_fills_the_graph_alone(make_explanation: MakeExplanation) -> None:
    explanation = make_explanation([f"w{k}" for k in range(10)], (4, 4))
    second = explanation.second * 1.0
    second[:16, :16] *= 50
    second[16:, 16:] *= 100
    counts = Counter(pair.kind for pair in strongest_pairs(make_explanation(explanation.tokens, second=second), 24))
    assert counts == {Kind.TEXT: 6, Kind.IMAGE: 6, Kind.CROSS: 12}


def test_weak_pairs_are_not_drawn_for_the_sake_of_their_kind(make_explanation: MakeExplanation) -> None:
    explanation = make_explanation(("a", "b"), (4, 4))
    second = explanation.second * 1e-6
    second[:16, 16:] = explanation.cross
    assert {pair.kind for pair in strongest_pairs(make_explanation(second=second), 24)} == {Kind.CROSS}


def test_zero_is_no_pair(make_explanation: MakeExplanation) -> None:
    second = np.zeros((18, 18))
    assert strongest_pairs(make_explanation(second=second), 24) == ()
    second[3, 16] = -0.5
    (pair,) = strongest_pairs(make_explanation(second=second), 24)
    assert (pair.players, pair.kind, pair.value) == ((3, 16), Kind.CROSS, -0.5)


def test_one_pair_may_be_of_any_kind(make_explanation: MakeExplanation) -> None:
    second = np.zeros((18, 18))
    second[16, 17] = 2.0
    second[0, 16] = 1.0
    (pair,) = strongest_pairs(make_explanation(second=second), 1)
    assert pair.kind is Kind.TEXT


def test_an_attribution_of_pairs_has_cross_modal_ones_alone() -> None:
    assert count_pairs(pair_attribution()) == {Kind.CROSS: 18}
    assert {pair.kind for pair in strongest_pairs(pair_attribution(), 24)} == {Kind.CROSS}


def test_regions_count_as_one_player_each() -> None:
    assert count_pairs(with_regions()) == {Kind.CROSS: 6, Kind.IMAGE: 3, Kind.TEXT: 1}
