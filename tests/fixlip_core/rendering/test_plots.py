from __future__ import annotations

from itertools import pairwise

import numpy as np

from fixlip_core.rendering.plots import CurvePanel, CurveSheet
from fixlip_core.rendering.size import COLUMN

FALLING = np.linspace(1.0, 0.0, 51)


def texts(panels: list[CurvePanel], *, shared: bool) -> list[str]:
    sheet = CurveSheet(COLUMN, 2, 200, "height", shared=shared).draw(panels)
    return [text.get_text() for text in sheet.figure.texts]


def test_a_shared_scale_stands_only_beside_the_first_plot() -> None:
    panels = [CurvePanel(f"<b> {k}", FALLING**2, FALLING) for k in range(2)]
    assert texts(panels, shared=True).count("height") == 1
    assert texts(panels, shared=False).count("height") == 2
    assert {"<b> 0", "<b> 1"} <= set(texts(panels, shared=True))


def test_numbers_below_neighbouring_plots_do_not_touch() -> None:
    panels = [CurvePanel(str(k), FALLING**2, FALLING) for k in range(2)]
    for shared in (True, False):
        sheet = CurveSheet(COLUMN, 2, 200, "height", shared=shared).draw(panels)
        found = [t.get_window_extent() for t in sheet.figure.texts if t.get_text() in ("0", "50", "100")]
        below = sorted((box for box in found if box.y0 == min(f.y0 for f in found)), key=lambda box: box.x0)
        assert len(below) == 6
        assert all(left.x1 + 8 < right.x0 for left, right in pairwise(below))


def test_all_plots_are_on_the_scale_of_the_highest() -> None:
    high = CurvePanel("high", FALLING, 40 * FALLING)
    found = texts([CurvePanel("low", FALLING**2, FALLING), high], shared=False)
    assert found.count("40") == found.count("20") == 2


def test_panels_without_values_say_so_and_bend_no_scale() -> None:
    nothing = CurvePanel("nothing", np.full(2, np.nan), np.full(2, np.nan))
    found = texts([nothing, CurvePanel("some", FALLING**2, FALLING)], shared=False)
    assert found.count("\N{EN DASH}") == 1
    assert found.count("0.5") == 2
