"""The similarity game."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.errors import InvalidCaptionError, InvalidParameterError
from tests.support.fake_encoder import FakeEncoder


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
    with pytest.raises(InvalidParameterError, match="token or word"):
        fx.SimilarityGame.of(demo, draw_scene(1).image, "a circle", text_players="letter")
    with pytest.raises(InvalidParameterError, match="not both"):
        fx.SimilarityGame.of(demo, draw_scene(1).image, "a circle", regions=[[0, 1]], boxes=[(0, 0, 9, 9)])
    with pytest.raises(InvalidCaptionError):
        fx.SimilarityGame.of(demo, draw_scene(1).image, "")


def test_regions_and_words_are_played_together(demo: fx.DualEncoder) -> None:
    image, caption = draw_scene(1).image, "a cyan circle"
    labels = np.zeros((8, 8), int)
    labels[:, 5:] = 7
    grouped = fx.SimilarityGame.of(demo, image, caption, regions=labels.tolist(), text_players="word")
    assert grouped.players.n_image == 2
    assert grouped.players.region_labels == ("region 0", "region 7")
    assert grouped.players.tokens == ("a", "cyan", "circle")
    units = fx.SimilarityGame.of(demo, image, caption)
    x = np.zeros((3, 68), bool)
    x[0, :64], x[1, 64 + 1 : 64 + 3] = (labels == 7).ravel(), True
    x[2, :64], x[2, 67] = (labels == 0).ravel(), True
    joined = np.array([[0, 1, 0, 0, 0], [0, 0, 0, 1, 0], [1, 0, 0, 0, 1]], bool)
    np.testing.assert_allclose(grouped.value(joined), units.value(x), atol=1e-5)


def test_boxes_lie_on_the_submitted_image_not_on_the_view(demo: fx.DualEncoder) -> None:
    wide = np.asarray(Image.fromarray(draw_scene(1).image).resize((256, 128)))
    # The view is the middle square; its left half is a quarter of the picture.
    game = fx.SimilarityGame.of(demo, wide, "a circle", boxes=[(64, 0, 128, 128)])
    np.testing.assert_array_equal(game.players.owners.reshape(8, 8)[0], [0, 0, 0, 0, 1, 1, 1, 1])
    assert [game.players.label(player) for player in (0, 1)] == ["box 0", "background"]


def test_ways_of_removal_reach_the_encoder(demo: fx.DualEncoder) -> None:
    image, caption = draw_scene(1).image, "a red circle"
    x = np.random.default_rng(0).random((4, 67)) < 0.5
    game = fx.SimilarityGame.of(demo, image, caption, score="cosine", image_removal="blur", text_removal="token")
    a = demo.encode_images(image, x[:, :64], removal="blur")
    b = demo.encode_texts(caption, x[:, 64:], removal="token")
    np.testing.assert_allclose(game.value(x), (a.astype(float) * b).sum(axis=1), atol=1e-6)
    assert not np.allclose(
        game.value(x), fx.SimilarityGame.of(demo, image, caption, score="cosine").value(x), atol=1e-3
    )


def test_a_removal_that_the_encoder_has_not_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="by mask, not by 'token'") as caught:
        fx.SimilarityGame.of(FakeEncoder(), draw_scene(1).image, "a circle", text_removal="token")
    assert caught.value.field == "text_removal"


def test_players_are_patches_then_tokens(demo: fx.DualEncoder) -> None:
    players = demo.players("a cyan circle")
    assert players.tokens == ("a", "cy", "an", "circle")
    assert len(players) == 68
    assert players.label(9) == "r1c1"
    assert players.label(67) == "circle"
    assert players.is_image(63)
    assert not players.is_image(64)
