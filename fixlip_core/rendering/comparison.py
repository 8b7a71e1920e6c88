"""Explanations of one pair side by side, a column each, and what sets each of them apart from the first.

Above: the main effects of patches and words and the strongest pairs, each explanation's own players and values, in
colours that are shares of its greatest value. Below: the common players, in shares of each one's greatest value less
those of the first explanation, and how far the two agree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from fixlip_core.comparison import Agreement, Comparison, Part, compare
from fixlip_core.errors import InvalidParameterError
from fixlip_core.explanation import Explanation
from fixlip_core.frames import Frame
from fixlip_core.rendering import pieces, style
from fixlip_core.rendering.backdrop import Backdrop, make_backdrop
from fixlip_core.rendering.heatmaps import tinted
from fixlip_core.rendering.pieces import Piece, Row
from fixlip_core.rendering.png import png_bytes
from fixlip_core.rendering.rendered import RenderedMap
from fixlip_core.rendering.sheet import Sheet, magnitude
from fixlip_core.rendering.size import FigureSize, Width
from fixlip_core.rendering.text import drawable
from fixlip_core.types import FloatArray, ImageArray

__all__ = ["comparison_sheet", "render_comparison"]

COLUMNS: Final = 4
"""Explanations side by side, at most."""
COLUMN_PX: Final = {2: 640, 3: 560}
NARROW_PX: Final = 460
TOP_PAIRS: Final = 5

_PARTS: Final[tuple[Part, ...]] = ("image", "text", "pairs")
_MAPPED: Final = _PARTS[:2]
_MEASURES: Final = (
    ("Spearman", "spearman"),
    ("Kendall", "kendall"),
    ("cosine", "cosine"),
    ("top tenth", "top_overlap"),
)
_NONE: Final = "\N{EN DASH}"
_MINUS: Final = "\N{MINUS SIGN}"


def render_comparison(
    explanations: Sequence[Explanation], views: Sequence[ImageArray], *, width: Width | None = None
) -> RenderedMap:
    """Draw explanations of one pair side by side as PNG and SVG. The same input gives the same bytes.

    Args:
        explanations: two or more of one image and caption.
        views: of each, (H, W, 3) uint8: what its model saw.
        width: of the figure in print: ``column``, ``page``, or millimetres; by default as wide as its columns.

    Raises:
        InvalidImageError: a view is of another shape or dtype.
        InvalidParameterError: there is not one view for each explanation, there is no such width, or a value is not
            finite.
        NotComparableError: the explanations are not of one pair.
    """
    title = " and ".join(dict.fromkeys(_name_of(explanation) for explanation in explanations))
    sheet = comparison_sheet(explanations, views, width=width)
    return RenderedMap("comparison", title, png_bytes(sheet.pixels()), sheet.svg(title))


def comparison_sheet(
    explanations: Sequence[Explanation], views: Sequence[ImageArray], *, width: Width | None = None
) -> Sheet:
    """The sheet of :func:`render_comparison`."""
    if len(views) != len(explanations):
        raise InvalidParameterError(f"there must be {len(explanations)} views, not {len(views)}", field="views")
    comparison = compare(explanations)
    n_rows = math.ceil(len(explanations) / COLUMNS)
    n_columns = math.ceil(len(explanations) / n_rows)
    size = None if width is None else FigureSize.of(width)
    own_px = COLUMN_PX.get(n_columns, NARROW_PX) if size is None else _column_px(size, n_columns)
    columns = [
        _Column(number, explanation, make_backdrop(view, explanation.grid, width_px=own_px), comparison, own_px)
        for number, (explanation, view) in enumerate(zip(explanations, views, strict=True))
    ]
    reference = _Reference(explanations[0], views[0], comparison, own_px)
    rows: list[Row] = []
    for start in range(0, len(columns), n_columns):
        rows.extend(_rows(columns[start : start + n_columns], reference, n_columns))
    lefts = [style.MARGIN_PX + k * (own_px + style.GAP_PX) for k in range(n_columns + 1)]
    rows.extend(_notes(comparison, width=lefts[-1] - lefts[0]))
    width_px = lefts[-1] + style.COLUMN_PX + style.MARGIN_PX if size is None else size.width_px
    return pieces.stacked(rows, lefts=lefts, width_px=width_px)


def _column_px(size: FigureSize, n_columns: int) -> int:
    """Width of each of some columns that share a figure with their key."""
    return (size.content_px - style.COLUMN_PX) // n_columns - style.GAP_PX


def _name_of(explanation: Explanation) -> str:
    """The model, where that is known, and the method."""
    model = explanation.provenance.get("model")
    return explanation.method if model is None else f"{model} \N{MIDDLE DOT} {explanation.method}"


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """One explanation as its own players have it."""

    number: int
    explanation: Explanation
    backdrop: Backdrop
    comparison: Comparison
    width: int

    def heading(self) -> Piece:
        e = self.explanation
        kind = e.index if math.isnan(e.p) else f"{e.index}, p = {e.p:g}"
        parts = zip(("image", "words"), np.split(e.main_effects(), [e.n_image]), strict=True)
        greatest = ", ".join(f"{part} {magnitude(values, name='values'):.3g}" for part, values in parts)
        unit = f" {e.score}" if e.additive else ""
        lines = [f"{kind}; {e.image_passes} + {e.text_passes} passes", f"\N{PLUS-MINUS SIGN}1: {greatest}{unit}"]
        model = [drawable(str(e.provenance["model"]))] if "model" in e.provenance else []
        return pieces.heading(f"{self.number + 1} {e.method}", [*model, *lines], width=self.width)

    def picture(self) -> Piece:
        e = self.explanation
        values = e.main_effects()[: e.n_image]
        view = tinted(e.players, e.players.spread(values), magnitude(values, name="values"), self.backdrop)
        patches = [e.players.position(image) for image, _, _ in self._strongest()]
        return pieces.mapped_view(view, marks=patches)

    def words(self) -> Piece:
        e = self.explanation
        values = e.main_effects()[e.n_image :]
        return pieces.tinted_words(e.tokens, values, magnitude(values, name="values"), width=self.width)

    def pairs(self) -> Piece:
        e = self.explanation
        if e.order == 1:
            return pieces.paragraph("no values of pairs", width=self.width)
        found = self._strongest()
        names = [f"{e.players.label(text)} \N{EN DASH} {e.players.label(image)}" for image, text, _ in found]
        entries = list(zip(names, (value for _, _, value in found), strict=True))
        limit = magnitude(e.cross, name="pairs of image and text")
        return pieces.ranking("strongest pairs", entries, limit, width=self.width)

    def _strongest(self) -> list[tuple[int, int, float]]:
        """(image player, text player, value) of the strongest cross-modal pairs."""
        if self.explanation.order == 1:
            return []
        found = self.explanation.top_interactions(TOP_PAIRS, cross_modal=True)
        return [(*pair.players, pair.value) for pair in found if pair.value != 0]


@dataclass(frozen=True, slots=True, eq=False)
class _Reference:
    """The first explanation, from which the others' differences are drawn, over the part of its view that all saw."""

    explanation: Explanation
    view: ImageArray
    comparison: Comparison
    width: int

    def backdrop(self) -> Backdrop:
        return make_backdrop(self._seen(), self.comparison.players.grid, width_px=self.width)

    def heading(self) -> Piece:
        lines = ("shares of each one's greatest value,", "less those of 1")
        return pieces.heading("Differences", lines, width=self.width)

    def picture(self, backdrop: Backdrop) -> Piece:
        """What the maps lie over, in its own colours."""
        view = Image.fromarray(np.ascontiguousarray(self._seen()))
        return pieces.picture(np.asarray(view.resize((backdrop.width, backdrop.height), Image.Resampling.BICUBIC)))

    def limit(self) -> float:
        """Greatest difference of any explanation in image or words, the end of their scale."""
        others = range(len(self.comparison))
        return max(float(np.abs(self._less(k, part)).max(initial=0.0)) for part in _MAPPED for k in others)

    def map_of(self, other: int, backdrop: Backdrop, limit: float) -> Piece:
        players = self.comparison.players
        differences = players.spread(self._less(other, "image"))
        return pieces.mapped_view(tinted(players, differences, limit, backdrop))

    def words_of(self, other: int, limit: float) -> Piece:
        tokens = self.comparison.players.tokens
        return pieces.tinted_words(tokens, self._less(other, "text"), limit, width=self.width)

    def agreement_with(self, other: int) -> Piece:
        found: dict[Part, Agreement] = {a.part: a for a in self.comparison.agreements if a.explanations == (0, other)}
        rows = [(name, [_shown(getattr(found[part], field)) for part in _PARTS]) for name, field in _MEASURES]
        return pieces.table("agreement", ("image", "words", "pairs"), rows, width=self.width)

    def _less(self, other: int, part: Part) -> FloatArray:
        """What another explanation has more than this one."""
        return self.comparison.difference(part, other, 0)

    def _seen(self) -> ImageArray:
        """The part of the view that the common grid lies over."""
        own, common = Frame.from_provenance(self.explanation.provenance), self.comparison.frame
        if own is None or common is None or own == common:
            return self.view
        height, width = self.view.shape[:2]
        rows = _pixels(common.top - own.top, common.bottom - own.top, height / own.height, height)
        columns = _pixels(common.left - own.left, common.right - own.left, width / own.width, width)
        return self.view[rows, columns]


def _rows(columns: Sequence[_Column], reference: _Reference, n_columns: int) -> list[Row]:
    """The columns, with their keys at the right."""
    backdrop, limit = reference.backdrop(), reference.limit()
    height = max(column.backdrop.height for column in columns)
    room = [None] * (n_columns - len(columns))
    key = pieces.colour_bar(1.0, "share of the greatest", height=height)
    differences = pieces.colour_bar(limit, "difference of shares", height=backdrop.height)
    others = [column.number for column in columns]

    def below(first: Piece | None, *rest: Piece) -> list[Piece | None]:
        """The first explanation has no differences from itself."""
        return [first, *rest[1:]] if others[0] == 0 else [*rest]

    headings = [pieces.heading(f"{k + 1} {_MINUS} 1", (), width=reference.width) for k in others]
    maps = [reference.map_of(k, backdrop, limit) for k in others]
    words = [reference.words_of(k, limit) for k in others]
    tables = [reference.agreement_with(k) if k else pieces.paragraph("", width=reference.width) for k in others]
    return [
        Row([column.heading() for column in columns], 3 * style.GAP_PX),
        Row([*(column.picture() for column in columns), *room, key], style.CLOSE_PX),
        Row([column.words() for column in columns]),
        Row([column.pairs() for column in columns]),
        Row(below(reference.heading(), *headings), 2 * style.GAP_PX),
        Row([*below(reference.picture(backdrop), *maps), *room, differences], style.CLOSE_PX),
        Row(below(None, *words)),
        Row(below(None, *tables)),
    ]


def _notes(comparison: Comparison, *, width: int) -> list[Row]:
    """What was done to the values, below everything."""
    notes = [Row([pieces.paragraph(note, width=width)], style.CLOSE_PX) for note in comparison.notes]
    return [Row([], style.GAP_PX), *notes] if notes else []


def _pixels(begin: float, end: float, scale: float, length: int) -> slice:
    """Pixels of a view that show an interval of the picture; one at least."""
    first = min(max(0, round(begin * scale)), length - 1)
    return slice(first, max(first + 1, min(length, round(end * scale))))


def _shown(value: float) -> str:
    return _NONE if math.isnan(value) else f"{value:.2f}".replace("-", _MINUS)
