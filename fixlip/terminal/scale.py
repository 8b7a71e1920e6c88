"""Values on a terminal: the colours of the figures, or a sign and a digit where there are no colours."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Final

import numpy as np
from rich.color import Color
from rich.console import Console
from rich.style import Style
from rich.text import Text

from fixlip_core.rendering import style
from fixlip_core.types import FloatArray, ImageArray

__all__ = ["MINUS", "Scale", "Shades"]

MINUS: Final = "\N{MINUS SIGN}"
NEGLIGIBLE: Final = " \N{MIDDLE DOT}"
UNKNOWN: Final = " ?"
_BAR_COLUMNS: Final = 21
_END_COLUMNS: Final = 6
_MOST_DECIMALS: Final = 6
_UNKNOWN_RGB: Final = (0x9A, 0x9A, 0x9A)
_FEW_RGB: Final = np.array(
    [
        *[(0x00, 0x5F, 0xAF), (0x5F, 0x87, 0xD7), (0x87, 0xAF, 0xD7), (0xAF, 0xD7, 0xFF)],
        (0xEE, 0xEE, 0xEE),
        *[(0xFF, 0xD7, 0xAF), (0xD7, 0xAF, 0x87), (0xD7, 0x87, 0x5F), (0xAF, 0x5F, 0x00)],
    ],
    dtype=np.uint8,
)
"""The scale from -1 to +1 in colours that terminals of 256 have: the nearest ones change their hue at every step."""


class Shades(Enum):
    """How many colours a scale can have."""

    NONE = 0
    FEW = 256
    MANY = 256**3

    @classmethod
    def of(cls, console: Console) -> Shades:
        """As many as the console shows: none with NO_COLOR, and none of only 16, which are whatever its user likes."""
        found = {"256": cls.FEW, "truecolor": cls.MANY}.get(console.color_system or "", cls.NONE)
        return cls.NONE if console.no_color else found

    def __bool__(self) -> bool:
        return self is not Shades.NONE


@dataclass(frozen=True, slots=True)
class Scale:
    """The symmetric scale from ``-limit`` to ``limit``.

    Args:
        limit: the greatest absolute value; 0 where all values are.
        shades: the colours that show values; without any, they are signs and ninths of the limit, ``+3``.
    """

    limit: float
    shades: Shades

    @classmethod
    def of(cls, *values: FloatArray, shades: Shades) -> Scale:
        """The scale on which all ``values`` can be shown; those that are not finite do not count."""
        magnitudes = np.abs(np.concatenate([np.ravel(part) for part in values]))
        return cls(float(magnitudes.max(initial=0.0, where=np.isfinite(magnitudes))), shades)

    def number(self, value: float, *, at_least: int = 2) -> str:
        """``value`` with its sign and a true minus: three digits of the limit, or ``at_least`` so many decimals."""
        if not math.isfinite(value):
            return "?"
        decimals = max(at_least, 2 - math.floor(math.log10(self.limit))) if self.limit > 0 else at_least
        if value == 0 or decimals > _MOST_DECIMALS:
            return style.signed(value)
        return f"{value:+.{decimals}f}".replace("-", MINUS)

    def mark(self, value: float) -> str:
        """Two columns for a value: its sign and how many ninths of the limit it has."""
        if not math.isfinite(value):
            return UNKNOWN
        ninths = math.floor(9 * min(abs(value) / self.limit, 1.0)) if self.limit > 0 else 0
        return f"{'+' if value > 0 else MINUS}{ninths}" if ninths else NEGLIGIBLE

    def pixels(self, values: FloatArray) -> ImageArray:
        """(..., 3) the colours of ``values`` (any shape); grey where they are not finite."""
        is_known = np.isfinite(values)
        known = np.where(is_known, values, 0.0)
        if self.shades is Shades.FEW:
            share = np.clip(known / self.limit, -1.0, 1.0) if self.limit > 0 else np.zeros_like(known)
            colours = _FEW_RGB[np.rint((share + 1) / 2 * (len(_FEW_RGB) - 1)).astype(np.intp)]
        else:
            colours = np.rint(255 * style.diverging(known, self.limit)).astype(np.uint8)
        return np.where(is_known[..., np.newaxis], colours, np.array(_UNKNOWN_RGB, dtype=np.uint8))

    def style(self, value: float) -> Style:
        """A background of the value's colour, and ink that can be read on it; nothing without colours."""
        if not self.shades:
            return Style()
        background = self.pixels(np.array(value))
        return Style(color=style.ink_on(background / 255.0), bgcolor=Color.from_rgb(*background.tolist()))

    def legend(self, label: str) -> Text:
        """The scale with its ends and what it measures."""
        least, greatest = self.number(-self.limit), self.number(self.limit)
        if self.limit == 0:
            return Text(f"{label}: 0 everywhere", style="dim")
        if not self.shades:
            return Text(f"{MINUS}9 is {least}, +9 is {greatest},{NEGLIGIBLE} is less than 1  {label}", style="dim")
        places = np.linspace(-self.limit, self.limit, _BAR_COLUMNS).tolist()
        bar = Text.assemble(*((" ", self.style(place)) for place in places))
        return Text.assemble(
            (f"{least:>{_END_COLUMNS}} ", "dim"), bar, (f" {greatest:<{_END_COLUMNS}}  {label}", "dim")
        )
