from __future__ import annotations

import numpy as np
import pytest
from rich.console import Console
from rich.text import Text

from fixlip.terminal.maps import Cells, Map, Maps, Picture
from fixlip.terminal.scale import Scale, Shades
from tests.support.consoles import a_console, columns_of, signed, without_codes

VALUES = np.array([[1.0, 0.0, -1.0], [0.5, np.nan, -0.5]])


def backgrounds(line: Text, console: Console) -> list[tuple[int, int, int] | None]:
    """The background of every column."""
    colours = []
    for character in range(len(line.plain)):
        found = line.get_style_at_offset(console, character).bgcolor
        colours.append(None if found is None else tuple(found.get_truecolor()))
    return [None if colour is None else (colour[0], colour[1], colour[2]) for colour in colours]


def test_cells_are_as_large_as_maps_beside_each_other_allow() -> None:
    assert Cells.fitting((8, 8), shades=Shades.MANY, width=80, beside=3) == Cells((8, 8), 2)
    assert Cells.fitting((16, 16), shades=Shades.MANY, width=80, beside=3) == Cells((16, 16), 1, is_half=True)
    assert Cells.fitting((16, 16), shades=Shades.MANY, width=120, beside=3) == Cells((16, 16), 2)
    assert Cells.fitting((8, 8), shades=Shades.NONE, width=60, beside=2) == Cells((8, 8), 3)
    assert Cells.fitting((24, 24), shades=Shades.NONE, width=60, beside=2) == Cells((24, 24), 2)
    assert Cells.fitting((64, 64), shades=Shades.MANY, width=60, beside=1) is None


def test_signs_and_digits_where_there_are_no_colours() -> None:
    lines = [line.plain for line in Map("patches", VALUES, Scale(1.0, shades=Shades.NONE)).lines(Cells((2, 3), 3))]
    assert lines == ["patches", "    0  1  2", signed("0  +9  · -9"), signed("1  +4  ? -4")]


def test_the_patch_that_it_is_about_is_marked() -> None:
    chosen = np.zeros((2, 3), dtype=np.bool_)
    chosen[0, 2] = True
    the_map = Map("patches", VALUES, Scale(1.0, shades=Shades.NONE), chosen)
    assert [line.plain for line in the_map.lines(Cells((2, 3), 3))][2] == "0  +9  · <>"
    console = a_console()
    *_, first, _ = Map("patches", VALUES, Scale(1.0, shades=Shades.MANY), chosen).lines(Cells((2, 3), 2))
    assert backgrounds(first, console)[-2:] == [(0x1A, 0x1A, 0x1A)] * 2


def test_every_patch_has_its_colour_and_none_depends_on_the_terminal() -> None:
    scale, console = Scale(1.0, shades=Shades.MANY), a_console()
    *_, first, second = Map("patches", VALUES, scale).lines(Cells((2, 3), 2))
    expected = [[tuple(pixel) for pixel in row for _ in range(2)] for row in scale.pixels(VALUES).tolist()]
    assert [backgrounds(line, console)[2:] for line in (first, second)] == expected


@pytest.mark.parametrize("rows", [2, 3])
def test_two_rows_share_a_line_of_half_blocks(rows: int) -> None:
    values = np.linspace(-1, 1, rows * 2).reshape(rows, 2)
    scale, console = Scale(1.0, shades=Shades.MANY), a_console()
    lines = list(Map("patches", values, scale).lines(Cells((rows, 2), 1, is_half=True)))[2:]
    assert [line.plain[:1] for line in lines] == ["0", "2"][: len(lines)]
    assert len(lines) == (rows + 1) // 2
    pixels = scale.pixels(values).tolist()
    assert backgrounds(lines[0], console)[2:] == [tuple(pixel) for pixel in pixels[0]]
    lower = [lines[0].get_style_at_offset(console, column).color for column in (2, 3)]
    assert [tuple(colour.get_truecolor()) for colour in lower if colour] == [tuple(pixel) for pixel in pixels[1]]


@pytest.mark.parametrize("columns", [7, 10, 11, 14, 24, 32, 100])
@pytest.mark.parametrize("cells", [1, 2, 3])
def test_numbers_of_columns_stand_over_them(columns: int, cells: int) -> None:
    kind = Cells((2, columns), cells, is_half=cells == 1)
    numbers = list(kind.framed("title", [Text("")]))[1].plain
    for label in numbers.split():
        end = kind.margin + (int(label) + 1) * cells
        if cells > 1:
            assert numbers[:end].split()[-1] == label
    assert len(numbers.split()) >= 2
    assert len(numbers) <= kind.width + 1


def test_picture_is_as_large_as_a_map() -> None:
    image = np.zeros((64, 64, 3), dtype=np.uint8)
    image[:32, :, 0] = image[32:, :, 2] = 255
    console = a_console()
    for cells in (Cells((8, 8), 2), Cells((8, 8), 1, is_half=True)):
        lines = list(Picture(image).lines(cells))[2:]
        assert len(lines) == 8 // cells.rows_per_line
        assert {line.cell_len for line in lines} == {cells.width}
        assert {_is_red(colour) for colour in backgrounds(lines[0], console)[2:]} == {True}
        assert {_is_red(colour) for colour in backgrounds(lines[-1], console)[2:]} == {False}


@pytest.mark.parametrize(("width", "rows"), [(11, 3), (24, 2), (40, 1)])
def test_maps_stand_side_by_side_as_far_as_they_fit(width: int, rows: int) -> None:
    console = a_console(width=width, colours=None)
    maps = [Map(title, VALUES, Scale(1.0, shades=Shades.NONE)) for title in ("日本語日本語", "two", "three")]
    console.print(Maps(Cells((2, 3), 3), maps))
    lines = without_codes(console)
    assert len(lines) == 4 * rows + rows - 1
    assert columns_of(console) <= width
    if rows == 1:
        assert lines[1] == "    0  1  2" + "      0  1  2" * 2
        assert lines[2] == signed("0  +9  · -9" + "  0  +9  · -9" * 2)


def _is_red(colour: tuple[int, int, int] | None) -> bool | None:
    return None if colour is None else colour[0] > 200 > 50 > colour[2]
