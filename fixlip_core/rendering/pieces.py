"""Sheets of several columns: pieces whose height is known before they are drawn, in rows that begin at one height."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.patches import Rectangle

from fixlip_core.rendering import style
from fixlip_core.rendering.backdrop import MappedView
from fixlip_core.rendering.sheet import Sheet
from fixlip_core.rendering.text import drawable, elided, width_px
from fixlip_core.rendering.words import bottom_of, lay_out_words
from fixlip_core.types import FloatArray, ImageArray

__all__ = [
    "Piece",
    "Row",
    "colour_bar",
    "heading",
    "mapped_view",
    "paragraph",
    "picture",
    "ranking",
    "stacked",
    "table",
    "tinted_words",
]

LINE_PX: Final = 34
"""From one line of small text to the next."""
SWATCH_PX: Final = 22


@dataclass(frozen=True, slots=True)
class Piece:
    """Something to draw: how high it is, and how it is drawn with its top left corner at (left, top)."""

    height_px: float
    draw: Callable[[Sheet, int, int], None]


@dataclass(frozen=True, slots=True)
class Row:
    """Pieces side by side, None where a column has none; ``gap_px`` is left above them."""

    pieces: Sequence[Piece | None]
    gap_px: int = style.GAP_PX


def stacked(rows: Sequence[Row], *, lefts: Sequence[int], width_px: int) -> Sheet:
    """A sheet of ``rows``, whose columns begin at ``lefts``; a row is as high as its highest piece."""
    tops, bottom = [], style.MARGIN_PX
    for number, row in enumerate(rows):
        tops.append(bottom + (row.gap_px if number else 0))
        bottom = tops[-1] + max((math.ceil(piece.height_px) for piece in row.pieces if piece), default=0)
    sheet = Sheet(bottom + style.MARGIN_PX, width_px=width_px)
    for row, top in zip(rows, tops, strict=True):
        for piece, left in zip(row.pieces, lefts, strict=False):
            if piece is not None:
                piece.draw(sheet, left, top)
    return sheet


def heading(title: str, lines: Sequence[str], *, width: int) -> Piece:
    """A title, cut to ``width``, and smaller lines below it."""

    def draw(sheet: Sheet, left: int, top: int) -> None:
        text = elided(drawable(title), style.WORD_PT, width)
        sheet.text(left, top + LINE_PX / 2, text, size_pt=style.WORD_PT)
        _write(sheet, lines, left, top + LINE_PX + style.CLOSE_PX, width=width)

    return Piece(LINE_PX + style.CLOSE_PX + LINE_PX * len(lines), draw)


def paragraph(text: str, *, width: int) -> Piece:
    """Text in small type, wrapped to ``width``."""
    lines = _wrapped(text, style.LABEL_PT, width)

    def draw(sheet: Sheet, left: int, top: int) -> None:
        _write(sheet, lines, left, top, width=width)

    return Piece(LINE_PX * len(lines), draw)


def mapped_view(view: MappedView, *, marks: Sequence[tuple[int, int]] = ()) -> Piece:
    """A picture with its map, and numbers from 1 on patches, (row, column)."""

    def draw(sheet: Sheet, left: int, top: int) -> None:
        sheet.view(view, left=left, top=top)
        tall, wide = view.backdrop.patch_px
        for (row, column), numbers in _gathered(marks).items():
            sheet.text(
                left + (column + 0.5) * wide,
                top + (row + 0.5) * tall,
                ",".join(map(str, numbers)),
                size_pt=style.SMALL_PT,
                horizontalalignment="center",
                zorder=6,
                bbox={
                    "boxstyle": "round,pad=0.15",
                    "facecolor": style.PAPER,
                    "edgecolor": "none",
                    "alpha": style.MARK_OPACITY,
                },
            )

    return Piece(view.backdrop.height, draw)


def picture(pixels: ImageArray) -> Piece:
    """(h, w, 3) pixels as they are."""
    return Piece(len(pixels), lambda sheet, left, top: sheet.picture(pixels, left=left, top=top))


def tinted_words(tokens: Sequence[str], values: FloatArray, limit: float, *, width: int) -> Piece:
    """The caption, each token on the colour of its value on the scale up to ``limit``."""

    def draw(sheet: Sheet, left: int, top: int) -> None:
        words = lay_out_words(tokens, top=top, left=left, width=width)
        fills = style.diverging(values, limit)
        inks = [style.ink_on(fill) for fill in fills]
        sheet.words(words, fills=[*fills], inks=inks, edges=[style.FAINT] * len(words))

    return Piece(bottom_of(lay_out_words(tokens, top=0, left=0, width=width), top=0), draw)


def ranking(title: str, entries: Sequence[tuple[str, float]], limit: float, *, width: int) -> Piece:
    """Numbered names and values, each with a swatch of its colour on the scale up to ``limit``."""

    def draw(sheet: Sheet, left: int, top: int) -> None:
        _write(sheet, [title], left, top, width=width)
        for number, (name, value) in enumerate(entries, 1):
            middle = top + LINE_PX * (number + 0.5)
            look: dict[str, Any] = {"edgecolor": style.FAINT, "linewidth": style.HAIRLINE_PT}
            colour = tuple(style.diverging(np.array(value), limit))
            corner = (left, middle - SWATCH_PX / 2)
            sheet.add(Rectangle(corner, SWATCH_PX, SWATCH_PX, facecolor=colour, **look))
            shown = style.signed(value)
            room = width - SWATCH_PX - 2 * style.GAP_PX - width_px(shown, style.LABEL_PT)
            sheet.text(left + SWATCH_PX + 10, middle, elided(f"{number} {drawable(name)}", style.LABEL_PT, room))
            sheet.text(left + width, middle, shown, horizontalalignment="right")

    return Piece(LINE_PX * (1 + len(entries)), draw)


def table(title: str, names: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]], *, width: int) -> Piece:
    """A small table: ``names`` of its columns, and rows of a name and a cell for each column."""
    step = width / (len(names) + 2)
    ends = [width - step * (len(names) - 1 - k) for k in range(len(names))]

    def draw(sheet: Sheet, left: int, top: int) -> None:
        lines = [(title, tuple(names)), *rows]
        for number, (name, cells) in enumerate(lines):
            middle, ink = top + LINE_PX * (number + 0.5), style.INK if number else style.MUTED
            sheet.text(left, middle, elided(name, style.LABEL_PT, ends[0] - step), color=style.MUTED)
            for end, cell in zip(ends, cells, strict=True):
                sheet.text(left + end, middle, cell, color=ink, horizontalalignment="right")

    return Piece(LINE_PX * (1 + len(rows)), draw)


def colour_bar(limit: float, label: str, *, height: int) -> Piece:
    """The scale up to ``limit``, with what it measures."""

    def draw(sheet: Sheet, left: int, top: int) -> None:
        sheet.colour_bar(limit, label, left=left, top=top, height=height)

    return Piece(height, draw)


def _gathered(marks: Sequence[tuple[int, int]]) -> dict[tuple[int, int], list[int]]:
    """The numbers of every marked patch."""
    found: dict[tuple[int, int], list[int]] = {}
    for number, patch in enumerate(marks, 1):
        found.setdefault(patch, []).append(number)
    return found


def _write(sheet: Sheet, lines: Sequence[str], left: int, top: float, *, width: int) -> None:
    for number, line in enumerate(lines):
        text = elided(line, style.LABEL_PT, width)
        sheet.text(left, top + LINE_PX * (number + 0.5), text, color=style.MUTED)


def _wrapped(text: str, size_pt: float, limit_px: float) -> list[str]:
    """Lines of at most ``limit_px``; a longer word has a line of its own."""
    lines: list[str] = []
    for word in map(drawable, text.split()):
        if lines and width_px(f"{lines[-1]} {word}", size_pt) <= limit_px:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
