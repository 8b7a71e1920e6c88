from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from matplotlib.path import Path

from fixlip_core.players import Players
from fixlip_core.rendering import style
from fixlip_core.rendering.backdrop import Backdrop, make_backdrop
from fixlip_core.rendering.curves import DIP_PX, curve_between, patch_centre
from fixlip_core.rendering.words import LINE_PX, Word, lay_out_words
from fixlip_core.types import FloatArray

PLAYERS = Players((4, 4), tuple(f"word{k}" for k in range(12)))
TOP = 900.0


@pytest.fixture(scope="module")
def backdrop() -> Backdrop:
    return make_backdrop(np.full((64, 64, 3), 255, dtype=np.uint8), PLAYERS.grid)


@pytest.fixture(scope="module")
def words() -> tuple[Word, ...]:
    placed = lay_out_words(PLAYERS.tokens, top=TOP, leading_px=DIP_PX[1] + 4)
    assert placed[-1].line == 1
    return placed


def knots(path: Path) -> FloatArray:
    """(k, 2) the ends and controls of a curve."""
    return np.asarray(path.vertices, dtype=np.float64)


def along(path: Path) -> FloatArray:
    """(k, 2) points on a curve."""
    return knots(path.cleaned(curves=False, simplify=False))[:-1]


def test_patch_centres_are_row_major(backdrop: Backdrop) -> None:
    assert patch_centre(backdrop, PLAYERS, 0) == (style.MARGIN_PX + 102, style.MARGIN_PX + 102)
    assert patch_centre(backdrop, PLAYERS, 6) == (style.MARGIN_PX + 510, style.MARGIN_PX + 306)


def test_a_curve_ends_at_its_players(backdrop: Backdrop, words: tuple[Word, ...]) -> None:
    cross = knots(curve_between((6, 17), PLAYERS, backdrop, words))
    assert tuple(cross[0]) == patch_centre(backdrop, PLAYERS, 6)
    assert tuple(cross[-1]) == (words[1].centre, words[1].top)
    text = knots(curve_between((16, 18), PLAYERS, backdrop, words))
    assert tuple(text[0]) == (words[0].centre, words[0].bottom)
    assert tuple(text[-1]) == (words[2].centre, words[2].bottom)


def test_curves_between_patches_stay_on_the_picture(backdrop: Backdrop, words: tuple[Word, ...]) -> None:
    for pair in combinations(range(16), 2):
        points = along(curve_between(pair, PLAYERS, backdrop, words))
        assert points.min() >= style.MARGIN_PX
        assert points.max() <= style.MARGIN_PX + backdrop.width


def test_curves_between_patches_are_curved(backdrop: Backdrop, words: tuple[Word, ...]) -> None:
    start, control, end = knots(curve_between((4, 6), PLAYERS, backdrop, words))
    assert control[0] == (start[0] + end[0]) / 2
    assert control[1] < start[1] == end[1]


def test_a_curve_that_would_leave_the_picture_bends_the_other_way(backdrop: Backdrop, words: tuple[Word, ...]) -> None:
    for pair, axis, inwards in (((0, 3), 1, 1), ((3, 15), 0, -1), ((0, 12), 0, 1)):
        start, control, _ = knots(curve_between(pair, PLAYERS, backdrop, words))
        assert np.sign(control[axis] - start[axis]) == inwards


def test_curves_between_words_of_a_line_dip_below_it(backdrop: Backdrop, words: tuple[Word, ...]) -> None:
    for first, second in combinations([w for w in words if w.line == 0], 2):
        pair = (16 + words.index(first), 16 + words.index(second))
        points = along(curve_between(pair, PLAYERS, backdrop, words))
        lowest = points[:, 1].max()
        assert TOP + LINE_PX + 10 < lowest <= TOP + LINE_PX + DIP_PX[1] + 1


def test_curves_between_lines_run_in_the_gap_between_them(backdrop: Backdrop, words: tuple[Word, ...]) -> None:
    upper, lower = words[0], words[-1]
    points = knots(curve_between((16, 16 + len(words) - 1), PLAYERS, backdrop, words))
    assert points[:, 1].min() == upper.bottom
    assert points[:, 1].max() == lower.top
