"""Pictures on a sheet: pixels as they are, and the view beneath its map, whose parts a vector file has one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.backend_bases import RendererBase
from matplotlib.image import BboxImage
from matplotlib.transforms import BboxBase
from PIL import Image

from fixlip_core.rendering import style
from fixlip_core.rendering.backdrop import MappedView
from fixlip_core.rendering.borders import borders
from fixlip_core.rendering.svg import SvgRenderer
from fixlip_core.types import ImageArray

__all__ = ["MapPicture", "Picture"]


class Picture(BboxImage):
    """A picture that is not resampled where its pixels are those of the sheet: that would take longer than all else.

    Args:
        pixels: makes the (h, w, 3) pixels, once they are needed.
        box: where it lies.
    """

    def __init__(self, pixels: Callable[[], ImageArray], box: BboxBase) -> None:
        super().__init__(box, interpolation="nearest", origin="upper", resample=True)
        self._make = pixels
        self._pixels: ImageArray | None = None

    def draw(self, renderer: RendererBase) -> None:
        """Draw it; called by matplotlib."""
        self._made()
        super().draw(renderer)

    def make_image(
        self, renderer: RendererBase, magnification: float = 1.0, unsampled: bool = False
    ) -> tuple[Any, float, float, Any]:
        """The pixels as the renderer wants them, and where they lie."""
        box = self.get_window_extent(renderer)
        pixels = self._made()
        height, width = pixels.shape[:2]
        if not np.allclose((box.width * magnification, box.height * magnification), (width, height), atol=0.01):
            return super().make_image(renderer, magnification, unsampled)
        # A renderer wants colours with their opacity, and the lowest line first.
        opaque = Image.fromarray(np.ascontiguousarray(pixels[::-1])).convert("RGBA")
        return np.array(opaque), box.x0, box.y0, None

    def _made(self) -> ImageArray:
        if self._pixels is None:
            self._pixels = self._make()
            self.set_data(self._pixels)
        return self._pixels


class MapPicture(Picture):
    """A view with its map: an SVG file has the map's colours as vectors, and over them the view as a shadow.

    Args:
        view: what to draw.
        left: its left edge on the sheet, pixels.
        top: its upper edge.
        box: the same place, for a renderer of pixels.
    """

    def __init__(self, view: MappedView, left: int, top: int, box: BboxBase) -> None:
        super().__init__(view.pixels, box)
        self._view = view
        self._corner = (left, top)

    def draw(self, renderer: RendererBase) -> None:
        """Draw it; called by matplotlib."""
        if isinstance(renderer, SvgRenderer):
            self._draw_parts(renderer)
        else:
            super().draw(renderer)

    def _draw_parts(self, renderer: SvgRenderer) -> None:
        left, top = self._corner
        backdrop = self._view.backdrop
        if self._view.colours is not None:
            renderer.tiles(self._view.colours, left, top, backdrop.patch_px)
        renderer.embed(self._view.shadow, left, top, backdrop.width, backdrop.height)
        if self._view.owners is not None:
            tall, wide = backdrop.patch_px
            lines = np.array([left, top]) + borders(self._view.owners) * np.array([wide, tall])
            renderer.lines(lines, width_px=style.BORDER_PX, rgb=style.BORDER_RGB)
