"""The strongest pairs as curves: over the picture between patches, from patches down to words, and under the words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, PathPatch

from fixlip_core.errors import InvalidParameterError
from fixlip_core.explanation import Explanation
from fixlip_core.players import Players
from fixlip_core.rendering import style
from fixlip_core.rendering.backdrop import Backdrop, MappedView, make_backdrop
from fixlip_core.rendering.borders import borders, outline
from fixlip_core.rendering.curves import DIP_PX, curve_between, patch_centre
from fixlip_core.rendering.pairs import Kind, count_pairs, strongest_pairs
from fixlip_core.rendering.sheet import Sheet, magnitude
from fixlip_core.rendering.size import COLUMN, FigureSize, Width
from fixlip_core.rendering.words import Word, bottom_of, lay_out_words
from fixlip_core.types import FloatArray, ImageArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.path import Path

__all__ = ["interaction_graph_figure", "interaction_graph_sheet"]

DOT_PX = 6.5
LEADING_PX = 46
KEY_PX = 740
SAMPLE_PX = 48
ROW_PX = 32

# The ends tell the kinds apart; where lines cross, their strokes do.
STROKES: dict[Kind, Any] = {Kind.CROSS: "solid", Kind.IMAGE: style.DASHED, Kind.TEXT: style.DOTTED}


def interaction_graph_figure(
    explanation: Explanation, image: ImageArray, *, n_pairs: int = style.PAIRS, width: Width = "column"
) -> Figure:
    """The strongest pairs: width by magnitude, colour by sign, stroke by kind.

    Of the pairs within the image, and of those within the caption, at most a quarter of ``n_pairs`` are drawn; the
    figure says how many of how many of each kind.

    Args:
        explanation: what to draw; values in units of its score.
        image: (H, W, 3) uint8, the view that the model saw; the grid of patches is laid evenly over it.
        n_pairs: how many pairs at most, 1 or more; pairs whose value is zero are never drawn.
        width: of the figure in print: ``column``, ``page``, or millimetres.

    Raises:
        InvalidImageError: ``image`` is of another shape or dtype.
        InvalidParameterError: ``n_pairs`` is below 1, there is no such width, or a value of the explanation is not
            finite.
    """
    size = FigureSize.of(width)
    backdrop = make_backdrop(image, explanation.grid, width_px=size.image_px)
    return interaction_graph_sheet(explanation, backdrop, n_pairs=n_pairs, size=size).figure


def interaction_graph_sheet(
    explanation: Explanation, backdrop: Backdrop, *, n_pairs: int = style.PAIRS, size: FigureSize = COLUMN
) -> Sheet:
    """The sheet of :func:`interaction_graph_figure` over a backdrop that is there already."""
    if n_pairs < 1:
        raise InvalidParameterError(f"n_pairs must be 1 or more, not {n_pairs}", field="n_pairs")
    limit = magnitude(explanation.second, name="pairs")
    pairs = strongest_pairs(explanation, n_pairs)
    linked = {player for pair in pairs for player in pair.players}
    top = style.MARGIN_PX + max(backdrop.height, KEY_PX) + LEADING_PX
    words = lay_out_words(
        explanation.tokens, top=top, width=size.content_px, leading_px=LEADING_PX, centred_over=backdrop.width
    )
    sheet = Sheet(bottom_of(words, top=top) + DIP_PX[1] + style.CLOSE_PX, width_px=size.width_px)
    sheet.view(MappedView(backdrop))
    _draw_patches(sheet, backdrop, explanation.players, linked)
    for pair in reversed(pairs):
        curve = curve_between(pair.players, explanation.players, backdrop, words)
        _draw_curve(sheet, curve, pair.value, limit, STROKES[pair.kind])
    _draw_words(sheet, words, {player - explanation.n_image for player in linked})
    if pairs:
        corner = _draw_key(sheet, explanation, limit, backdrop)
        _draw_kinds(sheet, Counter(pair.kind for pair in pairs), count_pairs(explanation), corner)
    else:
        sheet.thumbnail(backdrop)
        sheet.notice("no pairs to draw", backdrop)
    return sheet


def _width_pt(value: float, limit: float) -> float:
    thin, thick = style.CURVE_PT
    return thin + (thick - thin) * min(abs(value) / limit, 1.0)


def _draw_patches(sheet: Sheet, backdrop: Backdrop, players: Players, linked: Collection[int]) -> None:
    """Faint lines between patches or regions, and a frame around every one that a curve ends in."""
    owners = players.owners.reshape(players.grid)
    _draw_lines(sheet, backdrop, borders(owners), colors=style.FAINT, linewidths=style.HAIRLINE_PT / 2, zorder=1)
    for player in sorted(player for player in linked if players.is_image(player)):
        frame = outline(owners, player)
        _draw_lines(sheet, backdrop, frame, colors=style.MUTED, linewidths=style.HAIRLINE_PT, zorder=1.5)
        centre = patch_centre(backdrop, players, player)
        sheet.add(
            Circle(centre, DOT_PX, facecolor=style.INK, edgecolor=style.PAPER, linewidth=style.HAIRLINE_PT, zorder=3.5)
        )


def _draw_lines(sheet: Sheet, backdrop: Backdrop, lines: FloatArray, **look: Any) -> None:
    """Lines between patches, (m, 2, 2) in units of patches."""
    tall, wide = backdrop.patch_px
    places = style.MARGIN_PX + lines * np.array([wide, tall])
    sheet.add(LineCollection(list(places), capstyle="butt", **look))


def _draw_curve(sheet: Sheet, curve: Path, value: float, limit: float, stroke: Any) -> None:
    """A curve in the colour of its side over a wider white one: width alone gives the magnitude."""
    width = _width_pt(value, limit)
    common: dict[str, Any] = {"facecolor": "none", "capstyle": "butt", "joinstyle": "round", "zorder": 3}
    sheet.add(
        PathPatch(curve, edgecolor=style.PAPER, linewidth=width + style.HALO_PT, alpha=style.HALO_OPACITY, **common)
    )
    sheet.add(PathPatch(curve, edgecolor=style.end_of_scale(value), linewidth=width, linestyle=stroke, **common))


def _draw_words(sheet: Sheet, words: Sequence[Word], linked: Collection[int]) -> None:
    is_linked = [index in linked for index in range(len(words))]
    sheet.words(
        words,
        fills=[style.QUIET if linked else style.PAPER for linked in is_linked],
        inks=[style.INK if linked else style.MUTED for linked in is_linked],
        edges=[style.MUTED if linked else "none" for linked in is_linked],
    )


def _draw_key(sheet: Sheet, explanation: Explanation, limit: float, backdrop: Backdrop) -> tuple[float, float]:
    """Beside the picture: which width and colour is which value. Returns (left, top) of what follows."""
    left, top = sheet.thumbnail(backdrop)
    middle = top + ROW_PX / 2
    measure = ("interaction", "effect on") if explanation.additive else ("attribution", "to pairs of")
    for line in (*measure, f"the {explanation.score}"):
        sheet.text(left, middle, line)
        middle += ROW_PX
    for value in reversed([tick for tick in style.ticks(limit) if tick]):
        look = {"color": style.end_of_scale(value), "linewidth": _width_pt(value, limit)}
        _draw_sample(sheet, left, middle + style.CLOSE_PX, **look)
        sheet.text(left + SAMPLE_PX + 10, middle + style.CLOSE_PX, style.signed(value))
        middle += ROW_PX
    return left, middle + style.CLOSE_PX


def _draw_kinds(
    sheet: Sheet, drawn: Mapping[Kind, int], present: Mapping[Kind, int], corner: tuple[float, float]
) -> None:
    """Under the key: the stroke of every kind of pair, and how many of how many are drawn."""
    left, middle = corner[0], corner[1] + ROW_PX / 2
    for kind in present:
        _draw_sample(sheet, left, middle, color=style.MUTED, linewidth=style.SAMPLE_PT, linestyle=STROKES[kind])
        counts = f"{drawn[kind]} of {present[kind]:,}"
        sheet.text(left, middle + 0.8 * ROW_PX, kind, size_pt=style.SMALL_PT)
        sheet.text(left, middle + 1.7 * ROW_PX, counts, size_pt=style.SMALL_PT, color=style.MUTED)
        middle += 3 * ROW_PX


def _draw_sample(sheet: Sheet, left: float, middle: float, **look: Any) -> None:
    look = {"solid_capstyle": "butt", "dash_capstyle": "butt", "marker": "", **look}
    sheet.add(Line2D([left, left + SAMPLE_PX], [middle, middle], **look))
