"""Small multiples: the conditioned maps of all words in one figure, on one scale."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from fixlip_core.explanation import Explanation
from fixlip_core.rendering import style
from fixlip_core.rendering.backdrop import Backdrop, make_backdrop
from fixlip_core.rendering.heatmaps import cross_label, cross_limit, tinted, tokens_drawn
from fixlip_core.rendering.sheet import Sheet
from fixlip_core.rendering.size import COLUMN, FigureSize
from fixlip_core.rendering.text import as_written, drawable, elided
from fixlip_core.types import ImageArray

__all__ = ["words_sheet"]

NARROWEST_PX: Final = 240
"""Of a map, 0.8 inches: patches of a fine grid are still told apart."""
KEY_PX: Final = 480
"""Least height of thumbnail and colour bar together."""
WORD_PX: Final = 40
BETWEEN_PX: Final = 20


def words_sheet(explanation: Explanation, image: ImageArray, *, size: FigureSize = COLUMN) -> Sheet:
    """The map of every word's interactions with the patches, its word above it, in reading order.

    Of a caption of more than 24 tokens, the 24 that share most with the image are drawn, and the figure says so.

    Args:
        explanation: what to draw; of order 2.
        image: (H, W, 3) uint8, the view that the model saw.
        size: of the figure.

    Raises:
        InvalidImageError: ``image`` is of another shape or dtype.
        InvalidParameterError: a value of the explanation is not finite.
    """
    indices = tokens_drawn(explanation)
    limit = cross_limit(explanation)
    key = make_backdrop(image, explanation.grid, width_px=style.COLUMN_PX)
    layout = _laid_out(len(indices), key.thumbnail, size)
    backdrop = make_backdrop(image, explanation.grid, width_px=layout.map_px)
    line_px = WORD_PX + backdrop.height + BETWEEN_PX
    left_out = len(explanation.tokens) - len(indices)
    end = style.MARGIN_PX + max(layout.lines * line_px - BETWEEN_PX, KEY_PX)
    sheet = Sheet(end + style.MARGIN_PX + (WORD_PX if left_out else 0), width_px=size.width_px)
    for place, index in enumerate(indices):
        line, column = divmod(place, layout.columns)
        left, top = layout.left(column), style.MARGIN_PX + line * line_px
        token = explanation.tokens[index]
        word = elided(drawable(token), style.WORD_PT, backdrop.width)
        sheet.text(left, top + WORD_PX / 2, word, written=as_written(word, token), size_pt=style.WORD_PT)
        view = tinted(explanation.players, explanation.conditional(index), limit, backdrop)
        sheet.view(view, left=left, top=top + WORD_PX)
    _draw_key(sheet, key, limit, cross_label(explanation), left=layout.left(layout.columns), end=end)
    if left_out:
        note = f"{left_out} of {len(explanation.tokens)} words, which share less with the image, are not shown"
        room = size.content_px
        sheet.text(
            style.MARGIN_PX, end + style.CLOSE_PX + WORD_PX / 2, elided(note, style.LABEL_PT, room), color=style.MUTED
        )
    return sheet


@dataclass(frozen=True, slots=True)
class _Layout:
    """How many maps stand side by side, in how many lines, and how wide they are."""

    columns: int
    lines: int
    map_px: int

    def left(self, column: int) -> int:
        return style.MARGIN_PX + column * (self.map_px + style.GAP_PX)


def _laid_out(n_maps: int, view: ImageArray, size: FigureSize) -> _Layout:
    """The fewest lines that leave maps of a view wide enough, and beside which the key finds room."""
    n_maps = max(n_maps, 1)
    for lines in range(1, n_maps + 1):
        columns = math.ceil(n_maps / lines)
        map_px = (size.image_px + style.GAP_PX) // columns - style.GAP_PX
        height = map_px * min(style.TALLEST, view.shape[0] / view.shape[1])
        if map_px >= NARROWEST_PX and lines * (WORD_PX + height + BETWEEN_PX) >= KEY_PX:
            return _Layout(columns, math.ceil(n_maps / columns), map_px)
    return _Layout(1, n_maps, size.image_px)


def _draw_key(sheet: Sheet, key: Backdrop, limit: float, label: str, *, left: int, end: int) -> None:
    """The view in its own colours, and below it the scale, no lower than ``end``."""
    sheet.picture(key.thumbnail, left=left, top=style.MARGIN_PX)
    top = style.MARGIN_PX + len(key.thumbnail) + style.GAP_PX + style.CLOSE_PX
    sheet.colour_bar(limit, label, left=left, top=top, height=min(end - top, KEY_PX))
