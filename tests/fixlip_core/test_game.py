"""The similarity game."""

from __future__ import annotations

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import InvalidCaptionError, InvalidParameterError


def test_value_is_the_scaled_similarity_of_the_masked_pair(demo: fx.DualEncoder) -> None:
    image, caption = draw_scene(1).image, "a red circle"
    x = np.random.default_rng(0).random((9, 67)) < 0.5
    x[5] = x[2]
    logit, cosine = (fx.SimilarityGame.of(demo, image, caption, score=score).value(x) for score in ("logit", "cosine"))
    a, b = demo.encode_images(image, x[:, :64]), demo.encode_texts(caption, x[:, 64:])
    np.testing.assert_allclose(cosine, (a.astype(float) * b).sum(axis=1), atol=1e-6)
    np.testing.assert_allclose(logit, demo.card.logit_scale * cosine + demo.card.logit_bias, atol=1e-5)
    assert logit[5] == logit[2]


def test_equal_halves_are_passed_once_and_counted(demo: fx.DualEncoder) -> None:
    counted: list[int] = []
    game = fx.SimilarityGame.of(demo, draw_scene(1).image, "a red circle", on_passes=counted.append)
    x = np.zeros((40, 67), bool)
    x[20:, 64:] = True
    game.value(x)
    assert sum(counted) == 1 + 2


def test_pairs_that_cannot_be_played_are_refused(demo: fx.DualEncoder) -> None:
    with pytest.raises(InvalidParameterError, match="logit or cosine"):
        fx.SimilarityGame.of(demo, draw_scene(1).image, "a circle", score="angle")
    with pytest.raises(InvalidCaptionError):
        fx.SimilarityGame.of(demo, draw_scene(1).image, "")


def test_players_are_patches_then_tokens(demo: fx.DualEncoder) -> None:
    players = demo.players("a cyan circle")
    assert players.tokens == ("a", "cy", "an", "circle")
    assert len(players) == 68
    assert players.label(9) == "r1c1"
    assert players.label(67) == "circle"
    assert players.is_patch(63)
    assert not players.is_patch(64)
