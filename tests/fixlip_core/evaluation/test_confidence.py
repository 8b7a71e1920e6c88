"""Confidence drop and increase: what is multiplied with what, and what stands in for what is lost."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation import Confidence, confidence
from fixlip_core.evaluation.confidence import better_half, multiplied
from fixlip_core.evaluation.explained import explained_game

SCENE = draw_scene(8, n_objects=1)


@pytest.fixture(scope="module")
def explanation(demo: fx.DualEncoder) -> fx.Explanation:
    return fx.explain(demo, SCENE.image, SCENE.caption, budget=64)


def with_image_values(explanation: fx.Explanation, values: Any) -> fx.Explanation:
    """Additive, of order 1, with these values of the patches."""
    first = np.concatenate([np.broadcast_to(values, explanation.n_image), np.arange(explanation.n_text)])
    return dataclasses.replace(explanation, first=first, second=np.zeros_like(explanation.second))


def test_drop_and_increase_are_their_definitions() -> None:
    lower = Confidence(full_value=3.0, image_value=1.0, text_value=4.5)
    assert (lower.image_drop, lower.image_increase) == (2.0, 0.0)
    assert (lower.text_drop, lower.text_increase) == (0.0, 1.0)
    same = Confidence(full_value=3.0, image_value=3.0, text_value=float("nan"))
    assert (same.image_drop, same.image_increase) == (0.0, 0.0)
    assert np.isnan([same.text_drop, same.text_increase]).all()


@pytest.mark.parametrize("removal", ["zero", "mean", "blur"])
def test_the_map_leads_from_removed_to_present(demo: fx.DualEncoder, explanation: fx.Explanation, removal: str) -> None:
    """At 0 there is the game without patches, at 1 the whole picture, and between them it is linear in the pixels."""
    removed = dataclasses.replace(explanation, provenance={**explanation.provenance, "image_removal": removal})
    game = explained_game(demo, SCENE.image, SCENE.caption, removed)
    n = explanation.n_image
    assert np.array_equal(multiplied(game, np.ones(n)), game.view)
    none = dataclasses.replace(game, view=multiplied(game, np.zeros(n)))
    whole = np.ones((1, n), dtype=bool)
    np.testing.assert_allclose(none.image_embeddings(whole), game.image_embeddings(~whole), atol=0.02)
    half = multiplied(game, np.full(n, 0.5)).astype(float)
    np.testing.assert_allclose(half, (game.view.astype(float) + none.view) / 2, atol=0.51)


def test_pixels_are_multiplied_after_normalisation(demo: Any, explanation: fx.Explanation) -> None:
    game = explained_game(demo, SCENE.image, SCENE.caption, explanation)
    pictures = demo.image_tower.pictures
    weights = np.full(explanation.n_image, 0.25)
    pixels = pictures.pixels(multiplied(game, weights)).numpy()
    one_step = float((pictures.pixels(game.view + np.uint8(0)).max() - pictures.pixels(game.view).min()) / 100)
    np.testing.assert_allclose(pixels, 0.25 * pictures.pixels(game.view).numpy(), atol=one_step)


def test_the_map_is_taken_whole(demo: fx.DualEncoder, explanation: fx.Explanation) -> None:
    """Each row of the map is over its own rows of the picture, not the map's first row over all."""
    rows, columns = explanation.grid
    lower = np.repeat(np.arange(rows) >= rows // 2, columns)
    game = explained_game(demo, SCENE.image, SCENE.caption, explanation)
    shown = multiplied(game, lower.astype(float))
    edge = game.view.shape[0] // rows
    middle = game.view.shape[0] // 2
    hidden = demo.hidden_view(game.view)
    assert np.array_equal(shown[: middle - edge], hidden[: middle - edge])
    assert np.array_equal(shown[middle + edge :], game.view[middle + edge :])


def test_figures_are_those_of_the_game(demo: fx.DualEncoder, explanation: fx.Explanation) -> None:
    found = confidence(demo, SCENE.image, SCENE.caption, explanation)
    card = demo.card
    assert found.full_value == pytest.approx((explanation.full_value - card.logit_bias) / card.logit_scale, abs=1e-6)
    game = explained_game(demo, SCENE.image, SCENE.caption, explanation)
    kept = np.ones((1, explanation.n_players), dtype=bool)
    kept[0, explanation.n_image :] = better_half(explanation.main_effects()[explanation.n_image :])
    of_half = (float(game.value(kept)[0]) - card.logit_bias) / card.logit_scale
    assert found.text_value == pytest.approx(of_half, abs=1e-6)
    assert found.image_value != pytest.approx(found.full_value, abs=1e-4)
    of_cosine = dataclasses.replace(explanation, score="cosine")
    assert confidence(demo, SCENE.image, SCENE.caption, of_cosine) == found


def test_a_map_that_keeps_the_object_loses_less_than_its_reverse(demo: fx.DualEncoder) -> None:
    scene = draw_scene(3, n_objects=1)
    e = fx.explain(demo, scene.image, scene.caption, budget=128)
    mask = scene.patches_of(0, e.grid).ravel()
    right = confidence(demo, scene.image, scene.caption, with_image_values(e, mask.astype(float)))
    wrong = confidence(demo, scene.image, scene.caption, with_image_values(e, -mask.astype(float)))
    assert right.image_drop < wrong.image_drop


def test_what_has_no_map_or_no_half_has_no_figure(demo: fx.DualEncoder, explanation: fx.Explanation) -> None:
    flat = confidence(demo, SCENE.image, SCENE.caption, with_image_values(explanation, 1.0))
    assert np.isnan(flat.image_drop)
    assert flat.text_drop >= 0
    word = fx.explain(demo, SCENE.image, "circle", budget=16)
    assert np.isnan(confidence(demo, SCENE.image, "circle", word).text_increase)
    with pytest.raises(InvalidParameterError, match="other players"):
        confidence(demo, SCENE.image, "circle", explanation)


def test_the_better_half() -> None:
    assert better_half(np.array([0.1, -3.0, 0.5, 0.2, 0.0])).tolist() == [False, False, True, True, False]
    assert better_half(np.array([1.0, 1.0, 1.0, 1.0])).tolist() == [True, True, False, False]
    assert better_half(np.array([-1.0])).tolist() == [True]
    distinct = np.random.default_rng(0).normal(size=9)
    assert np.array_equal(better_half(distinct), distinct > np.percentile(distinct, 50))
