"""Players made of several units: regions of patches from the caller's label map or boxes, and words of tokens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from fixlip_core.errors import InvalidParameterError
from fixlip_core.types import Coalitions, FloatArray, IntArray

__all__ = ["check_boxes", "check_labels", "expand", "regions_from_boxes", "regions_from_labels", "words_of"]

# A word is white space's neighbour on both sides but for punctuation at its ends, which is a word of its own.
_WORDS = re.compile(r"w(?:[w.]*w)?|\.+")


def regions_from_labels(
    labels: Sequence[Sequence[int]] | IntArray, source: IntArray, grid: tuple[int, int], *, image_size: tuple[int, int]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The region of every patch, row-major, and the regions' labels, from a label for every pixel.

    The map may be one of superpixels or a segmentation. A patch belongs to the label that covers most of its pixels.
    Regions are numbered from 0 in the labels' order and keep their names: that of label 30 is ``region 30``. A label
    that wins no patch is left out. Patches of padding alone are one region more, after the others.

    Args:
        labels: (h, w) integers over the submitted image, over which the map is stretched.
        source: (H, W, 2) row and column of the pixel in the submitted image that each pixel of the view shows; -1 in
            padding.
        grid: (rows, columns) of patches.
        image_size: (width, height) of the submitted image.

    Raises:
        InvalidParameterError: ``labels`` is no rectangle of integers, or makes fewer than two regions.
    """
    given = check_labels(labels)
    shown = (source >= 0).all(axis=-1)
    width, height = image_size
    rows = source[..., 0] * given.shape[0] // height
    columns = source[..., 1] * given.shape[1] // width
    names, numbers = np.unique(given[rows[shown], columns[shown]], return_inverse=True)
    view = np.full(shown.shape, len(names))
    view[shown] = numbers
    owners, kept = _majority(view, grid, n_labels=len(names) + 1)
    if len(kept) < 2:
        raise InvalidParameterError(
            f"the labels make one region of the {grid[0]} x {grid[1]} patches that this model sees; "
            "an explanation needs at least two",
            field="regions",
        )
    called = [*(f"region {label}" for label in names.tolist()), "padding"]
    return owners, tuple(called[k] for k in kept)


def regions_from_boxes(
    boxes: Sequence[Sequence[float]] | FloatArray, source: IntArray, grid: tuple[int, int]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The region of every patch, row-major, and the regions' labels: region k is box k, and called that.

    The last one, if any, is the background, which no box covers. A patch belongs to the box that covers most of its
    pixels; where boxes lie on top of one another, the smaller is above.

    Args:
        boxes: (k, 4) left, top, right and bottom in pixels of the submitted image, from its top left corner.
        source: (H, W, 2) as in :func:`regions_from_labels`.
        grid: (rows, columns) of patches.

    Raises:
        InvalidParameterError: a box has no area, or covers most of no patch, or there are fewer than two regions.
    """
    corners = check_boxes(boxes)
    row, column = source[..., 0] + 0.5, source[..., 1] + 0.5
    background = len(corners)
    view = np.full(source.shape[:2], background)
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    for index in np.argsort(-areas, kind="stable").tolist():
        left, top, right, bottom = corners[index].tolist()
        inside = (left <= column) & (column < right) & (top <= row) & (row < bottom)
        view[inside & (source[..., 0] >= 0)] = index
    owners, kept = _majority(view, grid, n_labels=background + 1)
    lost = sorted(set(range(background)) - set(kept))
    if lost:
        raise InvalidParameterError(
            f"box {lost[0]} covers most of no patch: it lies outside what the model sees, behind smaller boxes, or is "
            f"too small for a grid of {grid[0]} x {grid[1]} patches",
            field=f"boxes.{lost[0]}",
        )
    if len(kept) < 2:
        raise InvalidParameterError("one box covers all patches; an explanation needs two regions", field="boxes")
    return owners, tuple("background" if k == background else f"box {k}" for k in kept)


def check_labels(labels: Sequence[Sequence[int]] | IntArray) -> IntArray:
    """The (h, w) label map, as far as it can be judged without a model's grid.

    Raises:
        InvalidParameterError: it is no rectangle of integers, or has one label alone.
    """
    try:
        given = np.asarray(labels)
    except ValueError:
        given = np.empty(0)
    if given.ndim != 2 or given.size == 0 or given.dtype.kind not in "iu":
        raise InvalidParameterError("regions must be a label map: rows of integers, all of one length", field="regions")
    if (given == given[0, 0]).all():
        raise InvalidParameterError(
            f"all labels are {given[0, 0]}; an explanation needs at least two regions", field="regions"
        )
    return given


def check_boxes(
    boxes: Sequence[Sequence[float]] | FloatArray, *, image_size: tuple[int, int] | None = None
) -> FloatArray:
    """The (k, 4) float64 boxes, as far as they can be judged without a model's grid.

    Args:
        boxes: as in :func:`regions_from_boxes`.
        image_size: (width, height) of the submitted image, where it is known.

    Raises:
        InvalidParameterError: they are not four numbers each, or one has no area, or lies outside the image.
    """
    try:
        corners = np.asarray(boxes, dtype=np.float64)
    except ValueError:
        corners = np.empty(0)
    if corners.ndim != 2 or corners.shape[1] != 4 or not np.isfinite(corners).all():
        raise InvalidParameterError("boxes must be lists of four numbers: left, top, right, bottom", field="boxes")
    flat = np.flatnonzero((corners[:, 2] <= corners[:, 0]) | (corners[:, 3] <= corners[:, 1]))
    if flat.size:
        raise InvalidParameterError(
            f"box {flat[0]} has no area; it must be left, top, right, bottom with left < right and top < bottom",
            field=f"boxes.{flat[0]}",
        )
    if image_size is not None:
        outside = np.flatnonzero((corners[:, 2:] <= 0).any(axis=1) | (corners[:, :2] >= image_size).any(axis=1))
        if outside.size:
            raise InvalidParameterError(
                f"box {outside[0]} lies outside the image of {image_size[0]} x {image_size[1]} pixels",
                field=f"boxes.{outside[0]}",
            )
    return corners


def words_of(text: str, spans: Sequence[tuple[int, int]]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The word of every token, from 0 in reading order, and the words' texts.

    Words are separated by white space; punctuation at a word's ends is a word of its own, that within it (``t-shirt``,
    ``don't``) is not.

    Args:
        text: the caption as it was tokenized.
        spans: (start, stop) of each token in ``text``.
    """
    found = [match.span() for match in _WORDS.finditer("".join(map(_kind, text)))]
    is_punctuation = [_kind(text[start]) == "." for start, _ in found]
    owners: list[int] = []
    for start, stop in spans:
        shared = [min(stop, end) - max(start, begin) for begin, end in found]
        touched = [k for k, length in enumerate(shared) if length > 0]
        # A piece without characters is sentencepiece's mark of the word that begins there, or follows what came before.
        begun = [k for k, (begin, _) in enumerate(found) if begin == start]
        nearest = (begun or owners[-1:] or [0])[0]
        owners.append(min(touched, key=lambda k: (is_punctuation[k], -shared[k])) if touched else nearest)
    kept, numbers = np.unique(owners, return_inverse=True)
    return tuple(numbers.tolist()), tuple(text[slice(*found[k])] for k in kept.tolist())


def expand(coalitions: Coalitions, owners: Sequence[int]) -> Coalitions:
    """(m, units) which units are present where (m, k) players are: unit i is played by ``owners[i]``."""
    return np.ascontiguousarray(np.asarray(coalitions)[:, np.asarray(owners, dtype=np.intp)])


def _majority(view: IntArray, grid: tuple[int, int], *, n_labels: int) -> tuple[tuple[int, ...], list[int]]:
    """The region of every patch, row-major, and the label of every region, from the labels (H, W) of the view.

    Equal shares go to the lower label.
    """
    rows, columns = grid
    height, width = view.shape
    patches = (np.arange(height) * rows // height)[:, None] * columns + np.arange(width) * columns // width
    counts = np.zeros((rows * columns, n_labels), dtype=np.intp)
    np.add.at(counts, (patches, view), 1)
    kept, owners = np.unique(counts.argmax(axis=1), return_inverse=True)
    return tuple(owners.tolist()), kept.tolist()


def _kind(character: str) -> str:
    """``w`` for what words are made of, ``.`` for punctuation and symbols, a blank for white space."""
    if character.isspace():
        return " "
    return "." if unicodedata.category(character)[0] in "PSC" else "w"
