"""The sheet that every figure is drawn on, and the parts that they share.

Only matplotlib's object-oriented interface is used, and every property that it would take from its global settings
is given: figures can be drawn in several threads, and look the same in a process that has changed those settings.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyBboxPatch
from matplotlib.transforms import Affine2D, Bbox, TransformedBbox
from PIL import Image

from fixlip_core.errors import InvalidParameterError
from fixlip_core.rendering import style
from fixlip_core.rendering.backdrop import Backdrop, MappedView
from fixlip_core.rendering.pictures import MapPicture, Picture
from fixlip_core.rendering.svg import SvgRenderer
from fixlip_core.rendering.text import font
from fixlip_core.rendering.words import LINE_PX, Word
from fixlip_core.types import FloatArray, ImageArray

__all__ = ["Sheet", "magnitude"]

BAR_PX = 34
BASELINE_PX = 33


class Sheet:
    """A figure whose unit is the pixel and whose origin is the top left corner.

    Everything lies on the figure itself: axes would measure and clip what is drawn, which takes longer than drawing it.

    Args:
        height_px: height in pixels; rounded up to a whole number.
        width_px: width in pixels; by default that of a column.
    """

    def __init__(self, height_px: float, *, width_px: int = style.WIDTH_PX) -> None:
        self.height_px = int(np.ceil(height_px))
        self.width_px = width_px
        # The canvas cuts inches times dots per inch down to whole pixels: stay clear of 999.9999.
        size = ((self.width_px + 0.001) / style.DPI, (self.height_px + 0.001) / style.DPI)
        self.figure = Figure(figsize=size, dpi=style.DPI, facecolor=style.PAPER)
        self.figure.set_layout_engine("none")
        self._canvas = FigureCanvasAgg(self.figure)
        inches = Affine2D().scale(1 / style.DPI, -1 / style.DPI).translate(0, self.height_px / style.DPI)
        self._units = inches + self.figure.dpi_scale_trans

    def pixels(self) -> ImageArray:
        """(height, width, 3) what is drawn."""
        self._canvas.draw()
        return np.asarray(Image.fromarray(np.asarray(self._canvas.buffer_rgba())).convert("RGB"))

    def svg(self, title: str) -> bytes:
        """What is drawn as an SVG file; ``title`` may have any characters."""
        renderer = SvgRenderer(self.width_px, self.height_px)
        self.figure.draw(renderer)
        return renderer.document(title)

    def pdf(self, title: str) -> bytes:
        """What is drawn as a PDF file, its text in letters of an embedded font; ``title`` may have any characters."""
        stream = io.BytesIO()
        about = {
            "Title": title.encode(errors="replace").decode(),
            "CreationDate": None,
            "Creator": None,
            "Producer": None,
        }
        with _embedded_letters():
            self.figure.savefig(stream, format="pdf", dpi=style.DPI, metadata=about)
        return stream.getvalue()

    def add(self, artist: Artist) -> None:
        """Draw something given in pixels of the sheet."""
        artist.set_transform(self._units)
        self.figure.add_artist(artist)

    def picture(self, pixels: ImageArray, *, left: int, top: int) -> None:
        """Draw (h, w, 3) ``pixels`` one to one, with their top left corner at (left, top)."""
        height, width = pixels.shape[:2]
        self.figure.add_artist(Picture(lambda: pixels, self._place(left, top, width, height)))

    def view(self, view: MappedView, *, left: int = style.MARGIN_PX, top: int = style.MARGIN_PX) -> None:
        """Draw the picture with its map, by default in its place at the top left."""
        place = self._place(left, top, view.backdrop.width, view.backdrop.height)
        self.figure.add_artist(MapPicture(view, left, top, place))

    def _place(self, left: float, top: float, width: float, height: float) -> TransformedBbox:
        return TransformedBbox(Bbox.from_bounds(left, top, width, height), self._units)

    def thumbnail(self, backdrop: Backdrop) -> tuple[int, int]:
        """Draw the view in its own colours at the head of the key; returns (left, top) of the rest of the key."""
        left = style.MARGIN_PX + backdrop.width + style.GAP_PX
        self.picture(backdrop.thumbnail, left=left, top=style.MARGIN_PX)
        return left, style.MARGIN_PX + len(backdrop.thumbnail) + style.GAP_PX

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

    def text(self, x: float, y: float, text: str, *, written: str = "", **options: Any) -> None:
        """Write ``text``, which is never taken for markup, with its anchor at (x, y).

        Where readers bring fonts of their own, ``written`` takes its place: what ``text`` would be in a font that lacks
        nothing.
        """
        size = options.pop("size_pt", style.LABEL_PT)
        given = {"color": style.INK, "verticalalignment": "center", "transform": self._units, **options}
        self.figure.text(x, y, text, fontproperties=font(size), parse_math=False, usetex=False, label=written, **given)

    def words(self, words: Sequence[Word], *, fills: Sequence[Any], inks: Sequence[str], edges: Sequence[Any]) -> None:
        """Draw the caption: each word on its fill, in its ink, with its edge."""
        boxes = [
            FancyBboxPatch((w.left, w.top), w.width, LINE_PX, boxstyle="round,pad=0,rounding_size=9") for w in words
        ]
        look: dict[str, Any] = {"facecolors": fills, "edgecolors": edges, "linewidths": style.HAIRLINE_PT}
        self.add(PatchCollection(boxes, antialiaseds=True, zorder=4, **look))
        for word, ink in zip(words, inks, strict=True):
            self.text(
                word.centre,
                word.top + BASELINE_PX,
                word.text,
                written=word.written,
                size_pt=style.WORD_PT,
                color=ink,
                horizontalalignment="center",
                verticalalignment="baseline",
                zorder=5,
            )

    def colour_bar(self, limit: float, label: str, *, left: int, top: int, height: int) -> None:
        """Draw the scale from ``limit`` on top to ``-limit``, with round ticks and what it measures."""
        power = style.exponent(limit)
        shades = _shades(np.linspace(1.0, -1.0, height)[:, None], 1.0)
        self.picture(shades.repeat(BAR_PX, axis=1), left=left, top=top)
        for tick in style.ticks(limit):
            y = top + height / 2 * (1 - (tick / limit if limit > 0 else 0.0))
            ends = [left + BAR_PX, left + BAR_PX + 6]
            self.add(Line2D(ends, [y, y], color=style.INK, linewidth=style.HAIRLINE_PT, marker=""))
            self.text(left + BAR_PX + 11, y, style.signed(tick / 10.0**power))
        self.text(
            left + style.COLUMN_PX - 8,
            top + height / 2,
            style.in_powers(label, power),
            rotation=90,
            horizontalalignment="center",
        )


_PDF_SETTINGS: Final = threading.Lock()
_TRUETYPE: Final = 42
"""The kind of embedded fonts that publishers take: matplotlib's own choice, kind 3, many refuse."""


@contextmanager
def _embedded_letters() -> Iterator[None]:
    """Have PDF files embed the font's letters; only a global setting says so."""
    with _PDF_SETTINGS:
        before = matplotlib.rcParams["pdf.fonttype"]
        matplotlib.rcParams["pdf.fonttype"] = _TRUETYPE
        try:
            yield
        finally:
            matplotlib.rcParams["pdf.fonttype"] = before


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
