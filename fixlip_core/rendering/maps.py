"""All maps of an explanation as PNG files."""

from __future__ import annotations

from dataclasses import dataclass

from fixlip_core.explanation import Explanation
from fixlip_core.rendering.backdrop import make_backdrop
from fixlip_core.rendering.graph import interaction_graph_sheet
from fixlip_core.rendering.heatmaps import conditional_sheet, first_order_sheet
from fixlip_core.rendering.sheet import png_bytes
from fixlip_core.types import ImageArray

__all__ = ["RenderedMap", "render_maps"]


@dataclass(frozen=True, slots=True)
class RenderedMap:
    """A drawn map: ``name`` is fit for a file, ``title`` is for people (with a token as it is: escape it in markup).

    ``png`` is a PNG file of column width at 300 dots per inch.
    """

    name: str
    title: str
    png: bytes


def render_maps(explanation: Explanation, image: ImageArray) -> dict[str, RenderedMap]:
    """Draw ``first-order``, ``graph`` and, for every token, ``token-0``, ``token-1``, ...; in this order.

    The same explanation and image give the same bytes.

    Args:
        explanation: what to draw; values in units of its score.
        image: (H, W, 3) uint8, the view that the model saw; the grid of patches is laid evenly over it.

    Raises:
        InvalidImageError: ``image`` is of another shape or dtype.
        InvalidParameterError: a value of the explanation is not finite.
    """
    backdrop = make_backdrop(image, explanation.grid)
    sheets = [
        ("first-order", "Main effects of patches and words", first_order_sheet(explanation, backdrop)),
        ("graph", "Strongest interactions", interaction_graph_sheet(explanation, backdrop)),
    ]
    maps = {name: RenderedMap(name, title, png_bytes(sheet.figure)) for name, title, sheet in sheets}
    for index, token in enumerate(explanation.tokens):
        name, title = f"token-{index}", f'Interactions with "{token}"'
        sheet = conditional_sheet(explanation, backdrop, index)
        maps[name] = RenderedMap(name, title, png_bytes(sheet.figure))
    return maps
