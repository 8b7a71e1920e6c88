from __future__ import annotations

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fixlip_core.rendering.text import as_written, drawable, elided, font, width_px


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("circle", "circle"),
        ("$x^2$", "$x^2$"),
        ("a_b", "a_b"),
        (" two\n words\t", "two words"),
        ("\N{CJK UNIFIED IDEOGRAPH-72AC}\N{CJK UNIFIED IDEOGRAPH-732B}", "\N{WHITE SQUARE}\N{WHITE SQUARE}"),
        ("e\N{COMBINING ACUTE ACCENT}", "\N{LATIN SMALL LETTER E WITH ACUTE}"),
        ("a\N{ZERO WIDTH JOINER}b\x00", "ab"),
        ("\ud800", "\N{WHITE SQUARE}"),
        ("", "\N{OPEN BOX}"),
        ("  ", "\N{OPEN BOX}"),
        ("x" * 500, "x" * 80 + "\N{HORIZONTAL ELLIPSIS}"),
    ],
)
def test_tokens_become_drawable(token: str, expected: str) -> None:
    assert drawable(token) == expected


def test_any_character_draws_without_a_warning() -> None:
    rng = np.random.default_rng(0)
    figure = Figure(figsize=(1, 1))
    canvas = FigureCanvasAgg(figure)
    codes = np.concatenate([np.arange(0x20, 0x3100, 3), rng.integers(0x3100, 0x110000, 400)])
    for start in range(0, len(codes), 40):
        token = "".join(map(chr, codes[start : start + 40]))
        figure.text(0, 0, drawable(token), fontproperties=font(7), parse_math=False)
    canvas.draw()
    assert np.asarray(canvas.buffer_rgba()).min() == 0


@pytest.mark.parametrize(
    ("token", "limit_px", "expected"),
    [
        ("red", 1e9, "red"),
        ("\N{CJK UNIFIED IDEOGRAPH-72AC} a", 1e9, "\N{CJK UNIFIED IDEOGRAPH-72AC} a"),
        ("\N{CJK UNIFIED IDEOGRAPH-72AC}" * 9, 100.0, "\N{CJK UNIFIED IDEOGRAPH-72AC}" * 2 + "\N{HORIZONTAL ELLIPSIS}"),
        ("\N{DOG FACE}\N{ZERO WIDTH JOINER}b", 1e9, "\N{DOG FACE}b"),
        ("\N{WHITE SQUARE}\N{DOG FACE}", 1e9, "\N{WHITE SQUARE}\N{DOG FACE}"),
        ("", 1e9, "\N{OPEN BOX}"),
    ],
)
def test_readers_with_fonts_of_their_own_are_given_what_was_written(token: str, limit_px: float, expected: str) -> None:
    assert as_written(elided(drawable(token), 7.0, limit_px), token) == expected


def test_width_grows_with_the_text_and_its_size() -> None:
    assert width_px("iiii", 7.0) < width_px("mmmm", 7.0) < width_px("mmmm", 9.0)


def test_text_that_fits_is_left_alone() -> None:
    assert elided("circle", 7.0, width_px("circle", 7.0)) == "circle"


@pytest.mark.parametrize("limit", [40.0, 100.0, 200.0])
def test_text_that_does_not_fit_is_cut_as_little_as_possible(limit: float) -> None:
    text = "antidisestablishmentarianism"
    cut = elided(text, 7.0, limit)
    kept = cut.removesuffix("\N{HORIZONTAL ELLIPSIS}")
    assert text.startswith(kept)
    assert width_px(cut, 7.0) <= limit < width_px(text[: len(kept) + 1] + "\N{HORIZONTAL ELLIPSIS}", 7.0)
