"""p-faithfulness: perfect, partial and impossible predictions."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.coalitions import enumerate_product
from fixlip_core.demo.scenes import Scene, draw_scene
from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation import compare_predictions, p_faithfulness
from tests.fixlip_core.games import BilinearGame, unanimity


@pytest.fixture(scope="module")
def scene() -> Scene:
    return draw_scene(8, n_objects=1)


@pytest.fixture(scope="module")
def explained(demo: fx.DualEncoder, scene: Scene) -> fx.Explanation:
    return fx.explain(demo, scene.image, scene.caption, budget=64)


def test_figures_are_their_definitions() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=500)
    predicted = truth**3 / 3 + 0.1
    found = compare_predictions(truth, predicted)
    assert found.r2 == pytest.approx(1 - np.sum((truth - predicted) ** 2) / np.sum((truth - truth.mean()) ** 2))
    assert found.pearson == pytest.approx(np.corrcoef(truth, predicted)[0, 1])
    assert found.spearman == pytest.approx(1.0)
    assert found.n_coalitions == 500


def test_intervals_hold_the_figures_and_narrow_with_more_coalitions() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=1_000)
    predicted = truth + 0.3 * rng.normal(size=1_000)
    few, many = compare_predictions(truth[:100], predicted[:100]), compare_predictions(truth, predicted)
    for name in ("r2", "pearson", "spearman"):
        narrow, wide = (getattr(found, f"{name}_interval") for found in (many, few))
        assert narrow.low < getattr(many, name) < narrow.high < 1
        assert narrow.high - narrow.low < wide.high - wide.low
    assert compare_predictions(truth, predicted) == many
    assert compare_predictions(truth, predicted, seed=1).r2_interval != many.r2_interval


def test_perfect_and_constant_predictions() -> None:
    truth = np.arange(5.0)
    perfect = compare_predictions(truth, truth)
    assert (perfect.r2, perfect.n_coalitions) == (1.0, 5)
    assert (perfect.pearson, perfect.spearman) == pytest.approx((1.0, 1.0))
    flat = compare_predictions(truth, np.full(5, 2.0))
    assert flat.r2 == pytest.approx(0.0)
    assert np.isnan([flat.pearson, flat.spearman]).all()
    assert (flat.pearson_interval, flat.spearman_interval) == (None, None)
    level = compare_predictions(np.ones(5), truth)
    assert np.isnan(level.r2)
    assert level.r2_interval is None


def test_the_best_account_by_pairs_of_three_players_together_has_six_sevenths() -> None:
    coalitions = enumerate_product(3, 0.5).coalitions
    x = coalitions.astype(float)
    pairs = x[:, 0] * x[:, 1] + x[:, 0] * x[:, 2] + x[:, 1] * x[:, 2]
    predicted = 0.125 - 0.25 * x.sum(axis=1) + 0.5 * pairs
    assert compare_predictions(unanimity(coalitions), predicted).r2 == pytest.approx(6 / 7)


def test_a_bilinear_game_is_predicted_without_error() -> None:
    game = BilinearGame.draw(4, 3, 5, seed=0)
    second = np.zeros((7, 7))
    second[:4, 4:] = game.a @ game.b.T
    e = fx.Explanation(
        tokens=("a", "b", "c"),
        grid=(2, 2),
        baseline=float(game.a0 @ game.b0),
        first=np.concatenate([game.a @ game.b0, game.b @ game.a0]),
        second=second + second.T,
        first_std_error=np.full(7, np.nan),
        second_std_error=np.full((7, 7), np.nan),
        empty_value=0.0,
        full_value=1.0,
        method="fixlip",
        index="WFBII",
        order=2,
        p=0.3,
        score="logit",
        image_passes=0,
        text_passes=0,
    )
    coalitions = np.random.default_rng(1).random((200, 7)) < 0.3
    found = compare_predictions(game.value(coalitions), e.predict(coalitions))
    assert (found.r2, found.pearson, found.spearman) == pytest.approx((1.0, 1.0, 1.0))
    assert e.attributed(coalitions) == pytest.approx(e.predict(coalitions) - e.baseline)


def test_zero_explanation_has_no_faithfulness(demo: fx.DualEncoder, scene: Scene, explained: fx.Explanation) -> None:
    e = explained
    nothing = dataclasses.replace(e, first=np.zeros(e.n_players), second=np.zeros((e.n_players, e.n_players)))
    assert p_faithfulness(demo, scene.image, scene.caption, nothing, n_coalitions=100).r2 < 0.05
    assert p_faithfulness(demo, scene.image, scene.caption, e, n_coalitions=100).r2 > 0.5


def test_regions_words_and_removals_are_those_of_the_explanation(demo: fx.DualEncoder) -> None:
    scene = draw_scene(8, n_objects=1)
    halves = np.repeat(np.arange(4), 16)[:, None] * np.ones(64, int)
    e = fx.explain(
        demo, scene.image, scene.caption, budget=64, regions=halves.tolist(), text_players="word", image_removal="mean"
    )
    assert e.n_image == 4
    judged = p_faithfulness(demo, scene.image, scene.caption, e, n_coalitions=200)
    # All coalitions of four regions were passed, so what it reports of itself is no estimate but for the text's.
    assert judged.r2 == pytest.approx(e.estimated_r2, abs=0.05)
    other = dataclasses.replace(e, provenance={**e.provenance, "image_removal": "zero"})
    assert p_faithfulness(demo, scene.image, scene.caption, other, n_coalitions=200).r2 < judged.r2


def test_other_players_impossible_measures_and_values_that_are_not_there_are_refused(
    demo: fx.DualEncoder, scene: Scene, explained: fx.Explanation
) -> None:
    with pytest.raises(InvalidParameterError, match="other players"):
        p_faithfulness(demo, scene.image, "another caption here", explained)
    with pytest.raises(InvalidParameterError, match="p must lie") as caught:
        p_faithfulness(demo, scene.image, scene.caption, explained, p=1.0)
    assert caught.value.field == "p"
    lacking = dataclasses.replace(explained, first=np.full(explained.n_players, np.nan))
    with pytest.raises(InvalidParameterError, match="no value for some players"):
        p_faithfulness(demo, scene.image, scene.caption, lacking, n_coalitions=10)


def test_a_measure_is_the_fitted_one_or_one_half(demo: fx.DualEncoder, scene: Scene, explained: fx.Explanation) -> None:
    def judged(explanation: fx.Explanation, p: float | None = None) -> float:
        return p_faithfulness(demo, scene.image, scene.caption, explanation, p=p, n_coalitions=50).r2

    shapley = dataclasses.replace(explained, index="FSII", p=float("nan"))
    assert judged(shapley) == judged(explained) == judged(explained, p=0.5) != judged(explained, p=0.7)
    assert judged(dataclasses.replace(explained, p=0.7)) == judged(explained, p=0.7)


@pytest.mark.parametrize(("method", "parameters"), [("grad_eclip", {}), ("exclip", {"steps": 2})])
def test_attributions_have_correlations_whatever_their_scale_and_no_r2(
    demo: fx.DualEncoder, scene: Scene, explained: fx.Explanation, method: str, parameters: dict[str, Any]
) -> None:
    e = fx.explain(demo, scene.image, scene.caption, method=method, **parameters)
    passes: list[int] = []
    found = p_faithfulness(demo, scene.image, scene.caption, e, n_coalitions=100, on_passes=passes.append)
    assert np.isnan(found.r2)
    assert found.r2_interval is None
    assert found.pearson_interval is not None
    assert 100 < sum(passes) <= 200
    scaled = dataclasses.replace(e, first=100 * e.first, second=100 * e.second)
    again = p_faithfulness(demo, scene.image, scene.caption, scaled, n_coalitions=100)
    assert (again.pearson, again.spearman) == pytest.approx((found.pearson, found.spearman))
    of_fixlip = p_faithfulness(demo, scene.image, scene.caption, explained, n_coalitions=100)
    assert of_fixlip.spearman > found.spearman
