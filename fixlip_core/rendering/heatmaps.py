"""Heat maps over the picture: main effects of all players, and the patches that one word interacts with."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fixlip_core.explanation import Explanation
from fixlip_core.players import Players
from fixlip_core.rendering import style
from fixlip_core.rendering.backdrop import Backdrop, MappedView, make_backdrop
from fixlip_core.rendering.sheet import Sheet, magnitude
from fixlip_core.rendering.size import COLUMN, FigureSize, Width
from fixlip_core.rendering.words import Word, bottom_of, lay_out_words
from fixlip_core.types import FloatArray, ImageArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "conditional_figure",
    "conditional_pixels",
    "conditional_sheet",
    "cross_label",
    "cross_limit",
    "first_order_figure",
    "first_order_sheet",
    "tinted",
    "tokens_drawn",
]


KEY_PX = 480
"""Least height of thumbnail and colour bar together."""


def first_order_figure(explanation: Explanation, image: ImageArray, *, width: Width = "column") -> Figure:
    """Main effects ``e_i + p sum_j e_ij`` of patches or regions over ``image`` and of tokens below it.

    They share one scale; but where the towers were attributed to one by one (order 1), patches and tokens do not
    compare, and each have their own.

    Args:
        explanation: what to draw; values in units of its score.
        image: (H, W, 3) uint8, the view that the model saw; the grid of patches is laid evenly over it.
        width: of the figure in print: ``column``, ``page``, or millimetres.

    Raises:
        InvalidImageError: ``image`` is of another shape or dtype.
        InvalidParameterError: there is no such width, or a value of the explanation is not finite.
    """
    size = FigureSize.of(width)
    backdrop = make_backdrop(image, explanation.grid, width_px=size.image_px)
    return first_order_sheet(explanation, backdrop, size=size).figure


def conditional_figure(
    explanation: Explanation, image: ImageArray, token_index: int, *, width: Width = "column"
) -> Figure:
    """Interactions ``e_ij`` of every patch or region with one token, which the caption below highlights.

    All tokens of an explanation share one scale, so that their figures compare.

    Args:
        explanation: what to draw; values in units of its score.
        image: (H, W, 3) uint8, the view that the model saw; the grid of patches is laid evenly over it.
        token_index: the token, from 0.
        width: of the figure in print: ``column``, ``page``, or millimetres.

    Raises:
        InvalidImageError: ``image`` is of another shape or dtype.
        InvalidParameterError: there is no such token or width, or a value of the explanation is not finite.
    """
    size = FigureSize.of(width)
    backdrop = make_backdrop(image, explanation.grid, width_px=size.image_px)
    return conditional_sheet(explanation, backdrop, token_index, size=size).figure


def first_order_sheet(explanation: Explanation, backdrop: Backdrop, *, size: FigureSize = COLUMN) -> Sheet:
    """The sheet of :func:`first_order_figure` over a backdrop that is there already."""
    effects = explanation.main_effects()
    limit = limit_of_words = magnitude(effects, name="main effects")
    patches, tokens = np.split(effects, [explanation.n_image])
    label = f"main {style.unit(explanation.score)}" if explanation.additive else "attribution"
    if not explanation.additive and explanation.order == 1:
        limit, limit_of_words = (magnitude(part, name="values") for part in (patches, tokens))
        label = "attribution (words: own scale)"
    words = _caption(explanation, backdrop, size)
    view = tinted(explanation.players, explanation.players.spread(patches), limit, backdrop)
    sheet = _heat_map(view, limit, label, words, size)
    fills = style.diverging(tokens, limit_of_words)
    sheet.words(words, fills=[*fills], inks=[style.ink_on(fill) for fill in fills], edges=[style.FAINT] * len(words))
    return sheet


def conditional_sheet(
    explanation: Explanation, backdrop: Backdrop, token_index: int, *, size: FigureSize = COLUMN
) -> Sheet:
    """The sheet of :func:`conditional_figure` over a backdrop that is there already."""
    patches = explanation.conditional(token_index)
    limit = cross_limit(explanation)
    view = tinted(explanation.players, patches, limit, backdrop)
    return _conditional(explanation, view, limit, chosen={token_index}, size=size)


def conditional_pixels(
    explanation: Explanation, backdrop: Backdrop, token_indices: Sequence[int]
) -> Iterator[ImageArray]:
    """(height, width, 3) the pixels of :func:`conditional_sheet` for every token; what they share is drawn once."""
    limit = cross_limit(explanation)
    blank = tinted(explanation.players, np.zeros(explanation.grid), limit, backdrop)
    plain = _conditional(explanation, blank, limit, chosen=()).pixels()
    words = _caption(explanation, backdrop, COLUMN)
    caption = Sheet(len(plain))
    _draw_words(caption, words, chosen=range(len(words)))
    chosen = caption.pixels()
    place = np.s_[
        style.MARGIN_PX : style.MARGIN_PX + backdrop.height, style.MARGIN_PX : style.MARGIN_PX + backdrop.width
    ]
    for index in token_indices:
        pixels = plain.copy()
        if limit > 0:
            pixels[place] = tinted(explanation.players, explanation.conditional(index), limit, backdrop).pixels()
        box = _box(words[index])
        pixels[box] = chosen[box]
        yield pixels


def _conditional(
    explanation: Explanation, view: MappedView, limit: float, *, chosen: Collection[int], size: FigureSize = COLUMN
) -> Sheet:
    """A map of interactions whose caption highlights the ``chosen`` tokens."""
    words = _caption(explanation, view.backdrop, size)
    sheet = _heat_map(view, limit, cross_label(explanation), words, size)
    if limit == 0:
        sheet.notice("no interactions", view.backdrop)
    _draw_words(sheet, words, chosen)
    return sheet


def _draw_words(sheet: Sheet, words: Sequence[Word], chosen: Collection[int]) -> None:
    is_chosen = [index in chosen for index in range(len(words))]
    sheet.words(
        words,
        fills=[style.INK if highlighted else style.QUIET for highlighted in is_chosen],
        inks=[style.PAPER if highlighted else style.MUTED for highlighted in is_chosen],
        edges=["none"] * len(words),
    )


def cross_label(explanation: Explanation) -> str:
    """What the colours of a map of one token's pairs measure."""
    return f"interaction {style.unit(explanation.score)}" if explanation.additive else "attribution to pairs"


def cross_limit(explanation: Explanation) -> float:
    """End of the scale that all tokens' maps share.

    Raises:
        InvalidParameterError: a value is not finite.
    """
    return magnitude(explanation.cross, name="pairs of image and text")


def tokens_drawn(explanation: Explanation) -> list[int]:
    """The tokens whose pairs with the image have the greatest sums of absolute values, in reading order."""
    share = np.abs(explanation.cross).sum(axis=0)
    return sorted(np.argsort(-share, kind="stable")[: style.TOKEN_MAPS].tolist())


def tinted(players: Players, patches: FloatArray, limit: float, backdrop: Backdrop) -> MappedView:
    """The picture in the colours of the (rows, columns) values of the patches, with lines between regions."""
    owners = players.owners.reshape(players.grid) if players.regions else None
    return MappedView(backdrop, style.diverging(patches, limit), owners)


def _caption(explanation: Explanation, backdrop: Backdrop, size: FigureSize) -> tuple[Word, ...]:
    return lay_out_words(explanation.tokens, top=_end(backdrop) + style.GAP_PX, width=size.content_px)


def _box(word: Word) -> tuple[slice, slice]:
    """Rows and columns of the sheet that a word's box touches."""
    return (
        slice(math.floor(word.top) - 1, math.ceil(word.bottom) + 1),
        slice(math.floor(word.left) - 1, math.ceil(word.left + word.width) + 1),
    )


def _end(backdrop: Backdrop) -> int:
    """Lower edge of the picture and its key."""
    return style.MARGIN_PX + max(backdrop.height, KEY_PX)


def _heat_map(view: MappedView, limit: float, label: str, words: tuple[Word, ...], size: FigureSize) -> Sheet:
    """A sheet with the tinted picture, its thumbnail and its colour bar; room is left for ``words``."""
    end = _end(view.backdrop)
    sheet = Sheet(bottom_of(words, top=end) + style.MARGIN_PX, width_px=size.width_px)
    sheet.view(view)
    left, top = sheet.thumbnail(view.backdrop)
    sheet.colour_bar(limit, label, left=left, top=top + style.CLOSE_PX, height=end - top - style.CLOSE_PX)
    return sheet
