"""Heat maps over the picture: main effects of all players, and the patches that one word interacts with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fixlip_core.explanation import Explanation
from fixlip_core.rendering import style
from fixlip_core.rendering.backdrop import Backdrop, make_backdrop
from fixlip_core.rendering.sheet import Sheet, magnitude
from fixlip_core.rendering.words import Word, bottom_of, lay_out_words
from fixlip_core.types import FloatArray, ImageArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["conditional_figure", "conditional_sheet", "first_order_figure", "first_order_sheet"]


KEY_PX = 480
"""Least height of thumbnail and colour bar together."""


def first_order_figure(explanation: Explanation, image: ImageArray) -> Figure:
    """Main effects ``e_i + p sum_j e_ij`` of patches over ``image`` and of tokens below it, on one scale.

    Args:
        explanation: what to draw; values in units of its score.
        image: (H, W, 3) uint8, the view that the model saw; the grid of patches is laid evenly over it.

    Raises:
        InvalidImageError: ``image`` is of another shape or dtype.
        InvalidParameterError: a value of the explanation is not finite.
    """
    return first_order_sheet(explanation, make_backdrop(image, explanation.grid)).figure


def conditional_figure(explanation: Explanation, image: ImageArray, token_index: int) -> Figure:
    """Interactions ``e_ij`` of every patch with one token, which the caption below highlights.

    All tokens of an explanation share one scale, so that their figures compare.

    Args:
        explanation: what to draw; values in units of its score.
        image: (H, W, 3) uint8, the view that the model saw; the grid of patches is laid evenly over it.
        token_index: the token, from 0.

    Raises:
        InvalidImageError: ``image`` is of another shape or dtype.
        InvalidParameterError: there is no such token, or a value of the explanation is not finite.
    """
    return conditional_sheet(explanation, make_backdrop(image, explanation.grid), token_index).figure


def first_order_sheet(explanation: Explanation, backdrop: Backdrop) -> Sheet:
    """The sheet of :func:`first_order_figure` over a backdrop that is there already."""
    effects = explanation.main_effects()
    limit = magnitude(effects, name="main effects")
    patches = effects[: explanation.n_patches].reshape(explanation.grid)
    words = _caption(explanation, backdrop)
    sheet = _heat_map(patches, limit, f"main {style.unit(explanation.score)}", backdrop, words)
    fills = style.diverging(effects[explanation.n_patches :], limit)
    sheet.words(words, fills=[*fills], inks=[style.ink_on(fill) for fill in fills], edges=[style.FAINT] * len(words))
    return sheet


def conditional_sheet(explanation: Explanation, backdrop: Backdrop, token_index: int) -> Sheet:
    """The sheet of :func:`conditional_figure` over a backdrop that is there already."""
    patches = explanation.conditional(token_index)
    limit = magnitude(explanation.cross, name="pairs of patches and tokens")
    words = _caption(explanation, backdrop)
    sheet = _heat_map(patches, limit, f"interaction {style.unit(explanation.score)}", backdrop, words)
    if limit == 0:
        sheet.notice("no interactions", backdrop)
    chosen = [index == token_index for index in range(len(words))]
    sheet.words(
        words,
        fills=[style.INK if is_chosen else style.QUIET for is_chosen in chosen],
        inks=[style.PAPER if is_chosen else style.MUTED for is_chosen in chosen],
        edges=["none"] * len(words),
    )
    return sheet


def _caption(explanation: Explanation, backdrop: Backdrop) -> tuple[Word, ...]:
    return lay_out_words(explanation.tokens, top=_end(backdrop) + style.GAP_PX)


def _end(backdrop: Backdrop) -> float:
    """Lower edge of the picture and its key."""
    return style.MARGIN_PX + max(backdrop.height, KEY_PX)


def _heat_map(patches: FloatArray, limit: float, label: str, backdrop: Backdrop, words: tuple[Word, ...]) -> Sheet:
    """A sheet with the tinted picture, its thumbnail and its colour bar; room is left for ``words``."""
    end = _end(backdrop)
    sheet = Sheet(bottom_of(words, top=end) + style.MARGIN_PX)
    sheet.view(backdrop.tinted(style.diverging(patches, limit)), backdrop)
    left, top = sheet.thumbnail(backdrop)
    sheet.colour_bar(limit, label, left=left, top=top + style.CLOSE_PX, height=end - top - style.CLOSE_PX)
    return sheet
