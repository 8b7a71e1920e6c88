"""The adapter of two transformers: batches, views, precision, refusals. The values are in test_families."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import fixlip_core as fx
from fixlip_core.defaults import PREFIX_OVERHEAD
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.encoders.transformer import TransformerEncoder
from fixlip_core.errors import InvalidParameterError
from tests.support.small_models import small_clip, write_model


def test_rows_do_not_depend_on_their_batch(demo: Any) -> None:
    image = draw_scene(5).image
    present = np.random.default_rng(2).random((300, 64)) < 0.5
    together = demo.encode_images(image, present)
    np.testing.assert_allclose(together[137:140], demo.encode_images(image, present[137:140]), atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    assert together.dtype == np.float32


def test_bfloat16_is_close_to_float32(demo: Any) -> None:
    half = fx.load_encoder("demo", precision="bf16")
    image = draw_scene(6).image
    present = np.random.default_rng(3).random((20, 64)) < 0.5
    cosines = np.einsum("md,md->m", demo.encode_images(image, present), half.encode_images(image, present))
    assert cosines.min() > 0.995
    words = np.random.default_rng(4).random((20, 5)) < 0.5
    caption = "a red circle, blue"
    cosines = np.einsum("md,md->m", demo.encode_texts(caption, words), half.encode_texts(caption, words))
    assert cosines.min() > 0.995
    assert half.card.precision == "bf16"


def test_view_is_what_the_model_sees_and_its_own_view(demo: Any) -> None:
    photo = np.random.default_rng(5).integers(0, 255, (90, 200, 3), dtype=np.uint8)
    view = demo.view(photo)
    assert view.shape == (128, 128, 3)
    np.testing.assert_array_equal(demo.view(view), view)
    np.testing.assert_allclose(
        demo.encode_images(photo, np.ones((1, 64), bool)), demo.encode_images(view, np.ones((1, 64), bool)), atol=1e-6
    )


def test_pil_and_array_are_the_same_image(demo: Any) -> None:
    image = draw_scene(7).image
    np.testing.assert_array_equal(demo.view(image), demo.view(Image.fromarray(image).convert("RGBA")))


@pytest.mark.parametrize("removal", ["zero", "mean", "blur"])
def test_only_what_is_removed_differs_by_removal(demo: Any, removal: Any) -> None:
    image, present = draw_scene(9).image, np.ones((2, 64), bool)
    present[1, 10:40] = False
    embeddings = demo.encode_images(image, present, removal=removal)
    default = demo.encode_images(image, present)
    np.testing.assert_array_equal(embeddings[0], default[0])
    assert np.array_equal(embeddings[1], default[1]) == (removal == "zero")


def test_no_rows_give_no_embeddings(demo: Any) -> None:
    assert demo.encode_images(draw_scene(8).image, np.zeros((0, 64), bool)).shape == (0, 128)
    assert demo.encode_texts("a circle", np.zeros((0, 2), bool)).shape == (0, 128)


def test_what_cannot_be_encoded_is_refused(demo: Any) -> None:
    image = draw_scene(8).image
    with pytest.raises(InvalidParameterError, match=r"\(m, 64\)"):
        demo.encode_images(image, np.ones((2, 63), bool))
    with pytest.raises(InvalidParameterError, match="bool"):
        demo.encode_texts("a circle", np.ones((2, 2)))
    with pytest.raises(InvalidParameterError, match="zero, mean or blur"):
        demo.encode_images(image, np.ones((2, 64), bool), removal="hole")
    with pytest.raises(InvalidParameterError, match="mask or token"):
        demo.encode_texts("a circle", np.ones((2, 2), bool), removal="hole")


def test_text_cost_is_the_same_on_every_machine(tmp_path: Path) -> None:
    encoder: Any = fx.load_encoder(str(write_model(tmp_path / "small", small_clip())))
    assert isinstance(encoder, TransformerEncoder)
    # Products of the blocks; the last one needs keys and values of all positions, the rest of the pooled one.
    image = (2 * 12 * 17 + 2 * 17 + 10) * 48**2 + 2 * 16 * 3 * 64 * 48
    text = (1 * 12 * 24 + 2 * 24 + 10) * 32**2 / 24
    assert encoder.text_cost == pytest.approx(PREFIX_OVERHEAD * text / image, rel=0.1)
    assert encoder.text_cost == fx.load_encoder(str(tmp_path / "small")).text_cost
    assert encoder.text_positions(5) == 7


def test_gradient_modes_of_the_caller_do_not_matter(demo: Any) -> None:
    image, present = draw_scene(1).image, np.ones((1, 64), bool)
    with torch.enable_grad():
        inside = demo.encode_images(image, present)
    np.testing.assert_array_equal(inside, demo.encode_images(image, present))
    assert all(parameter.grad is None for parameter in demo.image_tower.enter.__closure__[0].cell_contents.parameters())
