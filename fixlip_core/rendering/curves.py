"""Where the curves of an interaction graph run, in pixels of the sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.path import Path

from fixlip_core.players import Players
from fixlip_core.rendering import style
from fixlip_core.rendering.backdrop import Backdrop
from fixlip_core.rendering.words import Word

__all__ = ["DIP_PX", "curve_between", "patch_centre"]

DIP_PX = (18.0, 42.0)
BEND = 0.22
"""Height of an arc between two patches, as a share of their distance."""


def patch_centre(backdrop: Backdrop, players: Players, patch: int) -> tuple[float, float]:
    """(x, y) of the middle of a patch on the sheet."""
    row, column = players.position(patch)
    tall, wide = backdrop.patch_px
    return style.MARGIN_PX + (column + 0.5) * wide, style.MARGIN_PX + (row + 0.5) * tall


def curve_between(pair: tuple[int, int], players: Players, backdrop: Backdrop, words: Sequence[Word]) -> Path:
    """The curve of a pair of players, the lower index first: two patches, a patch and a token, or two tokens."""
    first, second = pair
    if players.is_image(second):
        return _arc(patch_centre(backdrop, players, first), patch_centre(backdrop, players, second), backdrop)
    word = words[second - players.n_image]
    if players.is_image(first):
        return _descent(patch_centre(backdrop, players, first), (word.centre, word.top))
    return _below(words[first - players.n_image], word)


def _arc(start: tuple[float, float], end: tuple[float, float], backdrop: Backdrop) -> Path:
    """Bent upwards, out of the way of the curves that leave for the words, and an upright one to the right.

    One that would leave the picture is bent the other way.
    """
    x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    across, along = BEND * (end[1] - start[1]), BEND * (start[0] - end[0])
    if along > 0 or (along == 0 and across < 0):
        across, along = -across, -along
    room = backdrop.patch_px[1] / 2
    right = style.MARGIN_PX + backdrop.width
    if y + along < style.MARGIN_PX or not style.MARGIN_PX + room < x + across < right - room:
        across, along = -across, -along
    # The top of a quadratic lies halfway to its control.
    control = (x + 2 * across, y + 2 * along)
    return Path([start, control, end], [Path.MOVETO, Path.CURVE3, Path.CURVE3])


def _descent(start: tuple[float, float], end: tuple[float, float]) -> Path:
    """Leaves and arrives upright, so that curves to one word gather above it."""
    reach = 0.5 * (end[1] - start[1])
    controls = [(start[0], start[1] + reach), (end[0], end[1] - reach)]
    return Path([start, *controls, end], [Path.MOVETO, *[Path.CURVE4] * 3])


def _below(first: Word, second: Word) -> Path:
    """Between words of one line a dip below them, deeper the farther; else from the upper word down to the lower."""
    if first.line != second.line:
        return _descent((first.centre, first.bottom), (second.centre, second.top))
    distance = abs(second.centre - first.centre)
    dip = DIP_PX[0] + (DIP_PX[1] - DIP_PX[0]) * math.tanh(distance / style.IMAGE_PX * 2)
    # A cubic's lowest point lies at three quarters of its controls' depth.
    depth = first.bottom + dip / 0.75
    ends = [(word.centre, word.bottom) for word in (first, second)]
    inward = 0.15 * (second.centre - first.centre)
    controls = [(first.centre + inward, depth), (second.centre - inward, depth)]
    return Path([ends[0], *controls, ends[1]], [Path.MOVETO, *[Path.CURVE4] * 3])
