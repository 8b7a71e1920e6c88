from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fixlip_core.rendering import style
from fixlip_core.rendering.png import png_bytes
from fixlip_core.types import ImageArray


def noise(height: int, width: int) -> ImageArray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 5), (7, 1), (40, 31)])
def test_the_pixels_are_those_that_were_given(height: int, width: int) -> None:
    pixels = noise(height, width)
    with Image.open(io.BytesIO(png_bytes(pixels))) as image:
        image.verify()
    with Image.open(io.BytesIO(png_bytes(pixels))) as image:
        assert (image.format, image.mode) == ("PNG", "RGB")
        np.testing.assert_array_equal(np.asarray(image), pixels)


def test_pixels_need_not_lie_one_after_the_other() -> None:
    pixels = noise(20, 30)
    assert png_bytes(np.asfortranarray(pixels)) == png_bytes(pixels)
    assert png_bytes(pixels[::2, ::-1]) == png_bytes(pixels[::2, ::-1].copy())


def test_the_file_has_its_resolution_and_nothing_else() -> None:
    with Image.open(io.BytesIO(png_bytes(noise(4, 4)))) as image:
        assert image.info.keys() == {"dpi"}
        assert image.info["dpi"] == pytest.approx((style.DPI, style.DPI), abs=0.1)
