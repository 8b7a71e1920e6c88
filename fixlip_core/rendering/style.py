"""How every figure looks: sheet, type, strokes, colours and the scale; other modules only say where things lie.

Lengths in ``_px`` are pixels at ``DPI``; one pixel is one unit of a :class:`~fixlip_core.rendering.sheet.Sheet`.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from fixlip_core.types import FloatArray

__all__ = [
    "BORDER_PX",
    "BORDER_RGB",
    "CLOSE_PX",
    "COLUMN_PX",
    "CURVE_PT",
    "DASHED",
    "DOTTED",
    "DPI",
    "FAINT",
    "FONT",
    "FONTS",
    "GAP_PX",
    "GRAPH_BACKDROP_BLACK",
    "HAIRLINE_PT",
    "HALO_OPACITY",
    "HALO_PT",
    "HEAT_BACKDROP_BLACK",
    "IMAGE_PX",
    "INK",
    "LABEL_PT",
    "MARGIN_PX",
    "MARK_OPACITY",
    "MAX_HEIGHT_PX",
    "MUTED",
    "PAGE_PX",
    "PAIRS",
    "PAPER",
    "PLOT_PT",
    "QUIET",
    "SAMPLE_PT",
    "SHORT",
    "SMALL_PT",
    "TALLEST",
    "TOKEN_MAPS",
    "WHISKER_PT",
    "WIDTH_PX",
    "WORD_PT",
    "diverging",
    "end_of_scale",
    "exponent",
    "in_powers",
    "ink_on",
    "signed",
    "ticks",
    "unit",
]

DPI: Final = 300
WIDTH_PX: Final = 1020
"""3.4 inches: one column of the usual two-column paper."""
IMAGE_PX: Final = 816
"""Greatest width of the picture: a multiple of 8, 12, 16 and 24, so that common grids end on whole pixels."""
PAGE_PX: Final = 2100
"""7 inches: both columns of such a paper."""
TALLEST: Final = 1.5
"""Greatest height of a picture beside its width."""
MAX_HEIGHT_PX: Final = 2400
"""Of a picture, so that it fits a page with its caption."""
COLUMN_PX: Final = 156
"""Width of the key beside the picture."""
MARGIN_PX: Final = 12
GAP_PX: Final = 24
CLOSE_PX: Final = 8

WORD_PT: Final = 7.0
LABEL_PT: Final = 6.0
SMALL_PT: Final = 5.5
FONT: Final = "DejaVu Sans"
"""Which matplotlib ships: figures look the same on every machine."""
FONTS: Final = f"'{FONT}', Verdana, sans-serif"
"""What a vector file asks for, the first that is there."""

HAIRLINE_PT: Final = 0.4
WHISKER_PT: Final = 0.8
PLOT_PT: Final = 1.2
"""Of curves in a plot."""
SAMPLE_PT: Final = 1.4
"""Of the strokes in a key."""
CURVE_PT: Final = (0.4, 2.2)
"""Widths of the curves for the weakest and the strongest pair."""
BORDER_PX: Final = 2
HALO_PT: Final = 1.0
HALO_OPACITY: Final = 0.75
"""White on either side of a line, which keeps it legible over the picture."""
DASHED: Final = (0, (2.4, 1.2))
DOTTED: Final = (0, (0.9, 0.9))
"""Strokes, in units of the line's width."""

PAPER: Final = "#ffffff"
INK: Final = "#1a1a1a"
MUTED: Final = "#6b6b6b"
FAINT: Final = "#c9c9c9"
QUIET: Final = "#ededed"
BORDER_RGB: Final = (0x6B, 0x6B, 0x6B)
"""Lines between regions, :data:`BORDER_PX` wide."""
MARK_OPACITY: Final = 0.8
"""Of the paper behind a number on the picture."""

SHORT: Final = (0.01, 10_000.0)
"""Ends of colour bars within which ticks are written as they are: others would run into the bar's label."""

PAIRS: Final = 24
"""Pairs in an interaction graph: about what the eye can follow at column width."""
TOKEN_MAPS: Final = 24
"""Maps of single tokens that are drawn for one explanation: more are looked at by nobody, and take long to draw."""

HEAT_BACKDROP_BLACK: Final = 0.58
GRAPH_BACKDROP_BLACK: Final = 0.62
"""What black becomes in the picture beneath a map; white stays white, so a tint over it keeps its own colour."""

_UNITS = {"logit": "effect on the logit", "cosine": "effect on the cosine"}
_INK_LUMINANCE = 0.0103
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)

# The scale runs from blue over a neutral near-white to orange. Both arms are straight lines in Oklab from the same
# neutral to the same lightness and chroma: equal magnitudes look equally strong whatever their sign, equal steps
# look equal, and a grey print still gives the magnitude. Blue against orange is the opposition that survives
# protanopia and deuteranopia, and under tritanopia it turns to cyan against red. Both ends are within sRGB.
_NEUTRAL_LIGHTNESS = 0.975
_END_LIGHTNESS = 0.53
_END_CHROMA = 0.127
_HUES_DEGREES = {-1: 255.0, +1: 55.0}
_OKLAB_TO_LMS = np.array(
    [[1.0, 0.3963377774, 0.2158037573], [1.0, -0.1055613458, -0.0638541728], [1.0, -0.0894841775, -1.2914855480]]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def diverging(values: FloatArray, limit: float) -> FloatArray:
    """(..., 3) sRGB in [0, 1] of ``values`` (any shape) on the symmetric scale from ``-limit`` to ``limit``.

    Zero is neutral; values beyond the limit take the end's colour; a limit of zero makes everything neutral.
    """
    share = np.clip(values / limit, -1.0, 1.0) if limit > 0 else np.zeros_like(values, dtype=np.float64)
    strength = np.abs(share)
    hue = np.radians(np.where(share < 0, _HUES_DEGREES[-1], _HUES_DEGREES[+1]))
    lightness = _NEUTRAL_LIGHTNESS + (_END_LIGHTNESS - _NEUTRAL_LIGHTNESS) * strength
    chroma = _END_CHROMA * strength
    oklab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=-1)
    linear = np.clip((oklab @ _OKLAB_TO_LMS.T) ** 3 @ _LMS_TO_RGB.T, 0.0, 1.0)
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def end_of_scale(sign: float) -> tuple[float, float, float]:
    """The scale's end on the side of ``sign``, sRGB in [0, 1]: for what has a side, but no shade."""
    red, green, blue = diverging(np.array(math.copysign(1.0, sign)), 1.0).tolist()
    return red, green, blue


def ink_on(background: FloatArray) -> str:
    """``INK`` or ``PAPER``, whichever contrasts more (WCAG 2) with an sRGB ``background`` (3,) in [0, 1]."""
    linear = np.where(background <= 0.04045, background / 12.92, ((background + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ np.array([0.2126, 0.7152, 0.0722]))
    return PAPER if 1.05 / (luminance + 0.05) > (luminance + 0.05) / (_INK_LUMINANCE + 0.05) else INK


def ticks(limit: float) -> tuple[float, ...]:
    """Round values within [-limit, limit], symmetric around zero, at most two on either side."""
    if limit < np.finfo(np.float64).tiny:
        return (0.0,)
    magnitude = 10.0 ** math.floor(math.log10(limit / 2))
    step = next(s * magnitude for s in _STEPS if limit < 2.999 * s * magnitude)
    count = int(limit / step * (1 + 1e-9))
    return tuple(k * step for k in range(-count, count + 1))


def signed(value: float) -> str:
    """A tick's label, with its sign: ``+0.25``, ``0``, ``\N{MINUS SIGN}0.25``, ``+2.5e\N{MINUS SIGN}04``."""
    if value == 0:
        return "0"
    text = f"{value:+.3g}" if SHORT[0] / 10 <= abs(value) < SHORT[1] else f"{value:+.1e}".replace(".0e", "e")
    return text.replace("-", "\N{MINUS SIGN}")


def exponent(limit: float) -> int:
    """The power of ten in whose units ticks up to ``limit`` are short: 0, or a multiple of 3."""
    if limit < np.finfo(np.float64).tiny or SHORT[0] <= limit < SHORT[1]:
        return 0
    return 3 * math.floor(math.log10(limit) / 3)


def in_powers(label: str, power: int) -> str:
    """``label`` with the unit in which its ticks are given: ``..., 10\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT SIX}``."""
    return label if power == 0 else f"{label}, 10{str(power).translate(_SUPERSCRIPTS)}"


def unit(score: str) -> str:
    """What a value of ``score`` is measured in."""
    return _UNITS.get(score, f"effect on the {score}")
