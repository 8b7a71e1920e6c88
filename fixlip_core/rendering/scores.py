"""The scores of an explanation: a dot for each on one scale, its interval, and the number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from fixlip_core.evaluation.metrics import Score
from fixlip_core.rendering import style
from fixlip_core.rendering.plots import minus
from fixlip_core.rendering.sheet import Sheet
from fixlip_core.rendering.size import COLUMN, FigureSize
from fixlip_core.rendering.text import drawable, width_px

__all__ = ["scores_sheet"]

ROW_PX: Final = 44
HEADING_PX: Final = 52
FOOT_PX: Final = 64
INDENT_PX: Final = 16
DOT_PX: Final = 9
LEAST_SPAN: Final = (0.0, 1.0)
MOST_SPAN: Final = (-1.0, 1.0)
"""Of a scale; what lies beyond is drawn hollow at its end."""
SHORT: Final = 100.0
"""Numbers below are written with two decimals."""
NOTHING: Final = "\N{EN DASH}"

_TITLES: Final = {
    "aid": "area between the insertion and deletion curves",
    "r2": "R\N{SUPERSCRIPT TWO}",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "faithfulness": "p-faithfulness",
    "sanity": "sanity, under random weights",
}
_BETTER: Final = {True: "\N{UPWARDS ARROW}", False: "\N{DOWNWARDS ARROW}"}


def scores_sheet(scores: Sequence[Score], *, order: int, size: FigureSize = COLUMN) -> Sheet:
    """A row for each score under its metric's name; an arrow says which way is better, a dash that there is no value.

    Args:
        scores: what to draw.
        order: of the explanation: of the second the dots are orange, of the first blue, as in a benchmark's bars.
        size: of the figure.
    """
    metrics = list(dict.fromkeys(score.metric for score in scores))
    height = style.MARGIN_PX + HEADING_PX * len(metrics) + ROW_PX * len(scores) + FOOT_PX
    sheet = Sheet(height, width_px=size.width_px)
    rows = _Rows(sheet, scores, order)
    top = style.MARGIN_PX
    for metric in metrics:
        sheet.text(style.MARGIN_PX, top + HEADING_PX / 2, _title(metric), color=style.MUTED)
        top += HEADING_PX
        for score in scores:
            if score.metric == metric:
                rows.draw(score, top + ROW_PX / 2)
                top += ROW_PX
    rows.draw_scale(top + style.CLOSE_PX)
    return sheet


def _title(name: str) -> str:
    return _TITLES.get(name, drawable(name.replace("_", " ")))


class _Rows:
    """Where the names, the scale and the numbers of all rows stand.

    Args:
        sheet: where they are drawn.
        scores: all of them.
        order: of the explanation.
    """

    def __init__(self, sheet: Sheet, scores: Sequence[Score], order: int) -> None:
        self._sheet = sheet
        self._colour = style.end_of_scale(+1 if order > 1 else -1)
        names = max((width_px(_name(score), style.LABEL_PT) for score in scores), default=0.0)
        numbers = max((width_px(_number(score), style.LABEL_PT) for score in scores), default=0.0)
        self._left = style.MARGIN_PX + INDENT_PX + names + style.GAP_PX
        self._right = sheet.width_px - style.MARGIN_PX - numbers - style.GAP_PX
        ends = [end for score in scores for end in (score.value, *_interval(score)) if math.isfinite(end)]
        low, high = min(LEAST_SPAN[0], *ends, 0.0), LEAST_SPAN[1]
        self._span = (low if low == 0 else MOST_SPAN[0], high)

    def draw(self, score: Score, y: float) -> None:
        """One row, with its middle at ``y``."""
        self._sheet.text(style.MARGIN_PX + INDENT_PX, y, _name(score))
        self._line([self._left, self._right], [y, y], style.FAINT, style.HAIRLINE_PT)
        right = self._sheet.width_px - style.MARGIN_PX
        self._sheet.text(right, y, _number(score), horizontalalignment="right")
        if not math.isfinite(score.value):
            return
        if ends := _interval(score):
            self._line([self._x(end) for end in ends], [y, y], style.INK, style.WHISKER_PT)
        is_beyond = not self._span[0] <= score.value <= self._span[1]
        face = style.PAPER if is_beyond else self._colour
        edge = self._colour if is_beyond else style.PAPER
        dot = Circle((self._x(score.value), y), DOT_PX, facecolor=face, edgecolor=edge, linewidth=style.HAIRLINE_PT)
        dot.set_zorder(3)
        self._sheet.add(dot)

    def draw_scale(self, y: float) -> None:
        """The scale under the rows, and a line up from zero where it is not at the end."""
        self._line([self._left, self._right], [y, y], style.INK, style.HAIRLINE_PT)
        for value in np.linspace(*self._span, 3).tolist():
            x = self._x(value)
            self._line([x, x], [y, y + 6], style.INK, style.HAIRLINE_PT)
            self._sheet.text(x, y + 24, minus(f"{value:g}"), horizontalalignment="center")
        if self._span[0] < 0:
            self._line([self._x(0.0)] * 2, [style.MARGIN_PX + HEADING_PX, y], style.FAINT, style.HAIRLINE_PT)

    def _x(self, value: float) -> float:
        low, high = self._span
        return self._left + (self._right - self._left) * (min(max(value, low), high) - low) / (high - low)

    def _line(self, x: Sequence[float], y: Sequence[float], ink: str, width_pt: float) -> None:
        self._sheet.add(Line2D(x, y, color=ink, linewidth=width_pt, marker=""))


def _name(score: Score) -> str:
    return f"{_title(score.name)} {_BETTER[score.higher_is_better]}"


def _interval(score: Score) -> tuple[float, ...]:
    """Both ends; none where there is no interval."""
    ends = () if score.interval is None else (score.interval.low, score.interval.high)
    return ends if all(map(math.isfinite, ends)) else ()


def _number(score: Score) -> str:
    """The figure, and its interval where there is one."""
    if not math.isfinite(score.value):
        return NOTHING
    ends = " to ".join(map(_shown, _interval(score)))
    return minus(_shown(score.value) + (f" ({ends})" if ends else ""))


def _shown(value: float) -> str:
    return f"{value + 0.0:.2f}" if abs(value) < SHORT else f"{value:.3g}"
