"""The image players that several explanations have in common: regions where they are the same, else patches of a grid.

Where grids differ, values are resampled by area: a patch's value is shared out among the common patches that it covers,
in proportion to the area, so that sums stay what they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from fixlip_core.errors import InvalidParameterError, NotComparableError
from fixlip_core.explanation import Explanation
from fixlip_core.frames import Frame
from fixlip_core.types import FloatArray

__all__ = ["CommonImage", "align_image"]

_SAME: Final = 0.01
"""Frames whose edges differ by less than this share of their size are the same one: they are known no better."""


@dataclass(frozen=True, slots=True, eq=False)
class CommonImage:
    """Image players that all explanations share.

    Attributes:
        grid: (rows, columns) of patches.
        regions: as in :class:`fixlip_core.players.Players`; empty where every patch is a player.
        region_labels: likewise.
        frame: the part of the picture that the grid lies over; None where it is not known.
        shares: of each explanation, (common players, its players) how much of each player's value each common one has.
        notes: what was done to the values.
    """

    grid: tuple[int, int]
    regions: tuple[int, ...]
    region_labels: tuple[str, ...]
    frame: Frame | None
    shares: tuple[FloatArray, ...]
    notes: tuple[str, ...]


def align_image(explanations: Sequence[Explanation], *, grid: tuple[int, int] | None = None) -> CommonImage:
    """The common image players of ``explanations``.

    Args:
        explanations: two or more of one picture.
        grid: (rows, columns) to resample to; by default the coarsest grid, or the players themselves where all have
            the same.

    Raises:
        InvalidParameterError: ``grid`` has no patches.
        NotComparableError: the models saw no common part of the picture.
    """
    frames, are_known, notes = _frames(explanations)
    is_one_frame = all(_are_close(frame, frames[0]) for frame in frames)
    first = explanations[0]
    if grid is None and is_one_frame and all(_image_players(e) == _image_players(first) for e in explanations):
        identity = np.eye(first.n_image)
        frame = frames[0] if are_known else None
        return CommonImage(*_image_players(first), frame, (identity,) * len(explanations), notes)
    common = frames[0] if is_one_frame else _intersection(frames)
    frames = [common] * len(frames) if is_one_frame else frames
    chosen = _coarsest(explanations, frames, common) if grid is None else _checked(grid)
    shares = tuple(_shares(e, frame, chosen, common) for e, frame in zip(explanations, frames, strict=True))
    notes += _notes(explanations, shares, chosen)
    return CommonImage(chosen, (), (), common if are_known else None, shares, notes)


def _image_players(explanation: Explanation) -> tuple[tuple[int, int], tuple[int, ...], tuple[str, ...]]:
    return explanation.grid, explanation.regions, explanation.region_labels


def _frames(explanations: Sequence[Explanation]) -> tuple[list[Frame], bool, tuple[str, ...]]:
    """The part of the picture that each model saw, and whether it is known: else it is the same for all."""
    found = [Frame.from_provenance(e.provenance) for e in explanations]
    known = [frame for frame in found if frame is not None]
    if len(known) == len(found):
        return known, True, ()
    notes: tuple[str, ...] = ()
    if len({e.provenance.get("model_revision") for e in explanations}) > 1:
        notes = ("which part of the picture each model saw is not known: all are taken to have seen the same part",)
    return [Frame(0.0, 0.0, 1.0, 1.0)] * len(found), False, notes


def _are_close(frame: Frame, other: Frame) -> bool:
    sides = (frame.left - other.left, frame.right - other.right), (frame.top - other.top, frame.bottom - other.bottom)
    lengths = frame.width, frame.height
    return all(abs(edge) <= _SAME * length for edges, length in zip(sides, lengths, strict=True) for edge in edges)


def _intersection(frames: Sequence[Frame]) -> Frame:
    common = Frame(
        max(frame.left for frame in frames),
        max(frame.top for frame in frames),
        min(frame.right for frame in frames),
        min(frame.bottom for frame in frames),
    )
    if common.width <= 0 or common.height <= 0:
        raise NotComparableError("the models saw no common part of the picture")
    return common


def _checked(grid: tuple[int, int]) -> tuple[int, int]:
    if min(grid) < 1:
        raise InvalidParameterError(f"grid must be rows and columns, 1 or more, not {grid}", field="grid")
    return grid


def _coarsest(explanations: Sequence[Explanation], frames: Sequence[Frame], common: Frame) -> tuple[int, int]:
    """Of the grid whose patches are largest, as many as fit the common frame."""
    sizes = [(f.height / e.grid[0], f.width / e.grid[1]) for e, f in zip(explanations, frames, strict=True)]
    tall, wide = max(sizes, key=lambda size: size[0] * size[1])
    return max(1, round(common.height / tall)), max(1, round(common.width / wide))


def _shares(explanation: Explanation, frame: Frame, grid: tuple[int, int], common: Frame) -> FloatArray:
    rows, columns = explanation.grid
    vertical = _overlaps((frame.top, frame.bottom), rows, (common.top, common.bottom), grid[0])
    horizontal = _overlaps((frame.left, frame.right), columns, (common.left, common.right), grid[1])
    owners = explanation.players.owners
    belongs = np.zeros((rows * columns, explanation.n_image))
    belongs[np.arange(rows * columns), owners] = 1.0 / np.bincount(owners)[owners]
    return np.asarray(np.kron(vertical, horizontal) @ belongs)


def _overlaps(span: tuple[float, float], parts: int, common: tuple[float, float], common_parts: int) -> FloatArray:
    """(common parts, parts) the share of each part of a span that lies in each part of the common one."""
    if (span, parts) == (common, common_parts):
        return np.eye(parts)
    edges, cuts = np.linspace(*span, parts + 1), np.linspace(*common, common_parts + 1)
    shared = np.minimum(edges[1:], cuts[1:, None]) - np.maximum(edges[:-1], cuts[:-1, None])
    return np.asarray(np.maximum(shared, 0.0) / np.diff(edges))


def _notes(explanations: Sequence[Explanation], shares: Sequence[FloatArray], grid: tuple[int, int]) -> tuple[str, ...]:
    """What became of the values, the explanations counted from 1."""
    notes = []
    for number, (explanation, share) in enumerate(zip(explanations, shares, strict=True), 1):
        rows, columns = explanation.grid
        if explanation.regions:
            notes.append(
                f"explanation {number}: each region's value is spread evenly over its patches, as the others' image "
                "players are not the same regions"
            )
        if explanation.grid != grid:
            notes.append(
                f"explanation {number}: values of {rows} x {columns} patches are resampled by area to "
                f"{grid[0]} x {grid[1]}; their sum stays the same"
            )
        left_out = 1.0 - float(share.sum()) / explanation.n_image
        if left_out > _SAME:
            notes.append(
                f"explanation {number}: {left_out:.0%} of its image players lie outside the part of the picture that "
                "all models saw, and are left out"
            )
    return tuple(notes)
