"""Charts of a benchmark: bars of means with their intervals, and mean insertion and deletion curves.

They are drawn on the sheet of the maps, in their type and colours: orange for what is of second order, or for the curve
that should stay high; blue for the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from fixlip_core.rendering import style
from fixlip_core.rendering.plots import CurvePanel, CurveSheet, minus
from fixlip_core.rendering.png import png_bytes
from fixlip_core.rendering.rendered import RenderedMap
from fixlip_core.rendering.sheet import Sheet
from fixlip_core.rendering.size import COLUMN, FigureSize
from fixlip_core.rendering.text import drawable, elided, width_px
from fixlip_core.types import FloatArray

__all__ = ["BarPanel", "bar_chart", "curve_chart", "round_ends"]

LABELS_PX: Final = 300
"""Most room for the rows' names; a narrow figure has less."""
LABELS_SHARE: Final = 0.4
ROW_PX: Final = 44
BAR_PX: Final = 26
TITLES_PX: Final = 84
"""What a chart's title and legend take."""
HEAD_PX: Final = 36
FOOT_PX: Final = 44
NARROWEST_PX: Final = 150
"""Of a panel: others go into a line of their own."""
NARROWEST_CURVES_PX: Final = 300
PLOT_PX: Final = 210
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


def bar_chart(
    name: str,
    title: str,
    labels: Sequence[str],
    panels: Sequence[BarPanel],
    *,
    strong: Sequence[bool],
    legend: str,
    size: FigureSize = COLUMN,
) -> RenderedMap:
    """Horizontal bars with whiskers, a row for each label and a column for each panel, each on its own scale.

    Panels that would be too narrow side by side go into several lines, all as long.

    Args:
        name: fit for a file.
        title: for people.
        labels: the rows' names.
        panels: the columns.
        strong: which rows are drawn in orange; the others are blue.
        legend: what bars, whiskers and colours are.
        size: of the figure.
    """
    labels_px = _labels_px(labels, size)
    columns = _columns(len(panels), size.content_px - labels_px, NARROWEST_PX)
    lines = math.ceil(len(panels) / columns)
    line_px = HEAD_PX + ROW_PX * len(labels) + FOOT_PX
    sheet = Sheet(TITLES_PX + lines * line_px + style.MARGIN_PX, width_px=size.width_px)
    _head(sheet, title, legend)
    width = (size.content_px - labels_px) / columns - style.GAP_PX
    for line in range(lines):
        top = TITLES_PX + line * line_px + HEAD_PX
        _names(sheet, labels, top=top, room=labels_px)
        for column, panel in enumerate(panels[line * columns : (line + 1) * columns]):
            left = style.MARGIN_PX + labels_px + column * (width + style.GAP_PX) + style.GAP_PX
            _Bars(sheet, panel, left=left, top=top, width=width).draw(strong)
    return _rendered(sheet, name, title)


def curve_chart(
    name: str, title: str, panels: Sequence[CurvePanel], *, legend: str, size: FigureSize = COLUMN
) -> RenderedMap:
    """A small plot for each panel, some to a line, all on one scale; the area between the curves is tinted.

    Args:
        name: fit for a file.
        title: for people.
        panels: the plots.
        legend: what the curves are.
        size: of the figure.
    """
    columns = _columns(len(panels), size.content_px, NARROWEST_CURVES_PX)
    head_px = TITLES_PX - style.MARGIN_PX
    layout = CurveSheet(
        size, columns, PLOT_PX, "share of the score", shared=True, head_px=head_px, title_pt=style.LABEL_PT
    )
    sheet = layout.draw(panels)
    _head(sheet, title, legend)
    return _rendered(sheet, name, title)


def _columns(panels: int, room: float, narrowest: float) -> int:
    """How many panels stand side by side, in the fewest lines and all of them about as long."""
    most = max(1, int(room // narrowest))
    lines = max(1, math.ceil(panels / most))
    return max(1, math.ceil(panels / lines))


def _labels_px(labels: Sequence[str], size: FigureSize) -> float:
    """Room that the rows' names take."""
    longest = max((width_px(drawable(label), style.SMALL_PT) for label in labels), default=0.0)
    return min(math.ceil(longest), LABELS_PX, LABELS_SHARE * size.content_px)


def _head(sheet: Sheet, title: str, legend: str) -> None:
    room = sheet.width_px - 2 * style.MARGIN_PX
    sheet.text(style.MARGIN_PX, 24, elided(title, style.WORD_PT, room), size_pt=style.WORD_PT)
    sheet.text(style.MARGIN_PX, 58, elided(legend, style.SMALL_PT, room), size_pt=style.SMALL_PT, color=style.MUTED)


def _names(sheet: Sheet, labels: Sequence[str], *, top: float, room: float) -> None:
    for row, label in enumerate(labels):
        text = elided(drawable(label), style.SMALL_PT, room)
        sheet.text(style.MARGIN_PX, top + ROW_PX * (row + 0.5), text, size_pt=style.SMALL_PT)


class _Bars:
    """A panel's bars on the sheet, with their scale.

    Args:
        sheet: where.
        panel: what.
        left: where the scale begins.
        top: upper edge of the first row.
        width: of the scale.
    """

    def __init__(self, sheet: Sheet, panel: BarPanel, *, left: float, top: float, width: float) -> None:
        self._sheet, self._panel = sheet, panel
        self._left, self._top, self._width = left, top, width
        shown = np.concatenate([[0.0], panel.means, panel.lows, panel.highs])
        self._ends = panel.scale or round_ends(float(np.nanmin(shown)), float(np.nanmax(shown)))

    def draw(self, strong: Sequence[bool]) -> None:
        """Draw it; bars that are ``strong`` in orange, others in blue."""
        middle = self._left + self._width / 2
        title = elided(self._panel.title, style.LABEL_PT, self._width + style.GAP_PX)
        self._sheet.text(middle, self._top - 18, title, horizontalalignment="center")
        self._draw_scale()
        whole = zip(self._panel.means, self._panel.lows, self._panel.highs, strong, strict=True)
        for row, (mean, low, high, is_strong) in enumerate(whole):
            self._draw_bar(self._top + ROW_PX * (row + 0.5), float(mean), float(low), float(high), is_strong)

    def _x(self, value: float) -> float:
        low, high = self._ends
        return self._left + self._width * (value - low) / (high - low)

    def _draw_scale(self) -> None:
        low, high = self._ends
        bottom = self._top + ROW_PX * len(self._panel.means)
        self._add_line([self._x(0.0)] * 2, [self._top, bottom + 6], style.MUTED, style.HAIRLINE_PT)
        for end, side in ((low, "left"), (high, "right")):
            if end:
                self._add_line([self._x(end)] * 2, [self._top, bottom + 6], style.FAINT, style.HAIRLINE_PT)
            self._number(end, bottom, side)
        if min(-low, high) > 0.3 * (high - low):
            self._number(0.0, bottom, "center")

    def _number(self, value: float, bottom: float, side: str) -> None:
        label = minus(f"{value:g}")
        self._sheet.text(self._x(value), bottom + 24, label, size_pt=style.SMALL_PT, horizontalalignment=side)

    def _draw_bar(self, y: float, mean: float, low: float, high: float, is_strong: bool) -> None:
        if math.isnan(mean):
            self._sheet.text(self._x(0.0) + style.CLOSE_PX, y, NOTHING, size_pt=style.SMALL_PT, color=style.MUTED)
            return
        start, end = sorted((self._x(0.0), self._x(mean)))
        colour = style.end_of_scale(1 if is_strong else -1)
        self._sheet.add(Rectangle((start, y - BAR_PX / 2), end - start, BAR_PX, facecolor=colour, linewidth=0))
        if not math.isnan(low):
            self._add_line([self._x(low), self._x(high)], [y, y], style.INK, style.WHISKER_PT)

    def _add_line(self, x: Sequence[float], y: Sequence[float], ink: str, width_pt: float) -> None:
        line = Line2D(x, y, color=ink, linewidth=width_pt, linestyle="-", marker="", solid_capstyle="butt")
        self._sheet.add(line)


def round_ends(low: float, high: float) -> tuple[float, float]:
    """Round numbers just beyond the ends of [low, high], which holds zero: where a scale begins and ends."""
    reach = max(-low, high)
    if reach < np.finfo(np.float64).tiny:
        return 0.0, 1.0
    step = 10.0 ** math.floor(math.log10(reach)) / 10
    # 0.83 ends at 0.85, and 0.97 at 1.
    begin, end = (5 * step * math.floor(low / (5 * step)), 5 * step * math.ceil(high / (5 * step)))
    return round(begin, 12) + 0.0, round(end, 12) + 0.0


def _rendered(sheet: Sheet, name: str, title: str) -> RenderedMap:
    return RenderedMap(name=name, title=title, png=png_bytes(sheet.pixels()), svg=sheet.svg(title))
