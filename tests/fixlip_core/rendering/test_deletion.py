from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from fixlip_core.evaluation import Curves, InsertionDeletion
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import deletion, plots, render_maps, style
from fixlip_core.rendering.deletion import deletion_sheet
from fixlip_core.rendering.size import FigureSize
from fixlip_core.types import FloatArray, ImageArray
from tests.support.explanations import attribution

MakeExplanation = Callable[..., Explanation]

REMOVED: FloatArray = np.linspace(0.0, 1.0, 51)


def found(*, second: bool = True, scale: float = 1.0, full: float = 3.0) -> InsertionDeletion:
    first_order = Curves.of(1 - REMOVED, 1 - REMOVED**3)
    second_order = Curves.of(1 - scale * np.sqrt(REMOVED), scale * (1 - REMOVED**5))
    return InsertionDeletion(
        removed=REMOVED,
        first_order=first_order,
        second_order=second_order if second else None,
        subsets=None,
        empty_value=1.0,
        full_value=full,
        flipped=full <= 1.0,
    )


def text_of(curves: InsertionDeletion) -> str:
    return deletion_sheet(curves).svg("curves").decode()


def test_each_order_has_a_panel_with_its_area() -> None:
    text = text_of(found())
    assert "first order: area 0.25<" in text
    assert "second order: area 0." in text
    assert "most important removed first" in text
    alone = text_of(found(second=False))
    assert "first order: area 0.25<" in alone
    assert "second order" not in alone


def test_a_pair_that_is_flipped_is_called_so() -> None:
    assert "share of the score (flipped)<" in text_of(found(full=0.5))
    assert "flipped" not in text_of(found())


def test_the_area_is_tinted_between_the_curves() -> None:
    pixels = deletion_sheet(found(second=False)).pixels()
    tint = np.array([int(style.QUIET[i : i + 2], 16) for i in (1, 3, 5)])
    tinted = (pixels == tint).all(axis=2).sum()
    plot = (style.WIDTH_PX - 2 * style.MARGIN_PX - plots.SCALE_PX - style.GAP_PX) * deletion.PLOT_PX
    assert 0.22 < tinted / plot < 0.25  # the curves themselves lie over some of it


@pytest.mark.parametrize("scale", [1.0, 8.0, 1e6])
def test_curves_of_any_height_stay_on_the_sheet(scale: float) -> None:
    pixels = deletion_sheet(found(scale=scale)).pixels()
    assert pixels.shape[1] == style.WIDTH_PX
    edges = np.concatenate([pixels[:4].reshape(-1, 3), pixels[-4:].reshape(-1, 3), pixels[:, -4:].reshape(-1, 3)])
    assert (edges == 255).all()


def test_on_a_narrow_figure_the_panels_stand_one_above_the_other() -> None:
    column, narrow, page = (deletion_sheet(found(), size=FigureSize.of(width)) for width in ("column", 60, "page"))
    assert narrow.height_px > column.height_px + deletion.PLOT_PX
    assert page.height_px == column.height_px
    assert [sheet.width_px for sheet in (column, narrow, page)] == [style.WIDTH_PX, 709, style.PAGE_PX]


@pytest.mark.parametrize("scale", [1.0, 14.0, -14.0])
def test_the_scale_and_its_label_do_not_touch(scale: float) -> None:
    sheet = deletion_sheet(found(scale=scale))
    ticks = [text for text in sheet.figure.texts if text.get_horizontalalignment() == "right"]
    labels = [text for text in sheet.figure.texts if text.get_rotation() == 90]
    assert min(text.get_window_extent().x0 for text in ticks) > labels[0].get_window_extent().x1


def test_they_come_last_of_the_maps(make_explanation: MakeExplanation, view: ImageArray) -> None:
    maps = render_maps(make_explanation(("red",)), view, curves=found())
    assert list(maps) == ["first-order", "graph", "token-0", "insertion-deletion"]
    with Image.open(io.BytesIO(maps["insertion-deletion"].png)) as image:
        assert image.width == style.WIDTH_PX
    assert list(render_maps(attribution(), view, curves=found(second=False))) == ["first-order", "insertion-deletion"]


def test_curves_without_values_are_not_drawn(make_explanation: MakeExplanation, view: ImageArray) -> None:
    nothing = found(full=1.0)
    assert "insertion-deletion" not in render_maps(make_explanation(("red",)), view, curves=nothing)
