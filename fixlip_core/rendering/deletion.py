"""Insertion and deletion curves: how the score falls as players are taken away, the important or the others first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon

from fixlip_core.evaluation.insertion_deletion import Curves, InsertionDeletion
from fixlip_core.rendering import style
from fixlip_core.rendering.sheet import Sheet
from fixlip_core.types import FloatArray

__all__ = ["deletion_sheet"]

PLOT_PX: Final = 400
"""Height of a panel's plot."""
SCALE_PX: Final = 84
"""Room for the scale and its label on the left of a plot."""
HEAD_PX: Final = 44
FOOT_PX: Final = 84
KEY_PX: Final = 36
TICK_PX: Final = 6
SAMPLE_PX: Final = 48
CURVE_PT: Final = 1.2
LEAST_SPAN: Final = (0.0, 1.0)
"""What a panel shows at least: from the score of no player to that of all."""
SHARES: Final = (0.0, 0.5, 1.0)
WIDE_SPAN: Final = 4.0
"""Where the curves leave the least span so far behind, its ticks would run into each other."""


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where a panel's plot lies on the sheet, in pixels, and the span of its scale."""

    left: float
    top: float
    width: float
    span: tuple[float, float]

    def x(self, share: FloatArray) -> FloatArray:
        return self.left + self.width * share

    def y(self, value: FloatArray) -> FloatArray:
        low, high = self.span
        return self.top + PLOT_PX * (high - value) / (high - low)


def deletion_sheet(found: InsertionDeletion) -> Sheet:
    """The curves of first and, where there are any, of second order side by side, on one scale.

    The area between the two curves of each is tinted.

    Args:
        found: the curves; v(full) is not v(empty), for then they have no values.
    """
    sheet = Sheet(style.MARGIN_PX + HEAD_PX + PLOT_PX + FOOT_PX + KEY_PX + style.MARGIN_PX)
    orders = {"first order": found.first_order, "second order": found.second_order}
    panels = {name: curves for name, curves in orders.items() if curves is not None}
    values = np.concatenate([curve for both in panels.values() for curve in (both.most_first, both.least_first)])
    span = (min(LEAST_SPAN[0], float(values.min())), max(LEAST_SPAN[1], float(values.max())))
    width = (style.WIDTH_PX - 2 * style.MARGIN_PX) / len(panels)
    for place, (name, curves) in enumerate(panels.items()):
        left = style.MARGIN_PX + place * width + SCALE_PX
        plot = _Plot(left, style.MARGIN_PX + HEAD_PX, width - SCALE_PX - style.GAP_PX, span)
        _draw_frame(sheet, plot, f"{name}: area {_plain(curves.area)}", flipped=found.flipped)
        _draw_curves(sheet, plot, found.removed, curves)
    _draw_key(sheet)
    return sheet


def _ink(sign: int) -> str:
    """The end of the figures' scale: blue where the most important go first, orange where the least do."""
    return to_hex(style.diverging(np.array(float(sign)), 1.0).tolist())


def _plain(value: float) -> str:
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def _draw_frame(sheet: Sheet, plot: _Plot, title: str, *, flipped: bool) -> None:
    bottom, right = plot.top + PLOT_PX, plot.left + plot.width
    middle = plot.left + plot.width / 2
    sheet.text(middle, plot.top - HEAD_PX / 2, title, size_pt=style.WORD_PT, horizontalalignment="center")
    for corner in ((plot.left, plot.top), (right, bottom)):
        axis = np.array([(plot.left, bottom), corner])
        sheet.add(Line2D(axis[:, 0], axis[:, 1], color=style.INK, linewidth=style.HAIRLINE_PT, marker=""))
    power = style.exponent(max(map(abs, plot.span)))
    for value in _ticks(plot.span):
        y = float(plot.y(np.array(value)))
        sheet.add(Line2D([plot.left, right], [y, y], color=style.FAINT, linewidth=style.HAIRLINE_PT, marker=""))
        sheet.text(plot.left - 11, y, _plain(value / 10.0**power), horizontalalignment="right")
    for share in SHARES:
        x = float(plot.x(np.array(share)))
        sheet.add(Line2D([x, x], [bottom, bottom + TICK_PX], color=style.INK, linewidth=style.HAIRLINE_PT, marker=""))
        sheet.text(x, bottom + 24, f"{100 * share:g}", horizontalalignment="center")
    sheet.text(middle, bottom + 58, "players removed, %", horizontalalignment="center")
    label = style.in_powers("share of the score" + (" (flipped)" if flipped else ""), power)
    left, centre = plot.left - SCALE_PX + 12, plot.top + PLOT_PX / 2
    sheet.text(left, centre, label, rotation=90, horizontalalignment="center")


def _ticks(span: tuple[float, float]) -> tuple[float, ...]:
    low, high = span
    if high - low < WIDE_SPAN:
        return SHARES
    return tuple(tick for tick in style.ticks(max(-low, high)) if low <= tick <= high)


def _draw_curves(sheet: Sheet, plot: _Plot, removed: FloatArray, curves: Curves) -> None:
    x, most, least = plot.x(removed), plot.y(curves.most_first), plot.y(curves.least_first)
    between = np.column_stack([np.concatenate([x, x[::-1]]), np.concatenate([most, least[::-1]])])
    sheet.add(Polygon(between, closed=True, facecolor=style.QUIET, edgecolor="none", linewidth=0, zorder=0.5))
    for values, sign in ((most, -1), (least, +1)):
        sheet.add(Line2D(x, values, color=_ink(sign), linewidth=CURVE_PT, marker=""))


def _draw_key(sheet: Sheet) -> None:
    y = sheet.height_px - style.MARGIN_PX - KEY_PX / 2
    half = style.WIDTH_PX / 2
    for left, sign, text in (
        (style.MARGIN_PX + SCALE_PX, -1, "most important removed first"),
        (half + SCALE_PX, +1, "least important removed first"),
    ):
        sheet.add(Line2D([left, left + SAMPLE_PX], [y, y], color=_ink(sign), linewidth=CURVE_PT, marker=""))
        sheet.text(left + SAMPLE_PX + style.CLOSE_PX, y, text)
