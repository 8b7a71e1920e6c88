"""Insertion and deletion curves: the oracle, both orders, and games that turn them over."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation.insertion_deletion import (
    CURVE_POINTS,
    InsertionDeletion,
    curves_of_game,
    insertion_deletion,
    sizes_needed,
)
from fixlip_core.types import Coalitions, FloatArray


def _explanation(
    first: list[float], second: FloatArray | None = None, *, n_text: int = 0, index: str = "WFBII"
) -> fx.Explanation:
    n = len(first)
    return fx.Explanation(
        tokens=("word",) * n_text,
        grid=(1, n - n_text),
        baseline=0.0,
        first=np.array(first),
        second=np.zeros((n, n)) if second is None else second,
        first_std_error=np.full(n, np.nan),
        second_std_error=np.full((n, n), np.nan),
        empty_value=0.0,
        full_value=1.0,
        method="fixlip",
        index=index,
        order=1 if second is None else 2,
        p=0.5,
        score="logit",
        image_passes=0,
        text_passes=0,
    )


def _additive(values: list[float], *, shift: float = 0.0) -> Callable[[Coalitions], FloatArray]:
    return lambda coalitions: np.asarray(shift + coalitions @ np.array(values))


@pytest.mark.parametrize("n_text", [0, 1, 2])
def test_the_additive_game_of_three_and_one_has_a_quarter(n_text: int) -> None:
    e = _explanation([3.0, 1.0], np.zeros((2, 2)), n_text=n_text)
    found = curves_of_game(_additive([3.0, 1.0], shift=7.0), e)
    assert found.first_order.area == pytest.approx(0.25)
    assert found.second_order is not None
    assert found.second_order.area == pytest.approx(0.25)
    assert found.first_order.most_first[[0, 25, 50]] == pytest.approx([1, 0.25, 0])
    assert found.first_order.least_first[[0, 25, 50]] == pytest.approx([1, 0.75, 0])
    assert (found.empty_value, found.full_value, found.flipped) == (7.0, 11.0, False)


def test_a_wrong_ranking_has_the_area_with_the_other_sign() -> None:
    found = curves_of_game(_additive([3.0, 1.0]), _explanation([1.0, 3.0]))
    assert found.first_order.area == pytest.approx(-0.25)
    assert (found.second_order, found.subsets) == (None, None)


def test_a_ranking_that_says_nothing_has_no_area() -> None:
    found = curves_of_game(_additive([4.0, 2.0, 1.0]), _explanation([0.0, 0.0, 0.0], np.zeros((3, 3))))
    assert found.first_order.area == 0.0


def test_pairs_tell_the_second_order_what_single_players_do_not() -> None:
    # Players 0 and 1 matter together alone, 2 and 3 a little each.
    second = np.zeros((4, 4))
    second[0, 1] = second[1, 0] = 4.0
    first = [0.0, 0.0, 1.5, 1.5]

    def value(coalitions: Coalitions) -> FloatArray:
        x = coalitions.astype(float)
        return np.asarray(x @ np.array(first) + 4 * x[:, 0] * x[:, 1])

    found = curves_of_game(value, _explanation(first, second))
    assert found.second_order is not None
    assert found.subsets is not None
    # Of three players, two of which are the pair, 5.5 of 7 is left; without half of the pair 3 is.
    assert found.second_order.least_first[0] == 1
    assert np.interp(0.25, found.removed, found.second_order.least_first) == pytest.approx(5.5 / 7, abs=0.01)
    assert np.interp(0.25, found.removed, found.second_order.most_first) == pytest.approx(3 / 7, abs=0.02)
    assert found.second_order.area > found.first_order.area
    assert found.subsets.greatest[2].tolist() == [True, True, False, False]


def test_the_curve_of_many_players_is_that_of_all_sizes() -> None:
    n = 173
    values = np.random.default_rng(0).normal(0.5, 1.0, size=n).tolist()
    rows = 0

    def value(coalitions: Coalitions) -> FloatArray:
        nonlocal rows
        rows += len(coalitions)
        return np.asarray(np.tanh(coalitions @ np.array(values) / 40))

    found = curves_of_game(value, _explanation(values))
    order = np.argsort(values)[::-1]
    dropped = np.ones((n + 1, n), bool)
    for k, player in enumerate(order):
        dropped[k + 1 :, player] = False
    whole = np.tanh(dropped @ np.array(values) / 40)
    expected = np.interp(found.removed, np.arange(n + 1) / n, whole / whole[0])
    assert found.first_order.most_first == pytest.approx(expected)
    assert rows == 2 + 2 * (len(sizes_needed(n)) - 2) <= 2 + 2 * 98


@pytest.mark.parametrize("n", [1, 2, 7, 50, 51, 100, 216, 1_000])
def test_every_point_lies_between_two_sizes_that_are_played(n: int) -> None:
    sizes = sizes_needed(n)
    assert (sizes[0], sizes[-1]) == (0, n)
    assert len(sizes) <= min(n + 1, 2 * CURVE_POINTS - 2)
    for point in np.linspace(0, n, CURVE_POINTS):
        assert np.isin([np.floor(round(point, 9)), np.ceil(round(point, 9))], sizes).all()


def test_a_game_that_falls_is_flagged() -> None:
    e = _explanation([3.0, 1.0])
    falling = curves_of_game(_additive([-3.0, -1.0]), e)
    assert falling.flipped
    assert falling.first_order.area == pytest.approx(0.25)
    level = curves_of_game(_additive([3.0, -3.0]), e)
    assert level.flipped
    assert np.isnan(level.first_order.area)
    assert not curves_of_game(_additive([3.0, 1.0]), e).flipped


def test_values_that_are_not_there_are_refused() -> None:
    with pytest.raises(InvalidParameterError, match="no value for some players") as caught:
        curves_of_game(_additive([1.0, 1.0]), _explanation([float("nan"), 1.0]))
    assert caught.value.field == "explanation"


@pytest.fixture(scope="module")
def judged(demo: fx.DualEncoder) -> tuple[fx.Explanation, InsertionDeletion, int]:
    """An explanation of the demo encoder, by few players, its curves and the passes that they took."""
    scene, passes = draw_scene(8, n_objects=1), list[int]()
    # 4 x 4 regions of 4 patches.
    regions = np.kron(np.arange(16).reshape(4, 4), np.ones((2, 2), int)).tolist()
    e = fx.explain(demo, scene.image, scene.caption, budget=32, regions=regions)
    return e, insertion_deletion(demo, scene.image, scene.caption, e, on_passes=passes.append), sum(passes)


def test_an_explanation_of_a_model_has_areas(judged: tuple[fx.Explanation, InsertionDeletion, int]) -> None:
    e, found, passes = judged
    assert found.full_value == pytest.approx(e.full_value, abs=1e-4)
    assert found.empty_value == pytest.approx(e.empty_value, abs=1e-4)
    assert found.first_order.area > 0.1
    assert found.second_order is not None
    assert found.second_order.area > 0.1
    assert passes <= 2 * (2 + 4 * (len(sizes_needed(e.n_players)) - 2))


def test_a_ranking_turned_round_turns_the_area_round(
    demo: fx.DualEncoder, judged: tuple[fx.Explanation, InsertionDeletion, int]
) -> None:
    e, found, _ = judged
    scene = draw_scene(8, n_objects=1)
    turned = insertion_deletion(
        demo, scene.image, scene.caption, dataclasses.replace(e, first=-e.first, second=-e.second)
    )
    assert turned.first_order.area == pytest.approx(-found.first_order.area, abs=1e-6)


def test_attributions_have_curves_of_their_order(demo: fx.DualEncoder) -> None:
    scene = draw_scene(8, n_objects=1)
    players = fx.explain(demo, scene.image, scene.caption, method="grad_eclip")
    # In the games that they would be models of, they cannot but rank well.
    of_players = curves_of_game(players.attributed, players)
    assert of_players.first_order.area > 0
    assert of_players.second_order is None
    pairs = fx.explain(demo, scene.image, scene.caption, method="exclip", steps=2)
    of_pairs = curves_of_game(pairs.attributed, pairs)
    assert of_pairs.second_order is not None
    assert of_pairs.second_order.area >= of_pairs.first_order.area > 0
