"""The image transform taken apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fixlip_core.encoders._open_clip import open_clip
from fixlip_core.encoders.pictures import Pictures
from fixlip_core.errors import InvalidParameterError


def pictures(size: int = 32, **options: Any) -> Pictures:
    return Pictures(open_clip().image_transform((size, size), is_train=False, **options))


@pytest.mark.parametrize("mode", ["shortest", "squash", "longest"])
@pytest.mark.parametrize("size", [(32, 32), (64, 64), (96, 48), (40, 90)])
def test_source_of_view_names_the_pixel_that_is_shown(mode: str, size: tuple[int, int]) -> None:
    """A picture whose colours are its coordinates shows them."""
    width, height = size
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    image = np.stack([rows * 2, columns * 2, np.full_like(rows, 255)], axis=-1).astype(np.uint8)
    taken = pictures(resize_mode=mode)
    view, source = taken.view(image), taken.source_of_view(size)
    assert source.shape == (32, 32, 2)
    inside = source.min(axis=-1) >= 0
    # Blue is full wherever there is picture, and falls off at the border of padding.
    assert inside[view[..., 2] > 250].all()
    assert not inside[view[..., 2] < 5].any()
    assert source.reshape(-1, 2).max(axis=0).tolist() < [height, width]
    clear = view[..., 2] > 250
    np.testing.assert_allclose(source[clear] * 2, view[clear][:, :2].astype(int), atol=5)


def test_padding_has_no_source() -> None:
    source = pictures(resize_mode="longest").source_of_view((96, 48))
    assert (source[0] == -1).all()
    assert (source[16] >= 0).all()


def test_baselines() -> None:
    taken = pictures()
    view = taken.view(np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8))
    pixels = taken.pixels(view)
    assert pixels.shape == (1, 3, 32, 32)
    assert not taken.baseline(view, "zero").any()
    mean = taken.baseline(view, "mean")
    np.testing.assert_allclose(mean[0, :, 5, 7], pixels.mean(dim=(0, 2, 3)), atol=1e-6)
    blur = taken.baseline(view, "blur")
    assert 0 < float(blur.std()) < 0.5 * float(pixels.std())
    unknown: Any = "hole"
    with pytest.raises(InvalidParameterError, match="zero, mean or blur"):
        taken.baseline(view, unknown)
