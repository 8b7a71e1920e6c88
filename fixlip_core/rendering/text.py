"""Text that any token can be drawn with: measured, cut to a width, and free of characters the font lacks."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path

import matplotlib
from matplotlib.font_manager import FontProperties
from matplotlib.ft2font import FT2Font
from matplotlib.textpath import text_to_path

from fixlip_core.rendering import style

__all__ = ["as_written", "drawable", "elided", "extent_px", "font", "width_px"]

LONGEST_TOKEN = 80
MISSING = "\N{WHITE SQUARE}"
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
BLANK = "\N{OPEN BOX}"


def _font_file() -> Path:
    """The font that matplotlib ships: looking one up by name could find another version on another machine."""
    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{style.FONT.replace(' ', '')}.ttf"


@lru_cache(maxsize=8)
def font(size_pt: float) -> FontProperties:
    """The one typeface of all figures, at ``size_pt``."""
    return FontProperties(family=style.FONT, fname=str(_font_file()), size=size_pt)


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    """Code points that the font has."""
    return frozenset(FT2Font(str(_font_file())).get_charmap())


@lru_cache(maxsize=1024)
def drawable(token: str) -> str:
    """``token`` on one line in characters that the font has.

    Others become a square; invisible ones and marks that would be drawn over their neighbour are left out. A token
    of nothing but blanks shows as an open box.
    """
    return "".join(character if _is_known(character) else MISSING for character in _visible(token))


def as_written(shown: str, token: str) -> str:
    """``shown``, which is drawn of ``token``, with the characters for which it has squares: a reader may have fonts."""
    whole = _visible(token)
    filled = (own if drawn == MISSING else drawn for drawn, own in zip(shown, whole, strict=False))
    return "".join(filled) + shown[len(whole) :]


def _visible(token: str) -> str:
    characters = []
    for character in unicodedata.normalize("NFC", token[:LONGEST_TOKEN]):
        category = unicodedata.category(character)
        if category in ("Zs", "Zl", "Zp") or character in "\t\n\r":
            characters.append(" ")
        elif category not in ("Cc", "Cf") and (not category.startswith("M") or _is_known(character)):
            characters.append(character)
    text = " ".join("".join(characters).split())
    return (text or BLANK) + (ELLIPSIS if len(token) > LONGEST_TOKEN else "")


def _is_known(character: str) -> bool:
    return ord(character) in _characters()


@lru_cache(maxsize=4096)
def extent_px(text: str, size_pt: float) -> tuple[float, float, float]:
    """Width and height of a line of ``text``, and how far it reaches below its baseline, in pixels."""
    width_pt, height_pt, descent_pt = text_to_path.get_text_width_height_descent(text, font(size_pt), False)
    scale = style.DPI / 72
    return float(width_pt) * scale, float(height_pt) * scale, float(descent_pt) * scale


def width_px(text: str, size_pt: float) -> float:
    """Width of a line of ``text`` in pixels."""
    return extent_px(text, size_pt)[0]


def elided(text: str, size_pt: float, limit_px: float) -> str:
    """``text``, or its longest beginning that fits ``limit_px`` with an ellipsis after it."""
    if width_px(text, size_pt) <= limit_px:
        return text
    shortest, longest = 0, len(text) - 1
    while shortest < longest:
        middle = (shortest + longest + 1) // 2
        if width_px(text[:middle] + ELLIPSIS, size_pt) <= limit_px:
            shortest = middle
        else:
            longest = middle - 1
    return text[:shortest] + ELLIPSIS
