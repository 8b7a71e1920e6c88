"""The picture that a map lies over: the model's view without its colours, which are left to the map."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from fixlip_core.errors import InvalidImageError
from fixlip_core.rendering import style
from fixlip_core.types import FloatArray, ImageArray, IntArray

__all__ = ["Backdrop", "MappedView", "make_backdrop"]


GREYS = 48
"""Shades of the picture, fewer than the eye tells apart beneath a map: PNG files a third smaller."""
WHITE_PERCENTILE = 99.5
DARKEST_WHITE = 0.3
MEDIAN_GREY = 0.85
POWERS = (0.3, 1.0)
SHADOW_SCALE = 2
"""Pixels of the sheet to one of a vector file's picture: 150 to the inch, more than the models see."""


@dataclass(frozen=True, eq=False)
class Backdrop:
    """A view made ready to be drawn over.

    Attributes:
        grid: (rows, columns) of patches.
        patch_px: (height, width) of a patch on the sheet.
        shades: (height, width) uint8 from 0, black, to ``GREYS``, white: the view without colours at its size on the
            sheet.
        thumbnail: (h, w, 3) uint8: the view in its own colours, small.
    """

    grid: tuple[int, int]
    patch_px: tuple[int, int]
    shades: ImageArray
    thumbnail: ImageArray

    @property
    def width(self) -> int:
        """Width on the sheet, pixels."""
        return self.grid[1] * self.patch_px[1]

    @property
    def height(self) -> int:
        """Height on the sheet, pixels."""
        return self.grid[0] * self.patch_px[0]

    def tinted(self, colours: FloatArray) -> ImageArray:
        """(height, width, 3) the grey picture multiplied by a colour for each patch, (rows, columns, 3) in [0, 1].

        Multiplying keeps the picture's detail under strong colours as under weak ones, and leaves it grey at zero.
        """
        light = _lightness(style.HEAT_BACKDROP_BLACK)[:, None, None, None]
        tint = np.asarray(255 * colours, dtype=np.float32)
        # A colour is worked out once for each shade and patch, of which there are far fewer than pixels.
        table = np.rint(light * tint).astype(np.uint8).reshape(-1, 3)
        return np.asarray(table.take(self._places_in_table, axis=0))

    @cached_property
    def heat_shadow(self) -> bytes:
        """A PNG file of the picture as a shadow: over colours it gives what :meth:`tinted` gives."""
        return self._shadow(style.HEAT_BACKDROP_BLACK)

    @cached_property
    def faded_shadow(self) -> bytes:
        """The same of :meth:`faded`, over white."""
        return self._shadow(style.GRAPH_BACKDROP_BLACK)

    def _shadow(self, black: float) -> bytes:
        """Black whose opacity is what the picture takes from the light; at half the sheet's resolution."""
        size = (-(-self.width // SHADOW_SCALE), -(-self.height // SHADOW_SCALE))
        shades = Image.fromarray(self.shades).resize(size, Image.Resampling.BOX)
        shades.putpalette(bytes(3 * (GREYS + 1)))
        opacity = np.rint(255 * (1 - _lightness(black))).astype(np.uint8)
        stream = io.BytesIO()
        shades.save(stream, "PNG", transparency=opacity.tobytes())
        return stream.getvalue()

    @cached_property
    def _places_in_table(self) -> IntArray:
        """(height, width) shade and patch of every pixel in one number."""
        (rows, columns), (tall, wide) = self.grid, self.patch_px
        patches = np.arange(rows * columns).reshape(self.grid).repeat(tall, axis=0).repeat(wide, axis=1)
        return self.shades.astype(np.intp) * (rows * columns) + patches

    def bordered(self, pixels: ImageArray, owners: IntArray) -> ImageArray:
        """(height, width, 3) ``pixels`` with lines between patches that have different (rows, columns) ``owners``."""
        (tall, wide), ink = self.patch_px, np.array(style.BORDER_RGB, dtype=np.uint8)
        owner = owners.repeat(tall, axis=0).repeat(wide, axis=1)
        bordered = pixels.copy()
        for here, there in ((np.s_[:, 1:], np.s_[:, :-1]), (np.s_[1:], np.s_[:-1])):
            differs = owner[here] != owner[there]
            bordered[here][differs] = bordered[there][differs] = ink
        return bordered

    def faded(self) -> ImageArray:
        """(height, width, 3) the picture in light grey."""
        greys = np.rint(255 * _lightness(style.GRAPH_BACKDROP_BLACK)).astype(np.uint8)
        return np.repeat(greys[self.shades][..., None], 3, axis=2)


@dataclass(frozen=True, eq=False)
class MappedView:
    """A backdrop and what lies over it.

    Attributes:
        backdrop: the picture.
        colours: (rows, columns, 3) sRGB in [0, 1] of the patches; None where the picture is only faded.
        owners: (rows, columns) the regions that patches belong to, between which lines are drawn; None without lines.
    """

    backdrop: Backdrop
    colours: FloatArray | None = None
    owners: IntArray | None = None

    def pixels(self) -> ImageArray:
        """(height, width, 3) all of it."""
        plain = self.backdrop.faded() if self.colours is None else self.backdrop.tinted(self.colours)
        return plain if self.owners is None else self.backdrop.bordered(plain, self.owners)

    @property
    def shadow(self) -> bytes:
        """A PNG file of the picture alone, to be laid over the colours."""
        return self.backdrop.faded_shadow if self.colours is None else self.backdrop.heat_shadow


def make_backdrop(image: ImageArray, grid: tuple[int, int], *, width_px: int = style.IMAGE_PX) -> Backdrop:
    """Scale ``image`` to the sheet so that every patch of ``grid`` is a whole number of pixels.

    Args:
        image: (H, W, 3) uint8.
        grid: (rows, columns) of patches.
        width_px: greatest width on the sheet; the picture is at most half as high again, and no higher than a page.

    Raises:
        InvalidImageError: ``image`` is not (H, W, 3) uint8.
    """
    pixels = np.asarray(image)
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise InvalidImageError(
            f"image must be the model's view, (H, W, 3) uint8, not {pixels.shape} {pixels.dtype}: see encoder.view"
        )
    rows, columns = grid
    scale = min(width_px / pixels.shape[1], min(style.TALLEST * width_px, style.MAX_HEIGHT_PX) / pixels.shape[0])
    tall = max(1, int(pixels.shape[0] * scale / rows))
    wide = max(1, int(pixels.shape[1] * scale / columns))
    view = Image.fromarray(np.ascontiguousarray(pixels))
    grey = Image.fromarray(_grey(pixels)).resize((columns * wide, rows * tall), Image.Resampling.BICUBIC)
    shrink = min(style.COLUMN_PX / view.width, style.COLUMN_PX / view.height)
    small = (max(1, round(view.width * shrink)), max(1, round(view.height * shrink)))
    return Backdrop(
        grid=grid,
        patch_px=(tall, wide),
        shades=np.rint(np.clip(np.asarray(grey), 0, 1) * GREYS).astype(np.uint8),
        thumbnail=np.asarray(view.resize(small, Image.Resampling.LANCZOS)),
    )


def _lightness(black: float) -> FloatArray:
    """(GREYS + 1,) float32: how light every shade is drawn where black is drawn as ``black`` and white as 1."""
    return black + (1 - black) * np.arange(GREYS + 1, dtype=np.float32) / GREYS


def _grey(pixels: ImageArray) -> FloatArray:
    """(H, W) float32 in [0, 1]: half luma, half the darkest channel, made bright.

    In luma alone a coloured thing as light as its surroundings would vanish; its darkest channel sets it off. A
    bright picture lets a tint over it look as it does on the colour bar, so the median is lifted by a power.
    """
    colours = pixels.astype(np.float32) / 255
    grey = 0.5 * (colours @ np.array([0.299, 0.587, 0.114], dtype=np.float32)) + 0.5 * colours.min(axis=2)
    grey /= max(float(np.percentile(grey, WHITE_PERCENTILE)), DARKEST_WHITE)
    median = float(np.clip(np.median(grey), 0.01, 0.99))
    power = np.clip(np.log(MEDIAN_GREY) / np.log(median), *POWERS)
    return np.asarray(np.minimum(grey, np.float32(1)) ** np.float32(power))
