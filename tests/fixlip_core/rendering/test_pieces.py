from __future__ import annotations

import numpy as np

from fixlip_core.rendering import pieces, style
from fixlip_core.rendering.pieces import Piece, Row, stacked
from fixlip_core.rendering.sheet import Sheet


def block(height_px: float, places: list[tuple[int, int]]) -> Piece:
    """A piece that notes where it is drawn."""

    def draw(_: Sheet, left: int, top: int) -> None:
        places.append((left, top))

    return Piece(height_px, draw)


def texts(piece: Piece) -> list[str]:
    sheet = stacked([Row([piece])], lefts=[0], width_px=600)
    return [text.get_text() for text in sheet.figure.texts]


def test_a_row_begins_below_the_highest_piece_of_the_row_before() -> None:
    places: list[tuple[int, int]] = []
    rows = [Row([block(10, places), block(30.5, places)]), Row([None, block(5, places)], 7)]
    sheet = stacked(rows, lefts=[4, 100], width_px=300)
    top = style.MARGIN_PX
    assert places == [(4, top), (100, top), (100, top + 31 + 7)]
    assert (sheet.width_px, sheet.height_px) == (300, top + 31 + 7 + 5 + style.MARGIN_PX)


def test_text_is_wrapped_and_its_height_known() -> None:
    one, many = (pieces.paragraph("word " * n, width=400) for n in (1, 40))
    assert many.height_px == len(texts(many)) * one.height_px
    assert " ".join(texts(many)).split() == ["word"] * 40


def test_patches_that_are_marked_twice_have_both_numbers() -> None:
    assert pieces._gathered([(0, 1), (2, 2), (0, 1)]) == {(0, 1): [1, 3], (2, 2): [2]}


def test_a_ranking_has_names_and_signed_values() -> None:
    found = texts(pieces.ranking("strongest", [("dog", 1.5), ("cat", -0.25)], 1.5, width=500))
    assert found == ["strongest", "1 dog", "+1.5", "2 cat", "\N{MINUS SIGN}0.25"]


def test_a_table_has_its_cells_under_their_names() -> None:
    sheet = stacked([Row([pieces.table("t", ("x", "y"), [("row", ("1", "2"))], width=500)])], lefts=[0], width_px=600)
    at = {text.get_text(): text.get_position()[0] for text in sheet.figure.texts}
    assert at["x"] == at["1"] < at["y"] == at["2"] == 500


def test_words_take_as_much_room_as_they_say() -> None:
    piece = pieces.tinted_words(["word"] * 20, np.zeros(20), 0.0, width=300)
    sheet = stacked([Row([piece])], lefts=[10], width_px=400)
    sheet.pixels()
    boxes = [text.get_window_extent() for text in sheet.figure.texts]
    assert min(box.y0 for box in boxes) > style.MARGIN_PX
    assert max(box.x1 for box in boxes) < 310
