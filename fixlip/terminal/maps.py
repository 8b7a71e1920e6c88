"""Maps of the patches on a terminal, side by side as far as they fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, Protocol

import numpy as np
from PIL import Image
from rich.color import Color
from rich.console import Console, ConsoleOptions, RenderResult
from rich.style import Style
from rich.text import Text

from fixlip.terminal.scale import Scale, Shades
from fixlip.terminal.text import cut
from fixlip_core.rendering.style import INK
from fixlip_core.types import BoolArray, FloatArray, ImageArray

__all__ = ["Cells", "Framed", "Map", "Maps", "Picture"]

GAP: Final = 2
CHOSEN: Final = "<>"
_INK_RGB: Final = tuple(Color.parse(INK).get_truecolor())
_LOWER_HALF: Final = "\N{LOWER HALF BLOCK}"
_STEPS: Final = (1, 2, 5, 10)
"""Between the rows and columns whose numbers are written."""


@dataclass(frozen=True, slots=True)
class Cells:
    """How patches become characters.

    Args:
        grid: (rows, columns) of patches.
        columns: of characters for each patch.
        is_half: whether two rows of patches share a line of half blocks.
    """

    grid: tuple[int, int]
    columns: int
    is_half: bool = False

    @classmethod
    def fitting(cls, grid: tuple[int, int], *, shades: Shades, width: int, beside: int) -> Cells | None:
        """The largest cells with which ``beside`` maps fit into ``width``, or else most do; None if not even one."""
        kinds = [cls(grid, 2), cls(grid, 1, is_half=True)] if shades else [cls(grid, 3), cls(grid, 2)]
        best = max(kinds, key=lambda cells: min(cells.fit(width), beside))
        return best if best.fit(width) else None

    @property
    def margin(self) -> int:
        """Columns that the numbers of the rows take."""
        return len(str(self.grid[0] - 1)) + 1

    @property
    def width(self) -> int:
        """Columns that a map takes."""
        return self.margin + self.columns * self.grid[1]

    @property
    def rows_per_line(self) -> int:
        """Rows of patches on a line."""
        return 2 if self.is_half else 1

    def fit(self, width: int) -> int:
        """How many maps fit side by side."""
        return (width + GAP) // (self.width + GAP)

    def framed(self, title: str, lines: Sequence[Text]) -> Iterator[Text]:
        """``lines`` below their title and the numbers of the columns, each row with its own number."""
        yield Text(cut(title, self.width), style="bold")
        step = next(step for step in _STEPS if step * self.columns > len(str(self.grid[1] - 1)))
        numbers = "".join(
            f"{column:>{self.columns}}".ljust(step * self.columns) for column in range(0, self.grid[1], step)
        )
        yield Text(" " * self.margin + numbers.rstrip(), style="dim")
        for number, line in enumerate(lines):
            yield Text.assemble((f"{number * self.rows_per_line:>{self.margin - 1}} ", "dim"), line)


class Framed(Protocol):
    """What stands in a row of maps."""

    def lines(self, cells: Cells) -> Iterator[Text]:
        """Its lines, none wider than ``cells.width``."""
        ...


@dataclass(frozen=True, slots=True)
class Map:
    """The values of the patches under a title.

    Args:
        title: what the values are of.
        values: (rows, columns) one for each patch; nan where there is none.
        scale: on which they are.
        chosen: (rows, columns) the patches that the values are about, which have none themselves; None: there are none.
    """

    title: str
    values: FloatArray
    scale: Scale
    chosen: BoolArray | None = None

    def lines(self, cells: Cells) -> Iterator[Text]:
        """The map, by colours or by signs and digits."""
        yield from cells.framed(self.title, self._coloured(cells) if self.scale.shades else self._marked(cells))

    def _coloured(self, cells: Cells) -> list[Text]:
        pixels = self.scale.pixels(self.values)
        if self.chosen is not None:
            pixels[self.chosen] = _INK_RGB
        return _half_blocks(pixels) if cells.is_half else _blocks(pixels, cells.columns)

    def _marked(self, cells: Cells) -> list[Text]:
        marks = [[self.scale.mark(value) for value in row] for row in self.values.tolist()]
        if self.chosen is not None:
            for row, column in np.argwhere(self.chosen).tolist():
                marks[row][column] = CHOSEN
        return [Text("".join(mark.rjust(cells.columns) for mark in row)) for row in marks]


@dataclass(frozen=True, slots=True)
class Picture:
    """The image itself, as large as a map; it takes colours.

    Args:
        image: (h, w, 3) uint8, of any size.
    """

    image: ImageArray
    title: str = "picture"

    def lines(self, cells: Cells) -> Iterator[Text]:
        """The image in half blocks: a character is two pixels."""
        rows, columns = cells.grid
        size = (columns * cells.columns, 2 * rows // cells.rows_per_line)
        pixels = np.asarray(Image.fromarray(self.image).resize(size, Image.Resampling.LANCZOS))
        yield from cells.framed(self.title, _half_blocks(pixels))


@dataclass(frozen=True, slots=True)
class Maps:
    """Maps in rows.

    Args:
        cells: how all of them are drawn.
        maps: in reading order.
    """

    cells: Cells
    maps: Sequence[Framed]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As many to a row as fit, a blank line between the rows."""
        beside = max(self.cells.fit(options.max_width), 1)
        for first in range(0, len(self.maps), beside):
            if first:
                yield Text()
            columns = [list(one.lines(self.cells)) for one in self.maps[first : first + beside]]
            for parts in zip_longest(*columns, fillvalue=Text()):
                line = Text()
                for number, part in enumerate(parts):
                    line.append(" " * (number * (self.cells.width + GAP) - line.cell_len))
                    line.append_text(part)
                yield line


def _blocks(pixels: ImageArray, columns: int) -> list[Text]:
    """(h, w, 3) pixels, each ``columns`` characters wide."""
    return [Text.assemble(*((" " * columns, Style(bgcolor=_colour(pixel))) for pixel in row)) for row in pixels]


def _half_blocks(pixels: ImageArray) -> list[Text]:
    """(h, w, 3) pixels, two of them, one above the other, to a character."""
    lines = []
    for top in range(0, len(pixels) - 1, 2):
        pairs = zip(pixels[top], pixels[top + 1], strict=True)
        styles = (Style(color=_colour(lower), bgcolor=_colour(upper)) for upper, lower in pairs)
        lines.append(Text.assemble(*((_LOWER_HALF, one) for one in styles)))
    if len(pixels) % 2:
        lines.append(Text.assemble(*(("\N{UPPER HALF BLOCK}", Style(color=_colour(one))) for one in pixels[-1])))
    return lines


def _colour(pixel: ImageArray) -> Color:
    return Color.from_rgb(*pixel.tolist())
