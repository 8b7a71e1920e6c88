"""Masks in the forms of MS COCO: polygons, and run lengths as numbers or as text (arXiv 1405.0312)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fixlip_core.types import BoolArray, FloatArray

__all__ = ["decode_runs", "fill_polygons", "read_runs"]


def fill_polygons(polygons: Sequence[Sequence[float]], size: tuple[int, int]) -> BoolArray:
    """(H, W) bool: the pixels whose middle lies within any of the polygons.

    Args:
        polygons: x and y of the corners in turn, in pixels from the picture's top left corner.
        size: (H, W).

    Raises:
        ValueError: a polygon has fewer than three corners, or half a corner.
    """
    mask = np.zeros(size, dtype=np.bool_)
    for corners in polygons:
        if len(corners) < 6 or len(corners) % 2:
            raise ValueError(f"a polygon has {len(corners)} numbers; x and y of at least three corners are needed")
        mask |= _filled(np.reshape(np.asarray(corners, dtype=np.float64), (-1, 2)), size)
    return mask


def decode_runs(counts: Sequence[int], size: tuple[int, int]) -> BoolArray:
    """(H, W) bool of run lengths: of pixels outside and inside in turn, column by column.

    Args:
        counts: the lengths, the first of them outside.
        size: (H, W).

    Raises:
        ValueError: a length is negative, or they are not those of so many pixels.
    """
    lengths = np.asarray(counts, dtype=np.int64)
    height, width = size
    if (lengths < 0).any() or lengths.sum() != height * width:
        raise ValueError(f"run lengths of {lengths.sum()} pixels for a picture of {height} x {width}")
    inside = np.arange(len(lengths)) % 2 == 1
    return np.repeat(inside, lengths).reshape(width, height).T


def read_runs(text: str) -> tuple[int, ...]:
    """The run lengths that COCO's text form holds.

    Each number is written five bits to a character, the lowest first, counted from the character ``0``: the sixth bit
    says that more follow, and the highest of the last five is the sign. From the fourth number on it is the difference
    from the number two places before.

    Raises:
        ValueError: a character is none of these, or the last number does not end.
    """
    counts: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64:
            raise ValueError(f"run lengths have the character {character!r}")
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("run lengths end within a number")
    return tuple(counts)


def _filled(corners: FloatArray, size: tuple[int, int]) -> BoolArray:
    """(H, W) bool: the pixels from whose middle the way to the left crosses the outline an odd number of times.

    A drawing library would paint the outline too, half a pixel more on every side.
    """
    height, width = size
    crossings = np.zeros((height, width + 1), dtype=np.int64)
    middles = np.arange(height) + 0.5
    for (x, y), (to_x, to_y) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        rows = np.flatnonzero((y <= middles) != (to_y <= middles))
        at = x + (middles[rows] - y) * (to_x - x) / (to_y - y)
        crossings[rows, np.clip(np.ceil(at - 0.5), 0, width).astype(np.intp)] += 1
    return np.asarray(np.cumsum(crossings[:, :width], axis=1) % 2 == 1)
