"""What a person reads from the viewer: words, read-outs, numbers, colours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, TypeAlias

import numpy as np
import pytest
from playwright.sync_api import Locator, Page

from fixlip_core.types import FloatArray

__all__ = ["assert_number", "assert_shows", "number", "patch", "readout", "tab", "warmth", "words"]

Somewhere: TypeAlias = Page | Locator

NUMBER: Final = r"[+\u2212]?\d[\d.]*(?:e[+\u2212]\d+)?"
_WARMTH: Final = """
(canvas, [rows, columns]) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", {willReadFrequently: true});
  copy.drawImage(canvas, 0, 0);
  const [wide, tall] = [canvas.width / columns, canvas.height / rows];
  const warmth = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const {data} = copy.getImageData((column + 0.25) * wide, (row + 0.25) * tall, wide / 2, tall / 2);
      let sum = 0;
      for (let at = 0; at < data.length; at += 4) sum += data[at] - data[at + 2];
      warmth.push((4 * sum) / data.length);
    }
  }
  return warmth;
}
"""


def tab(where: Somewhere, name: str) -> Locator:
    """One of the viewer's tabs."""
    return where.get_by_role("tab", name=name, exact=True)


def words(where: Somewhere) -> Locator:
    """The buttons of the caption's words."""
    return where.get_by_role("toolbar", name="Words of the caption").get_by_role("button")


def patch(where: Somewhere, row: int, column: int) -> Locator:
    """The cell of a patch."""
    return where.get_by_role("gridcell", name=f"row {row}, column {column}", exact=True)


def readout(where: Somewhere) -> Locator:
    """The line that says what is pointed at."""
    return where.get_by_role("status").filter(has_text=re.compile(r"^(word|patch|box|Point) "))


def number(text: str) -> float:
    """A number as people read it."""
    return float(text.replace("\u2212", "-"))


def assert_shows(text: str, values: Iterable[float]) -> None:
    """The numbers in ``text`` that have a sign, and their standard errors, are ``values`` as far as their digits go."""
    wanted, tokens = list(values), re.findall(rf"(?:(?<=\u00b1 )|(?=[+\u2212])){NUMBER}", text)
    assert len(tokens) >= len(wanted), text
    for token, value in zip(tokens, wanted, strict=False):
        assert_number(token, value)


def assert_number(token: str, value: float) -> None:
    """A number is ``value`` as far as its digits go."""
    assert number(token) == pytest.approx(value, abs=_rounding(token))


def _rounding(token: str) -> float:
    """How far it may be from what is shown: half of the last digit, or less of whole numbers, which have lost zeros."""
    mantissa, _, power = token.replace("\u2212", "-").partition("e")
    half = 0.51 * 10.0 ** (int(power or 0) - len(mantissa.partition(".")[2]))
    return half if "." in mantissa else min(half, 0.06 * abs(number(token)) or half)


def warmth(where: Somewhere, grid: tuple[int, int]) -> FloatArray:
    """(rows x columns,) how much more red than blue the map is in the middle of each patch."""
    found: Any = where.locator("canvas").first.evaluate(_WARMTH, list(grid))
    return np.array(found)
