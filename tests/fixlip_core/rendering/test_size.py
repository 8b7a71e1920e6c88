from __future__ import annotations

from typing import Any

import pytest

from fixlip_core.errors import InvalidParameterError
from fixlip_core.rendering import style
from fixlip_core.rendering.size import COLUMN, FigureSize


def test_named_widths_are_those_of_a_paper() -> None:
    assert FigureSize.of("column") == COLUMN
    assert COLUMN.width_px == style.WIDTH_PX == 3.4 * style.DPI
    assert FigureSize.of("page").width_px == 7 * style.DPI


def test_millimetres_are_those_of_the_print() -> None:
    assert FigureSize.of(85.0).width_px == round(85 / 25.4 * 300)


def test_the_picture_takes_what_its_key_leaves() -> None:
    assert COLUMN.image_px == style.IMAGE_PX
    assert FigureSize.of("page").image_px == style.IMAGE_PX + style.PAGE_PX - style.WIDTH_PX


@pytest.mark.parametrize("width", ["wide", "85mm", "", 59.9, 251, float("nan"), float("inf"), -85])
def test_other_widths_are_refused(width: Any) -> None:
    with pytest.raises(InvalidParameterError, match="column, page, or 60 to 250 millimetres") as caught:
        FigureSize.of(width)
    assert caught.value.field == "width"
