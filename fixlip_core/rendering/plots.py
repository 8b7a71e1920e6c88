"""Plots of insertion and deletion curves: their frames, scales, curves and key, for one explanation or for many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from fixlip_core.rendering import style
from fixlip_core.rendering.sheet import Sheet
from fixlip_core.rendering.size import FigureSize
from fixlip_core.rendering.text import drawable, elided, width_px
from fixlip_core.types import FloatArray

__all__ = ["CurvePanel", "CurveSheet", "minus"]

SCALE_PX: Final = 84
"""Least room for the scale and its label on the left of a plot."""
LABEL_PX: Final = 44
"""Of it, what the label takes."""
HEAD_PX: Final = 44
FOOT_PX: Final = 84
TICKS_PX: Final = 44
"""Of it, what the numbers below a plot take."""
KEY_PX: Final = 36
TICK_PX: Final = 6
SAMPLE_PX: Final = 48
LEAST_SPAN: Final = (0.0, 1.0)
"""What a plot shows at least: from the score of no player to that of all."""
SHARES: Final = (0.0, 0.5, 1.0)
WIDE_SPAN: Final = 4.0
"""Where the curves leave the least span so far behind, its ticks would run into each other."""
NOTHING: Final = "\N{EN DASH}"
KEY: Final = ((-1, "most important removed first"), (+1, "least important removed first"))


@dataclass(frozen=True, slots=True, eq=False)
class CurvePanel:
    """The two curves of a plot, over the share of players removed, 0 to 1 in equal steps.

    Attributes:
        title: whose they are.
        most_first: (m,) heights, the most important players gone first; nan for no curves.
        least_first: (m,) heights, the least important gone first.
    """

    title: str
    most_first: FloatArray
    least_first: FloatArray

    @property
    def has_values(self) -> bool:
        """Whether there is something to draw."""
        return bool(np.isfinite(self.most_first).all() and np.isfinite(self.least_first).all())


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where a panel's plot lies on the sheet, in pixels, and the span of its scale."""

    left: float
    top: float
    width: float
    height: float
    span: tuple[float, float]

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def middle(self) -> float:
        return self.left + self.width / 2

    def x(self, share: FloatArray) -> FloatArray:
        return self.left + self.width * share

    def y(self, value: FloatArray) -> FloatArray:
        low, high = self.span
        return self.top + self.height * (high - value) / (high - low)


@dataclass(frozen=True, slots=True)
class CurveSheet:
    """How plots of curves are laid out on a sheet: in lines, on one scale, with their key below.

    Attributes:
        size: of the figure.
        columns: plots side by side.
        plot_px: height of a plot.
        label: what the heights are.
        shared: whether the scale stands only beside the first plot of a line; else beside each.
        head_px: what is left free above.
        title_pt: type of the plots' titles.
    """

    size: FigureSize
    columns: int
    plot_px: int
    label: str
    shared: bool = False
    head_px: int = 0
    title_pt: float = style.WORD_PT

    def draw(self, panels: Sequence[CurvePanel]) -> Sheet:
        """The sheet of the panels, in reading order."""
        pitch = HEAD_PX + self.plot_px + (TICKS_PX if self.shared else FOOT_PX)
        lines = math.ceil(len(panels) / self.columns)
        top = style.MARGIN_PX + self.head_px
        foot = FOOT_PX - TICKS_PX if self.shared else 0
        key_px = KEY_PX * (1 if self._is_key_one_line() else len(KEY))
        sheet = Sheet(top + lines * pitch + foot + key_px + style.MARGIN_PX, width_px=self.size.width_px)
        span = _span(panels)
        scale_px = _scale_px(span)
        for index, panel in enumerate(panels):
            line, column = divmod(index, self.columns)
            plot = self._plot(column, top + line * pitch + HEAD_PX, span, scale_px)
            is_lowest = index + self.columns >= len(panels)
            self._draw_frame(sheet, plot, panel.title, scale=not self.shared or column == 0, shares=is_lowest)
            _draw_curves(sheet, plot, panel)
        self._draw_key(sheet, sheet.height_px - style.MARGIN_PX - key_px)
        return sheet

    def _plot(self, column: int, top: float, span: tuple[float, float], scale_px: float) -> _Plot:
        pitch = (self.size.content_px - (scale_px if self.shared else 0)) / self.columns
        left = style.MARGIN_PX + scale_px + column * pitch
        # Without a scale between two plots, the last number below the one would meet the first below the other.
        width = pitch - (2 * style.GAP_PX if self.shared else style.GAP_PX + scale_px)
        return _Plot(left, top, width, self.plot_px, span)

    def _draw_frame(self, sheet: Sheet, plot: _Plot, title: str, *, scale: bool, shares: bool) -> None:
        name = elided(drawable(title), self.title_pt, plot.width + style.GAP_PX)
        sheet.text(plot.middle, plot.top - HEAD_PX / 2, name, size_pt=self.title_pt, horizontalalignment="center")
        right = plot.left + plot.width
        for corner in ((plot.left, plot.top), (right, plot.bottom)):
            axis = np.array([(plot.left, plot.bottom), corner])
            sheet.add(Line2D(axis[:, 0], axis[:, 1], color=style.INK, linewidth=style.HAIRLINE_PT, marker=""))
        for value, text in _ticks(plot.span).items():
            y = float(plot.y(np.array(value)))
            sheet.add(Line2D([plot.left, right], [y, y], color=style.FAINT, linewidth=style.HAIRLINE_PT, marker=""))
            if scale:
                sheet.text(plot.left - 11, y, text, horizontalalignment="right")
        self._draw_shares(sheet, plot, label=shares or not self.shared)
        if scale:
            label = style.in_powers(self.label, _power(plot.span))
            left, centre = plot.left - _scale_px(plot.span) + 12, plot.top + plot.height / 2
            sheet.text(left, centre, label, rotation=90, horizontalalignment="center")

    def _draw_shares(self, sheet: Sheet, plot: _Plot, *, label: bool) -> None:
        bottom = plot.bottom
        for share in SHARES:
            x = float(plot.x(np.array(share)))
            ends = [bottom, bottom + TICK_PX]
            sheet.add(Line2D([x, x], ends, color=style.INK, linewidth=style.HAIRLINE_PT, marker=""))
            sheet.text(x, bottom + 24, f"{100 * share:g}", horizontalalignment="center")
        if label:
            sheet.text(plot.middle, bottom + 58, "players removed, %", horizontalalignment="center")

    def _key_lefts(self) -> list[float]:
        """Where the two entries of the key begin when they stand in one line, the second no farther than it fits."""
        longest = max(width_px(text, style.LABEL_PT) for _, text in KEY)
        end = self.size.width_px - style.MARGIN_PX - SAMPLE_PX - style.CLOSE_PX - math.ceil(longest)
        return [style.MARGIN_PX + SCALE_PX, min(self.size.width_px / 2 + SCALE_PX, end)]

    def _is_key_one_line(self) -> bool:
        first, second = self._key_lefts()
        return first + SAMPLE_PX + style.CLOSE_PX + width_px(KEY[0][1], style.LABEL_PT) + style.GAP_PX <= second

    def _draw_key(self, sheet: Sheet, top: float) -> None:
        first, second = self._key_lefts()
        lefts, step = ((first, second), 0) if self._is_key_one_line() else ((first, first), KEY_PX)
        for line, (left, (sign, text)) in enumerate(zip(lefts, KEY, strict=True)):
            y = top + KEY_PX / 2 + step * line
            ink = style.end_of_scale(sign)
            sheet.add(Line2D([left, left + SAMPLE_PX], [y, y], color=ink, linewidth=style.PLOT_PT, marker=""))
            sheet.text(left + SAMPLE_PX + style.CLOSE_PX, y, text)


def minus(number: str) -> str:
    """A written number with a true minus."""
    return number.replace("-", "\N{MINUS SIGN}")


def _span(panels: Sequence[CurvePanel]) -> tuple[float, float]:
    """What the scale of all plots covers."""
    heights = [height for p in panels if p.has_values for height in (p.most_first, p.least_first)]
    values = np.concatenate([np.array(LEAST_SPAN), *heights])
    return float(values.min()), float(values.max())


def _ticks(span: tuple[float, float]) -> dict[float, str]:
    """Where the scale has lines, and what is written beside them."""
    low, high = span
    values: tuple[float, ...] = SHARES
    if high - low >= WIDE_SPAN:
        values = tuple(tick for tick in style.ticks(max(-low, high)) if low <= tick <= high)
    return {value: minus(f"{value / 10.0 ** _power(span):.3g}") for value in values}


def _power(span: tuple[float, float]) -> int:
    return style.exponent(max(map(abs, span)))


def _scale_px(span: tuple[float, float]) -> float:
    """Room for the scale of a span and its label."""
    widest = max(width_px(text, style.LABEL_PT) for text in _ticks(span).values())
    return max(SCALE_PX, math.ceil(LABEL_PX + widest))


def _draw_curves(sheet: Sheet, plot: _Plot, panel: CurvePanel) -> None:
    """The curves, and the area between them tinted: blue where the most important go first, orange where the least."""
    if not panel.has_values:
        middle = (plot.middle, plot.top + plot.height / 2)
        sheet.text(*middle, NOTHING, color=style.MUTED, horizontalalignment="center")
        return
    x = plot.x(np.linspace(0.0, 1.0, len(panel.most_first)))
    most, least = plot.y(panel.most_first), plot.y(panel.least_first)
    between = np.column_stack([np.concatenate([x, x[::-1]]), np.concatenate([most, least[::-1]])])
    sheet.add(Polygon(between, closed=True, facecolor=style.QUIET, edgecolor="none", linewidth=0, zorder=0.5))
    for values, sign in ((most, -1), (least, +1)):
        sheet.add(Line2D(x, values, color=style.end_of_scale(sign), linewidth=style.PLOT_PT, marker=""))
