"""The sheet that every figure is drawn on, and the parts that they share.

Only matplotlib's object-oriented interface is used, and every property that it would take from its global settings
is given: figures can be drawn in several threads, and look the same in a process that has changed those settings.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch
from PIL import Image

from fixlip_core.errors import InvalidParameterError
from fixlip_core.rendering import style
from fixlip_core.rendering.backdrop import Backdrop
from fixlip_core.rendering.text import font
from fixlip_core.rendering.words import LINE_PX, Word
from fixlip_core.types import FloatArray, ImageArray

__all__ = ["Sheet", "magnitude", "png_bytes"]

BAR_PX = 34
BASELINE_PX = 33


class Sheet:
    """A figure of column width whose unit is the pixel and whose origin is the top left corner.

    Args:
        height_px: height in pixels; rounded up to a whole number.
    """

    def __init__(self, height_px: float) -> None:
        self.height_px = int(np.ceil(height_px))
        # The canvas cuts inches times dots per inch down to whole pixels: stay clear of 999.9999.
        size = ((style.WIDTH_PX + 0.001) / style.DPI, (self.height_px + 0.001) / style.DPI)
        self.figure = Figure(figsize=size, dpi=style.DPI, facecolor=style.PAPER)
        self.figure.set_layout_engine("none")
        self._canvas = FigureCanvasAgg(self.figure)
        self.axes = self.figure.add_axes((0.0, 0.0, 1.0, 1.0))
        self.axes.set_axis_off()
        self.axes.set(xlim=(0, style.WIDTH_PX), ylim=(self.height_px, 0), autoscale_on=False)

    def pixels(self) -> ImageArray:
        """(height, width, 3) what is drawn."""
        self._canvas.draw()
        return np.array(self._canvas.buffer_rgba())[..., :3]

    def picture(self, pixels: ImageArray, *, left: float, top: float, width: float, height: float) -> None:
        """Draw (h, w, 3) ``pixels`` over the given box."""
        self.axes.imshow(
            pixels,
            extent=(left, left + width, top + height, top),
            aspect="auto",
            interpolation="nearest",
            origin="upper",
            resample=True,
        )
        self.axes.set(xlim=(0, style.WIDTH_PX), ylim=(self.height_px, 0))

    def view(self, pixels: ImageArray, backdrop: Backdrop) -> None:
        """Draw the picture with its map, (backdrop.height, backdrop.width, 3), in its place at the top left."""
        margin = style.MARGIN_PX
        self.picture(pixels, left=margin, top=margin, width=backdrop.width, height=backdrop.height)

    def thumbnail(self, backdrop: Backdrop) -> tuple[float, float]:
        """Draw the view in its own colours at the head of the key; returns (left, top) of the rest of the key."""
        left = style.MARGIN_PX + backdrop.width + style.GAP_PX
        height, width = backdrop.thumbnail.shape[:2]
        self.picture(backdrop.thumbnail, left=left, top=style.MARGIN_PX, width=width, height=height)
        return left, style.MARGIN_PX + height + style.GAP_PX

    def notice(self, text: str, backdrop: Backdrop) -> None:
        """Say in the middle of the picture why there is nothing on it."""
        self.text(
            style.MARGIN_PX + backdrop.width / 2,
            style.MARGIN_PX + backdrop.height / 2,
            text,
            size_pt=style.WORD_PT,
            horizontalalignment="center",
            bbox={
                "boxstyle": "round,pad=0.5",
                "facecolor": style.PAPER,
                "edgecolor": style.FAINT,
                "linewidth": style.HAIRLINE_PT,
            },
        )

    def text(self, x: float, y: float, text: str, **options: Any) -> None:
        """Write ``text``, which is never taken for markup, with its anchor at (x, y)."""
        size = options.pop("size_pt", style.LABEL_PT)
        given = {"color": style.INK, "verticalalignment": "center", **options}
        self.axes.text(x, y, text, fontproperties=font(size), parse_math=False, usetex=False, **given)

    def words(self, words: Sequence[Word], *, fills: Sequence[Any], inks: Sequence[str], edges: Sequence[Any]) -> None:
        """Draw the caption: each word on its fill, in its ink, with its edge."""
        boxes = [
            FancyBboxPatch((w.left, w.top), w.width, LINE_PX, boxstyle="round,pad=0,rounding_size=9") for w in words
        ]
        self.axes.add_collection(
            PatchCollection(
                boxes, facecolors=fills, edgecolors=edges, linewidths=style.HAIRLINE_PT, antialiaseds=True, zorder=4
            ),
            autolim=False,
        )
        for word, ink in zip(words, inks, strict=True):
            self.text(
                word.centre,
                word.top + BASELINE_PX,
                word.text,
                size_pt=style.WORD_PT,
                color=ink,
                horizontalalignment="center",
                verticalalignment="baseline",
                zorder=5,
            )

    def colour_bar(self, limit: float, label: str, *, left: float, top: float, height: float) -> None:
        """Draw the scale from ``limit`` on top to ``-limit``, with round ticks and what it measures."""
        power = style.exponent(limit)
        shades = _shades(np.linspace(1.0, -1.0, max(2, int(height)))[:, None], 1.0)
        self.picture(shades, left=left, top=top, width=BAR_PX, height=height)
        for tick in style.ticks(limit):
            y = top + height / 2 * (1 - (tick / limit if limit > 0 else 0.0))
            self.axes.add_line(
                Line2D(
                    [left + BAR_PX, left + BAR_PX + 6], [y, y], color=style.INK, linewidth=style.HAIRLINE_PT, marker=""
                )
            )
            self.text(left + BAR_PX + 11, y, style.signed(tick / 10.0**power))
        self.text(
            style.WIDTH_PX - style.MARGIN_PX - 8,
            top + height / 2,
            style.in_powers(label, power),
            rotation=90,
            horizontalalignment="center",
        )


def magnitude(values: FloatArray, *, name: str) -> float:
    """Greatest absolute value, the end of the symmetric scale; 0 where there are no values.

    Raises:
        InvalidParameterError: a value is not finite.
    """
    if not np.isfinite(values).all():
        raise InvalidParameterError(f"the {name} of an explanation must be finite to be drawn", field="explanation")
    return float(np.abs(values).max(initial=0.0))


def _shades(values: FloatArray, limit: float) -> ImageArray:
    """(..., 3) uint8 colours of ``values`` on the scale."""
    return np.rint(255 * style.diverging(values, limit)).astype(np.uint8)


def png_bytes(pixels: ImageArray) -> bytes:
    """The pixels of a sheet as a PNG file at its own resolution; the same pixels give the same bytes."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG", dpi=(style.DPI, style.DPI), compress_level=4)
    return stream.getvalue()
