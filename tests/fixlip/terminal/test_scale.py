from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from rich.color import Color, ColorSystem

from fixlip.terminal.scale import Scale, Shades
from fixlip_core.rendering import style
from tests.support.consoles import a_console, signed


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"colours": "truecolor"}, Shades.MANY),
        ({"colours": "256"}, Shades.FEW),
        ({"colours": "standard"}, Shades.NONE),
        ({"colours": None}, Shades.NONE),
        ({"colours": "truecolor", "no_color": True}, Shades.NONE),
    ],
)
def test_when_there_are_colours(options: dict[str, Any], expected: Shades) -> None:
    assert Shades.of(a_console(**options)) is expected


def test_colours_are_those_of_the_figures() -> None:
    values = np.array([-2.0, -0.3, 0.0, 1.1, 2.0])
    pixels = Scale(2.0, shades=Shades.MANY).pixels(values)
    assert np.abs(pixels / 255 - style.diverging(values, 2.0)).max() <= 0.5 / 255
    assert pixels[0, 2] > pixels[0, 0]  # blue
    assert pixels[-1, 0] > pixels[-1, 2]  # orange


def test_few_colours_are_those_that_the_terminal_has_and_get_stronger_from_zero() -> None:
    pixels = Scale(1.0, shades=Shades.FEW).pixels(np.linspace(-1, 1, 101))
    for pixel in np.unique(pixels, axis=0).tolist():
        shown = list(Color.from_rgb(*pixel).downgrade(ColorSystem.EIGHT_BIT).get_truecolor())
        assert shown == pixel if len(set(pixel)) > 1 else shown == [0xE4] * 3  # of a grey, rich takes the next darker
    warmth = pixels[:, 0].astype(int) - pixels[:, 2]
    luminance = [_luminance((red, green, blue)) for red, green, blue in pixels.tolist()]
    assert (np.diff(luminance[:51]) >= 0).all()
    assert (np.diff(luminance[50:]) <= 0).all()
    assert (warmth[:40] < 0).all()
    assert (warmth[61:] > 0).all()


@pytest.mark.parametrize("shades", [Shades.FEW, Shades.MANY])
def test_ink_can_be_read_on_every_colour(shades: Shades) -> None:
    scale = Scale(1.0, shades=shades)
    for value in np.linspace(-1, 1, 41).tolist():
        found = scale.style(value)
        assert found.color is not None
        assert found.bgcolor is not None
        inks = [_luminance(colour.get_truecolor()) for colour in (found.color, found.bgcolor)]
        assert (max(inks) + 0.05) / (min(inks) + 0.05) >= 4.1, value
    assert not Scale(1.0, shades=Shades.NONE).style(1.0)


def test_marks_are_signs_and_ninths() -> None:
    scale = Scale(4.5, shades=Shades.NONE)
    marks = [scale.mark(value) for value in (4.5, -4.5, 0.5, -1.2, 0.49, 0.0, np.nan)]
    assert marks == ["+9", signed("-9"), "+1", signed("-2"), " ·", " ·", " ?"]
    assert Scale(0.0, shades=Shades.NONE).mark(0.0) == " ·"


def test_limit_is_the_greatest_finite_magnitude() -> None:
    assert Scale.of(np.array([[-3.0, np.nan]]), np.array([1.0, np.inf]), shades=Shades.MANY).limit == 3
    assert Scale.of(np.zeros(0), shades=Shades.MANY).limit == 0


@pytest.mark.parametrize(
    ("limit", "value", "expected"),
    [
        (9.7, -0.444, signed("-0.44")),
        (0.065, 0.00359, "+0.0036"),
        (1e-9, -2.5e-10, signed("-2.5e-10")),
        (123.0, 99.0, "+99.00"),
        (1.0, 0.0, "0"),
        (0.0, 0.0, "0"),
        (1.0, float("nan"), "?"),
    ],
)
def test_numbers_have_signs_and_as_many_digits_as_the_scale_asks_for(limit: float, value: float, expected: str) -> None:
    assert Scale(limit, shades=Shades.NONE).number(value) == expected


@pytest.mark.parametrize("shades", list(Shades))
def test_legend_has_signs_ends_and_unit(shades: Shades) -> None:
    legend = Scale(2.5, shades=shades).legend("words, logit")
    assert signed("-2.50") in legend.plain
    assert "+2.50" in legend.plain
    assert legend.plain.endswith("words, logit")
    assert legend.cell_len <= 60
    assert any(span.style and getattr(span.style, "bgcolor", None) for span in legend.spans) is bool(shades)
    assert Scale(0.0, shades=shades).legend("words").plain == "words: 0 everywhere"


def _luminance(rgb: tuple[int, int, int]) -> float:
    shares = np.array(rgb) / 255
    linear = np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)
    return float(linear @ np.array([0.2126, 0.7152, 0.0722]))
