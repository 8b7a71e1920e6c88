from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.errors import InvalidImageError
from fixlip_core.rendering import style
from fixlip_core.rendering.backdrop import GREYS, make_backdrop
from fixlip_core.types import ImageArray


@pytest.mark.parametrize("grid", [(7, 7), (8, 8), (14, 14), (16, 16), (24, 24), (27, 27)])
def test_patches_are_whole_pixels_and_fill_the_column(view: ImageArray, grid: tuple[int, int]) -> None:
    backdrop = make_backdrop(view, grid)
    assert backdrop.shades.shape == (backdrop.height, backdrop.width)
    assert backdrop.height == backdrop.width == grid[1] * backdrop.patch_px[1]
    assert 0.96 * style.IMAGE_PX <= backdrop.width <= style.IMAGE_PX


def test_other_shapes_keep_their_proportions() -> None:
    tall = make_backdrop(np.zeros((300, 100, 3), dtype=np.uint8), (12, 4))
    assert tall.height == pytest.approx(3 * tall.width, rel=0.02)
    assert tall.height <= style.TALLEST * style.IMAGE_PX
    wide = make_backdrop(np.zeros((100, 400, 3), dtype=np.uint8), (4, 16))
    assert wide.width == pytest.approx(4 * wide.height, rel=0.02)


def test_a_colour_as_light_as_its_surroundings_stays_visible() -> None:
    image = np.full((64, 64, 3), (176, 176, 176), dtype=np.uint8)
    image[16:48, 16:48] = (230, 151, 160)  # of the same luma
    shades = make_backdrop(image, (8, 8)).shades
    middle, corner = shades[400:420, 400:420].mean(), shades[:20, :20].mean()
    assert middle < corner - 0.04 * GREYS


@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_flat_pictures_have_one_shade(level: int) -> None:
    shades = make_backdrop(np.full((32, 32, 3), level, dtype=np.uint8), (4, 4)).shades
    assert 0 <= shades.min() == shades.max() <= GREYS


def test_shades_stay_in_range_at_sharp_edges() -> None:
    image = np.zeros((32, 32, 3), dtype=np.uint8)
    image[::2] = 255
    backdrop = make_backdrop(image, (4, 4))
    assert backdrop.shades.min() == 0
    assert backdrop.shades.max() == GREYS
    assert backdrop.faded().min() == round(255 * style.GRAPH_BACKDROP_BLACK)


def test_a_tint_colours_its_patch_and_no_other(white: ImageArray) -> None:
    colours = np.ones((4, 4, 3))
    colours[1, 2] = (0.8, 0.4, 0.0)
    pixels = make_backdrop(white, (4, 4)).tinted(colours)
    np.testing.assert_array_equal(pixels[204:408, 408:612], np.broadcast_to([204, 102, 0], (204, 204, 3)))
    pixels[204:408, 408:612] = 255
    assert pixels.min() == 255


@pytest.mark.parametrize("grid", [(2, 3), (24, 24)])
def test_every_pixel_is_its_shade_in_the_colour_of_its_patch(view: ImageArray, grid: tuple[int, int]) -> None:
    colours = np.random.default_rng(0).random((*grid, 3))
    backdrop = make_backdrop(view, grid)
    tall, wide = backdrop.patch_px
    light = style.HEAT_BACKDROP_BLACK + (1 - style.HEAT_BACKDROP_BLACK) * backdrop.shades / GREYS
    expected = 255 * light[..., None] * colours.repeat(tall, axis=0).repeat(wide, axis=1)
    np.testing.assert_allclose(backdrop.tinted(colours), expected, atol=0.501)


def test_a_tint_leaves_dark_things_visible() -> None:
    image = np.full((64, 64, 3), 255, dtype=np.uint8)
    image[:32] = 0
    pixels = make_backdrop(image, (2, 2)).tinted(style.diverging(np.ones((2, 2)), 1.0))
    assert pixels[100, 100].sum() < 0.7 * pixels[700, 700].sum()


@pytest.mark.parametrize(
    "image",
    [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3)), np.zeros((0, 8, 3), np.uint8)],
)
def test_other_arrays_are_refused(image: ImageArray) -> None:
    with pytest.raises(InvalidImageError, match=r"\(H, W, 3\) uint8") as caught:
        make_backdrop(image, (2, 2))
    assert caught.value.field == "image"


def test_lines_run_between_different_owners_alone(white: ImageArray) -> None:
    backdrop = make_backdrop(white, (4, 4))
    plain = backdrop.faded()
    owners = np.zeros((4, 4), int)
    owners[:, 2:] = 1
    bordered = backdrop.bordered(plain, owners)
    changed = (bordered != plain).any(axis=-1)
    np.testing.assert_array_equal(np.flatnonzero(changed.any(axis=0)), [407, 408])
    assert changed[:, 407:409].all()
    np.testing.assert_array_equal(plain, backdrop.faded())
