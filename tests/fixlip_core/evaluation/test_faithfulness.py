"""p-faithfulness: perfect, partial and impossible predictions."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import InvalidParameterError, NotAdditiveError
from fixlip_core.evaluation import compare_predictions, p_faithfulness


def test_figures_are_their_definitions() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=500)
    predicted = truth**3 / 3 + 0.1
    found = compare_predictions(truth, predicted)
    assert found.r2 == pytest.approx(1 - np.sum((truth - predicted) ** 2) / np.sum((truth - truth.mean()) ** 2))
    assert found.pearson == pytest.approx(np.corrcoef(truth, predicted)[0, 1])
    assert found.spearman == pytest.approx(1.0)
    assert found.n_coalitions == 500


def test_perfect_and_constant_predictions() -> None:
    truth = np.arange(5.0)
    assert compare_predictions(truth, truth) == dataclasses.replace(
        compare_predictions(truth, truth), r2=1.0, n_coalitions=5
    )
    flat = compare_predictions(truth, np.full(5, 2.0))
    assert flat.r2 == pytest.approx(0.0)
    assert np.isnan(flat.pearson)
    assert np.isnan(compare_predictions(np.ones(5), truth).r2)


def test_zero_explanation_has_no_faithfulness(demo: fx.DualEncoder) -> None:
    scene = draw_scene(8, n_objects=1)
    e = fx.explain(demo, scene.image, scene.caption, budget=64)
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


def test_other_players_and_unknown_measures_are_refused(demo: fx.DualEncoder) -> None:
    scene = draw_scene(8, n_objects=1)
    e = fx.explain(demo, scene.image, scene.caption, budget=16)
    with pytest.raises(InvalidParameterError, match="other players"):
        p_faithfulness(demo, scene.image, "another caption here", e)
    with pytest.raises(InvalidParameterError, match="p must lie"):
        p_faithfulness(demo, scene.image, scene.caption, e, p=1.0)
    shapley = dataclasses.replace(e, index="FSII", p=float("nan"))
    with pytest.raises(InvalidParameterError, match="pass p=") as caught:
        p_faithfulness(demo, scene.image, scene.caption, shapley)
    assert caught.value.field == "p"
    assert p_faithfulness(demo, scene.image, scene.caption, shapley, p=0.5, n_coalitions=50).n_coalitions == 50
    with pytest.raises(NotAdditiveError, match="GAME"):
        p_faithfulness(demo, scene.image, scene.caption, dataclasses.replace(e, index="GAME", p=float("nan")))
    assert p_faithfulness(demo, scene.image, scene.caption, e, p=0.7, n_coalitions=50).n_coalitions == 50
