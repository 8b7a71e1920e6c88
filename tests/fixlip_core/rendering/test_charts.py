from __future__ import annotations

import io
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PIL import Image

from fixlip_core.rendering import style
from fixlip_core.rendering.charts import BarPanel, bar_chart, curve_chart, round_ends
from fixlip_core.rendering.plots import CurvePanel
from fixlip_core.rendering.rendered import RenderedMap
from fixlip_core.rendering.size import FigureSize

LABELS = ("fixlip", "game <&> $x$")
NAN = float("nan")
DASH = "\N{EN DASH}"


def bars(*means: float, spread: float = 0.1, scale: tuple[float, float] | None = None) -> RenderedMap:
    values = np.array(means)
    panel = BarPanel("R2", values, values - spread, values + spread, scale)
    return bar_chart("chart", "A chart", LABELS[: len(means)], [panel], strong=[True, False], legend="what it is")


def pixels(chart: RenderedMap) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(chart.png)).convert("RGB")).astype(int)


def texts(chart: RenderedMap) -> list[str]:
    return [element.text or "" for element in ET.fromstring(chart.svg).iter("{http://www.w3.org/2000/svg}text")]


def share(chart: RenderedMap, sign: float) -> float:
    """Share of the pixels that have the colour of one end of the scale."""
    colour = np.rint(255 * style.diverging(np.array(sign), 1.0))
    return float((np.abs(pixels(chart) - colour).max(axis=-1) <= 2).mean())


class TestBars:
    def test_are_as_long_as_their_means(self) -> None:
        assert share(bars(0.8, 0.2), +1) == pytest.approx(4 * share(bars(0.8, 0.2), -1), rel=0.1)
        assert share(bars(-0.8, 0.4), +1) == pytest.approx(2 * share(bars(-0.8, 0.4), -1), rel=0.1)

    def test_show_names_title_andround_ends(self) -> None:
        found = texts(bars(0.8, 0.2))
        assert {"A chart", "what it is", "R2", "0", "0.9", *LABELS} <= set(found)

    def test_a_scale_may_be_given_so_that_panels_share_it(self) -> None:
        chart = bars(0.8, 0.2, scale=(0.0, 2.0))
        assert "2" in texts(chart)
        assert share(chart, +1) == pytest.approx(0.45 * share(bars(0.8, 0.2), +1), rel=0.1)

    def test_no_bar_where_there_is_no_value(self) -> None:
        assert DASH in texts(bars(0.8, NAN))
        assert share(bars(0.8, NAN), -1) == 0
        assert texts(bars(NAN, NAN)).count(DASH) == 2

    def test_the_same_drawing_gives_the_same_bytes(self) -> None:
        assert bars(0.3, 0.2) == bars(0.3, 0.2)


class TestCurves:
    def test_one_for_each_panel(self) -> None:
        falling = np.linspace(1, 0, 51)
        panels = [CurvePanel(f"method {k}", falling**3, falling**0.3) for k in range(4)]
        chart = curve_chart("curves", "Curves", panels, legend="what they are")
        assert [f"method {k}" in texts(chart) for k in range(4)] == [True] * 4
        assert texts(chart).count("share of the score") == 2  # beside the first of each line
        assert texts(chart).count("players removed, %") == 2  # below the last of each column
        assert share(chart, +1) > 0
        assert share(chart, -1) > 0

    def test_none_where_there_are_no_values(self) -> None:
        chart = curve_chart("curves", "Curves", [CurvePanel("game", np.full(2, NAN), np.full(2, NAN))], legend="")
        assert DASH in texts(chart)
        above_the_key = pixels(chart)[:-60]
        for sign in (+1, -1):
            colour = np.rint(255 * np.array(style.end_of_scale(sign)))
            assert (np.abs(above_the_key - colour).max(axis=-1) > 2).all()


def test_panels_that_find_no_room_go_into_a_line_of_their_own() -> None:
    values = np.array([0.5, 0.2])
    panels = [BarPanel(f"panel {k}", values, values - 0.1, values + 0.1) for k in range(4)]
    shapes = []
    for size in (FigureSize.of("column"), FigureSize.of(60.0)):
        chart = bar_chart("c", "C", LABELS, panels, strong=[True, False], legend="", size=size)
        assert {f"panel {k}" for k in range(4)} <= set(texts(chart))
        shapes.append((pixels(chart).shape, texts(chart).count("fixlip")))
    (column, once), (narrow, twice) = shapes
    assert (once, twice) == (1, 2)
    assert narrow[1] == 709 < column[1] == style.WIDTH_PX
    assert narrow[0] > 1.5 * column[0]


@pytest.mark.parametrize(
    ("ends", "scale"),
    [
        ((0.0, 0.83), (0.0, 0.85)),
        ((0.0, 1.0), (0.0, 1.0)),
        ((-0.2, 0.9), (-0.2, 0.9)),
        ((-30.0, 0.0), (-30.0, 0.0)),
        ((0.0, 0.0), (0.0, 1.0)),
        ((0.0, 7.2), (0.0, 7.5)),
    ],
)
def test_round_ends(ends: tuple[float, float], scale: tuple[float, float]) -> None:
    assert round_ends(*ends) == scale
