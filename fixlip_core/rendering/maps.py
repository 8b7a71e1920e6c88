"""All maps of an explanation as PNG and SVG files."""

from __future__ import annotations

from collections.abc import Iterator

from fixlip_core.evaluation.insertion_deletion import InsertionDeletion
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import titles
from fixlip_core.rendering.backdrop import Backdrop, make_backdrop
from fixlip_core.rendering.deletion import deletion_sheet
from fixlip_core.rendering.graph import interaction_graph_sheet
from fixlip_core.rendering.heatmaps import conditional_pixels, conditional_sheet, first_order_sheet, tokens_drawn
from fixlip_core.rendering.png import png_bytes
from fixlip_core.rendering.rendered import RenderedMap
from fixlip_core.rendering.sheet import Sheet
from fixlip_core.types import ImageArray

__all__ = ["render_maps"]


def render_maps(
    explanation: Explanation, image: ImageArray, *, curves: InsertionDeletion | None = None
) -> dict[str, RenderedMap]:
    """Draw ``first-order`` and, where there are pairs, ``graph`` and ``token-0``, ``token-1``, ...; in this order.

    Last, where they are given and have values, come the curves: ``insertion-deletion``.

    Of a caption of more than 24 tokens, the 24 that share most with the image are drawn, under their own numbers. The
    same explanation and image give the same bytes.

    Args:
        explanation: what to draw; values in units of its score.
        image: (H, W, 3) uint8, the view that the model saw; the grid of patches is laid evenly over it.
        curves: the explanation's insertion and deletion curves.

    Raises:
        InvalidImageError: ``image`` is of another shape or dtype.
        InvalidParameterError: a value of the explanation is not finite.
    """
    backdrop = make_backdrop(image, explanation.grid)
    maps = [_drawn("first-order", titles.first_order_title(explanation), first_order_sheet(explanation, backdrop))]
    if explanation.order > 1:
        maps.append(_drawn("graph", titles.graph_title(explanation), interaction_graph_sheet(explanation, backdrop)))
        maps.extend(_token_maps(explanation, backdrop))
    if curves is not None and curves.full_value != curves.empty_value:
        maps.append(_drawn("insertion-deletion", titles.CURVES, deletion_sheet(curves)))
    return {drawn.name: drawn for drawn in maps}


def _drawn(name: str, title: str, sheet: Sheet) -> RenderedMap:
    return RenderedMap(name, title, png_bytes(sheet.pixels()), sheet.svg(title))


def _token_maps(explanation: Explanation, backdrop: Backdrop) -> Iterator[RenderedMap]:
    indices = tokens_drawn(explanation)
    for index, pixels in zip(indices, conditional_pixels(explanation, backdrop, indices), strict=True):
        title = titles.conditioned_title(explanation, index)
        svg = conditional_sheet(explanation, backdrop, index).svg(title)
        yield RenderedMap(f"token-{index}", title, png_bytes(pixels), svg)
