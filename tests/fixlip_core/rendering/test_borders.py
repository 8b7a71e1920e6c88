from __future__ import annotations

import numpy as np

from fixlip_core.rendering.borders import borders, outline
from fixlip_core.types import FloatArray

OWNERS = np.array([[0, 0, 1], [2, 0, 1]])


def lines(segments: FloatArray) -> set[tuple[tuple[float, float], tuple[float, float]]]:
    return {((a[0], a[1]), (b[0], b[1])) for a, b in segments.tolist()}


def test_borders_lie_between_different_owners() -> None:
    assert lines(borders(OWNERS)) == {((2, 0), (2, 1)), ((1, 1), (1, 2)), ((2, 1), (2, 2)), ((0, 1), (1, 1))}
    assert borders(np.zeros((3, 3), int)).shape == (0, 2, 2)


def test_single_patches_have_the_lines_of_their_grid() -> None:
    assert len(borders(np.arange(12).reshape(3, 4))) == 3 * 3 + 2 * 4


def test_an_outline_is_closed_at_the_pictures_edge() -> None:
    assert lines(outline(OWNERS, 2)) == {((0, 1), (0, 2)), ((1, 1), (1, 2)), ((0, 1), (1, 1)), ((0, 2), (1, 2))}
    assert len(outline(OWNERS, 0)) == 8
