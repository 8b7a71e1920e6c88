"""Charts of a benchmark: bars of means with their intervals, and mean insertion and deletion curves.

They are drawn on the sheet of the maps, in their type and colours: orange for what is of second order, or for the curve
that should stay high; blue for the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle

from fixlip_core.rendering import style
from fixlip_core.rendering.png import png_bytes
from fixlip_core.rendering.rendered import RenderedMap
from fixlip_core.rendering.sheet import Sheet
from fixlip_core.rendering.text import drawable, elided
from fixlip_core.types import FloatArray

__all__ = ["BarPanel", "CurvePanel", "bar_chart", "curve_chart", "round_ends"]

Colour: TypeAlias = str | tuple[float, float, float]

LABELS_PX: Final = 300
ROW_PX: Final = 44
BAR_PX: Final = 26
HEAD_PX: Final = 120
FOOT_PX: Final = 56
COLUMNS: Final = 3
PANEL_PX: Final = 210
TITLE_PX: Final = 40
NOTHING: Final = "\N{EN DASH}"


@dataclass(frozen=True, slots=True, eq=False)
class BarPanel:
    """A column of bars: one for each row of the chart.

    Attributes:
        title: what it measures.
        means: (k,) lengths; nan for no bar.
        lows: (k,) lower ends of the whiskers; nan for none.
        highs: (k,) upper ends.
        scale: where its scale begins and ends; None: just beyond what is shown.
    """

    title: str
    means: FloatArray
    lows: FloatArray
    highs: FloatArray
    scale: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class CurvePanel:
    """The two curves of a method, over the share of players removed, 0 to 1.

    Attributes:
        title: whose they are.
        most_first: (m,) heights, the most important players gone first.
        least_first: (m,) heights, the least important gone first.
    """

    title: str
    most_first: FloatArray
    least_first: FloatArray


def bar_chart(
    name: str, title: str, labels: Sequence[str], panels: Sequence[BarPanel], *, strong: Sequence[bool], legend: str
) -> RenderedMap:
    """Horizontal bars with whiskers, a row for each label and a column for each panel, each on its own scale.

    Args:
        name: fit for a file.
        title: for people.
        labels: the rows' names.
        panels: the columns.
        strong: which rows are drawn in orange; the others are blue.
        legend: what bars, whiskers and colours are.
    """
    sheet = Sheet(HEAD_PX + ROW_PX * len(labels) + FOOT_PX)
    _head(sheet, title, legend)
    for row, label in enumerate(labels):
        text = elided(drawable(label), style.SMALL_PT, LABELS_PX - style.CLOSE_PX)
        sheet.text(style.MARGIN_PX, HEAD_PX + ROW_PX * (row + 0.5), text, size_pt=style.SMALL_PT)
    width = (style.WIDTH_PX - 2 * style.MARGIN_PX - LABELS_PX) / max(len(panels), 1) - style.GAP_PX
    for column, panel in enumerate(panels):
        left = style.MARGIN_PX + LABELS_PX + column * (width + style.GAP_PX) + style.GAP_PX / 2
        _bars(sheet, panel, left=left, width=width, strong=strong)
    return _rendered(sheet, name, title)


def curve_chart(name: str, title: str, panels: Sequence[CurvePanel], *, legend: str) -> RenderedMap:
    """A small chart for each panel, three to a line, all on one scale; the area between the curves is tinted.

    Args:
        name: fit for a file.
        title: for people.
        panels: the charts.
        legend: what the curves are.
    """
    lines = math.ceil(len(panels) / COLUMNS)
    sheet = Sheet(HEAD_PX - TITLE_PX + lines * (PANEL_PX + TITLE_PX + FOOT_PX))
    _head(sheet, title, legend)
    heights = np.concatenate([[0.0, 1.0], *(np.append(p.most_first, p.least_first) for p in panels)])
    low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
    width = (style.WIDTH_PX - 2 * style.MARGIN_PX) / COLUMNS - style.GAP_PX
    for index, panel in enumerate(panels):
        line, column = divmod(index, COLUMNS)
        left = style.MARGIN_PX + column * (width + style.GAP_PX)
        top = HEAD_PX - TITLE_PX + line * (PANEL_PX + TITLE_PX + FOOT_PX)
        _curves(sheet, panel, left=left, top=top + TITLE_PX, width=width, ends=(low, high))
    return _rendered(sheet, name, title)


def _head(sheet: Sheet, title: str, legend: str) -> None:
    room = style.WIDTH_PX - 2 * style.MARGIN_PX
    sheet.text(style.MARGIN_PX, 24, elided(title, style.WORD_PT, room), size_pt=style.WORD_PT)
    sheet.text(style.MARGIN_PX, 58, elided(legend, style.SMALL_PT, room), size_pt=style.SMALL_PT, color=style.MUTED)


def _bars(sheet: Sheet, panel: BarPanel, *, left: float, width: float, strong: Sequence[bool]) -> None:
    shown = np.concatenate([[0.0], panel.means, panel.lows, panel.highs])
    low, high = panel.scale or round_ends(float(np.nanmin(shown)), float(np.nanmax(shown)))

    def x(value: float) -> float:
        return left + width * (value - low) / (high - low)

    top, bottom = HEAD_PX, HEAD_PX + ROW_PX * len(panel.means)
    middle = left + width / 2
    title = elided(panel.title, style.LABEL_PT, width + style.GAP_PX)
    sheet.text(middle, HEAD_PX - 22, title, horizontalalignment="center")
    sheet.add(_line([x(0.0)] * 2, [top, bottom + 6], style.MUTED))
    for end, side in ((low, "left"), (high, "right")):
        if end:
            sheet.add(_line([x(end)] * 2, [top, bottom + 6], style.FAINT))
        label = f"{end:g}".replace("-", "\N{MINUS SIGN}")
        sheet.text(x(end), bottom + 24, label, size_pt=style.SMALL_PT, horizontalalignment=side)
    if min(-low, high) > 0.3 * (high - low):
        sheet.text(x(0.0), bottom + 24, "0", size_pt=style.SMALL_PT, horizontalalignment="center")
    for row, (mean, lower, upper) in enumerate(zip(panel.means, panel.lows, panel.highs, strict=True)):
        y = HEAD_PX + ROW_PX * (row + 0.5)
        if np.isnan(mean):
            sheet.text(x(0.0) + style.CLOSE_PX, y, NOTHING, size_pt=style.SMALL_PT, color=style.MUTED)
            continue
        start, end = sorted((x(0.0), x(float(mean))))
        sheet.add(Rectangle((start, y - BAR_PX / 2), end - start, BAR_PX, facecolor=_colour(strong[row]), linewidth=0))
        if not np.isnan(lower):
            sheet.add(_line([x(float(lower)), x(float(upper))], [y, y], style.INK, width_pt=0.8))


def _curves(
    sheet: Sheet, panel: CurvePanel, *, left: float, top: float, width: float, ends: tuple[float, float]
) -> None:
    low, high = ends
    title = elided(drawable(panel.title), style.LABEL_PT, width)
    sheet.text(left + width / 2, top - TITLE_PX / 2, title, horizontalalignment="center")

    def points(heights: FloatArray) -> FloatArray:
        shares = np.linspace(0.0, 1.0, len(heights))
        return np.stack([left + width * shares, top + PANEL_PX * (high - heights) / (high - low)], axis=1)

    for height in (0.0, 1.0):
        (y,) = points(np.array([height]))[:, 1]
        sheet.add(_line([left, left + width], [y, y], style.FAINT))
        # Apart even where the scale brings the two lines together.
        beside = y - style.CLOSE_PX if height else y + style.CLOSE_PX
        sheet.text(left + width + 3, beside, f"{height:.0f}", size_pt=style.SMALL_PT, color=style.MUTED)
    for share, side in ((0, "left"), (1, "right")):
        x = left + share * width
        label = f"{share:.0%}"
        sheet.text(x, top + PANEL_PX + 20, label, size_pt=style.SMALL_PT, horizontalalignment=side)
    if np.isnan(panel.most_first).any() or np.isnan(panel.least_first).any():
        middle = (left + width / 2, top + PANEL_PX / 2)
        sheet.text(*middle, NOTHING, size_pt=style.SMALL_PT, color=style.MUTED, horizontalalignment="center")
        return
    below, above = points(panel.most_first), points(panel.least_first)
    sheet.add(Polygon(np.concatenate([above, below[::-1]]), facecolor=style.QUIET, linewidth=0))
    for curve, is_high in ((below, False), (above, True)):
        sheet.add(_line(curve[:, 0].tolist(), curve[:, 1].tolist(), _colour(is_high), width_pt=1.2))


def round_ends(low: float, high: float) -> tuple[float, float]:
    """Round numbers just beyond the ends of [low, high], which holds zero: where a scale begins and ends."""
    reach = max(-low, high)
    if reach < np.finfo(np.float64).tiny:
        return 0.0, 1.0
    step = 10.0 ** math.floor(math.log10(reach)) / 10
    # 0.83 ends at 0.85, and 0.97 at 1.
    begin, end = (5 * step * math.floor(low / (5 * step)), 5 * step * math.ceil(high / (5 * step)))
    return round(begin, 12) + 0.0, round(end, 12) + 0.0


def _colour(is_strong: bool) -> Colour:
    """The end of the maps' scale, or its other end."""
    red, green, blue = style.diverging(np.array(1.0 if is_strong else -1.0), 1.0).tolist()
    return red, green, blue


def _line(x: Sequence[float], y: Sequence[float], colour: Colour, *, width_pt: float = style.HAIRLINE_PT) -> Line2D:
    return Line2D(x, y, color=colour, linewidth=width_pt, linestyle="-", marker="", solid_capstyle="butt")


def _rendered(sheet: Sheet, name: str, title: str) -> RenderedMap:
    return RenderedMap(name=name, title=title, png=png_bytes(sheet.pixels()), svg=sheet.svg(title))
