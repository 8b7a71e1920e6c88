"""What the generic encoder adds to the families' equalities: its grid, its limits and its refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fixlip_core as fx
from fixlip_core.demo.scenes import draw_scene
from fixlip_core.encoders import generic
from fixlip_core.encoders.generic import GenericEncoder, nearest_grid
from fixlip_core.errors import InvalidParameterError
from tests.support.small_models import small_coca, small_resnet, write_model


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return fx.load_encoder(str(write_model(tmp_path_factory.mktemp("model"), small_resnet())))


@pytest.mark.parametrize(
    ("size", "grid"),
    [
        ((224, 224), (7, 7)),
        ((256, 256), (8, 8)),
        ((288, 288), (8, 8)),
        ((384, 384), (8, 8)),
        ((336, 224), (7, 7)),
        ((320, 448), (8, 7)),
        ((11, 5), (11, 5)),
        ((17, 1), (1, 1)),
    ],
)
def test_nearest_grid(size: tuple[int, int], grid: tuple[int, int]) -> None:
    assert nearest_grid(size) == grid
    assert (size[0] % grid[0], size[1] % grid[1]) == (0, 0)


def test_patches_of_the_models_own_are_taken(tmp_path: Path) -> None:
    """CoCa's pooling is not known, but its ViT has patches."""
    encoder = fx.load_encoder(str(write_model(tmp_path, small_coca())))
    assert isinstance(encoder, GenericEncoder)
    assert encoder.card.grid == (4, 4)


@pytest.mark.parametrize("own", [(0, 0), (7, 7), (64, 32)])
def test_patches_that_do_not_divide_the_picture_or_are_too_many_are_not(encoder: Any, own: tuple[int, int]) -> None:
    card = replace(encoder.card, grid=own)
    assert GenericEncoder.of(encoder.model, encoder.pictures.preprocess, card).card.grid == (8, 8)
    card = replace(encoder.card, grid=(32, 32))
    assert GenericEncoder.of(encoder.model, encoder.pictures.preprocess, card).card.grid == (32, 32)


@pytest.mark.parametrize("grid", [(0, 8), (-8, 8), (7, 8), (8, 3), (128, 64)])
def test_grids_that_do_not_divide_the_picture_are_refused(encoder: Any, grid: tuple[int, int]) -> None:
    with pytest.raises(InvalidParameterError, match="64 x 64") as caught:
        GenericEncoder.of(encoder.model, encoder.pictures.preprocess, encoder.card, grid=grid)
    assert caught.value.field == "grid"


def test_a_wide_grid_masks_wide_cells(encoder: Any) -> None:
    """One cell of two: the left half of the picture, whose content then no longer matters."""
    halves = GenericEncoder.of(encoder.model, encoder.pictures.preprocess, encoder.card, grid=(1, 2))
    image = encoder.view(draw_scene(2).image)
    other = image.copy()
    other[:, :32] = 255 - other[:, :32]
    hidden, shown = np.array([[False, True]]), np.array([[True, True]])
    np.testing.assert_array_equal(halves.encode_images(image, hidden), halves.encode_images(other, hidden))
    assert np.abs(halves.encode_images(image, shown) - halves.encode_images(other, shown)).max() > 1e-3


def test_batches_are_bounded(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the result does not depend on the bound."""
    sizes: list[int] = []
    whole = encoder.encode_images(draw_scene(3).image, present := np.random.default_rng(0).random((10, 64)) < 0.5)
    encode = encoder.model.encode_image

    def counted(pixels: Any, *, normalize: bool) -> Any:
        sizes.append(len(pixels))
        return encode(pixels, normalize=normalize)

    monkeypatch.setattr(generic, "PIXELS_PER_BATCH", 4 * 64 * 64)
    monkeypatch.setattr(encoder.model, "encode_image", counted)
    small = replace(encoder)
    np.testing.assert_allclose(small.encode_images(draw_scene(3).image, present), whole, atol=1e-5)
    assert sizes == [4, 4, 4]  # the last two rows and two to make their bits those of full batches


def test_a_picture_larger_than_a_batch_goes_by_itself(encoder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    present = np.ones((2, 64), bool)
    whole = encoder.encode_images(draw_scene(3).image, present)
    monkeypatch.setattr(generic, "PIXELS_PER_BATCH", 1)
    np.testing.assert_allclose(replace(encoder).encode_images(draw_scene(3).image, present), whole, atol=1e-5)


def test_no_rows_give_no_embeddings(encoder: Any) -> None:
    assert encoder.encode_images(draw_scene(8).image, np.zeros((0, 64), bool)).shape == (0, 32)
    assert encoder.encode_texts("a circle", np.zeros((0, 2), bool)).shape == (0, 32)


def test_what_it_cannot_do_is_refused_by_name(encoder: Any) -> None:
    ones = np.ones((1, 2), bool)
    with pytest.raises(InvalidParameterError, match="cannot be masked inside") as caught:
        encoder.encode_texts("a circle", ones, removal="mask")
    assert caught.value.field == "text_removal"
    with pytest.raises(InvalidParameterError, match="zero, mean or blur"):
        encoder.encode_images(draw_scene(8).image, np.ones((1, 64), bool), removal="noise")
    with pytest.raises(InvalidParameterError, match=r"\(m, 64\)"):
        encoder.encode_images(draw_scene(8).image, ones)
    with pytest.raises(InvalidParameterError, match=r"\(m, 2\)"):
        encoder.encode_texts("a circle", np.ones((1, 3), bool))


def test_it_says_what_it_is(encoder: Any) -> None:
    assert encoder.text_removals == ("token",)
    assert not encoder.shares_prefixes
    assert encoder.text_positions(3) == encoder.card.context_length
    assert not encoder.card.attention
    assert encoder.text_cost == encoder.text_cost > 0
    assert encoder.source_of_view((64, 64)).shape == (64, 64, 2)


def test_the_model_is_left_as_it_was(encoder: Any) -> None:
    before = {name: tensor.clone() for name, tensor in encoder.model.state_dict().items()}
    encoder.encode_images(draw_scene(4).image, np.random.default_rng(1).random((6, 64)) < 0.5)
    encoder.encode_texts("a red circle", np.random.default_rng(1).random((6, 3)) < 0.5)
    assert not encoder.model.training
    for name, tensor in encoder.model.state_dict().items():
        assert tensor.equal(before[name]), name
