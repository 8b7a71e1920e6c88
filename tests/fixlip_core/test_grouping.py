"""Regions from label maps and boxes, words from tokens."""

from __future__ import annotations

import numpy as np
import pytest

from fixlip_core.encoders.tokenizer import CLIP_BPE, load_tokenizer
from fixlip_core.errors import InvalidParameterError
from fixlip_core.grouping import check_boxes, check_labels, expand, regions_from_boxes, regions_from_labels, words_of
from fixlip_core.types import IntArray

SIZE = (60, 40)
"""Width and height of the submitted image."""
GRID = (2, 3)


def source(*, left: int = 0, right: int = 60) -> IntArray:
    """(40, 60, 2): a view that shows the columns from ``left`` to ``right`` where they are, and padding elsewhere."""
    rows, columns = np.mgrid[:40, :60]
    shown = np.stack([rows, columns], axis=-1)
    shown[:, :left] = shown[:, right:] = -1
    return shown


def test_a_patch_belongs_to_the_label_of_most_of_its_pixels() -> None:
    labels = np.zeros((40, 60), int)
    labels[:, 25:] = 1  # covers three quarters of the middle column
    assert regions_from_labels(labels, source(), GRID, image_size=SIZE)[0] == (0, 1, 1, 0, 1, 1)
    labels[:, 25:35] = 0
    labels[0, 25:35] = 1  # a quarter and a bit
    assert regions_from_labels(labels, source(), GRID, image_size=SIZE)[0] == (0, 0, 1, 0, 0, 1)


@pytest.mark.parametrize("scale", [1, 3])
def test_maps_of_any_resolution_are_stretched_over_the_image(scale: int) -> None:
    small = np.repeat(np.repeat([[5, 5, 7], [9, 7, 7]], scale, axis=0), scale, axis=1)
    assert regions_from_labels(small, source(), GRID, image_size=SIZE)[0] == (0, 0, 1, 2, 1, 1)
    assert regions_from_labels(small.tolist(), source(), GRID, image_size=SIZE)[0] == (0, 0, 1, 2, 1, 1)


def test_labels_are_those_of_the_image_where_the_view_shows_it() -> None:
    # A view of the image's middle third, at three times its size.
    rows, columns = np.mgrid[:40, :60]
    middle = np.stack([13 + rows // 3, 20 + columns // 3], axis=-1)
    labels = np.arange(60)[None, :] // 30 * np.ones((40, 1), int)
    assert regions_from_labels(labels, middle, GRID, image_size=SIZE)[0] == (0, 0, 1, 0, 0, 1)


def test_labels_that_win_no_patch_are_left_out() -> None:
    labels = np.zeros((40, 60), int)
    labels[:, 20:23] = 4
    labels[:, 40:] = 8
    assert regions_from_labels(labels, source(), GRID, image_size=SIZE)[0] == (0, 0, 1, 0, 0, 1)


def test_labels_name_their_regions() -> None:
    labels = np.full((40, 60), 10)
    labels[:, 20:23] = 20  # wins no patch
    labels[:, 40:] = 30
    assert regions_from_labels(labels, source(), GRID, image_size=SIZE)[1] == ("region 10", "region 30")
    assert regions_from_labels(labels, source(right=40), GRID, image_size=SIZE)[1] == ("region 10", "padding")


def test_boxes_name_their_regions() -> None:
    assert regions_from_boxes([(40, 20, 60, 40), (0, 0, 20, 20)], source(), GRID)[1] == ("box 0", "box 1", "background")
    assert regions_from_boxes([(0, 0, 30, 40), (30, 0, 60, 40)], source(), GRID)[1] == ("box 0", "box 1")


def test_padding_is_a_region_of_its_own() -> None:
    labels = np.repeat([[3], [1]], 2, axis=1)
    assert regions_from_labels(labels, source(right=40), GRID, image_size=SIZE)[0] == (1, 1, 2, 0, 0, 2)
    # A patch that shows a little of the image is not padding's.
    assert regions_from_labels(labels, source(right=55), GRID, image_size=SIZE)[0] == (1, 1, 1, 0, 0, 0)


@pytest.mark.parametrize(
    "labels",
    [[[1, 2], [3]], [], [[]], [1, 2], [[0.5, 1.0]], [[True, False]], [["a", "b"]]],
    ids=["ragged", "none", "empty", "flat", "fractions", "truth", "words"],
)
def test_what_is_no_label_map_is_refused(labels: list[list[int]]) -> None:
    with pytest.raises(InvalidParameterError, match="rows of integers") as caught:
        regions_from_labels(labels, source(), GRID, image_size=SIZE)
    assert caught.value.field == "regions"


def test_a_single_region_is_refused() -> None:
    with pytest.raises(InvalidParameterError, match="at least two"):
        regions_from_labels([[3]], source(), GRID, image_size=SIZE)
    with pytest.raises(InvalidParameterError, match="needs two") as caught:
        regions_from_boxes([(0, 0, 60, 40)], source(), GRID)
    assert caught.value.field == "boxes"


def test_boxes_keep_their_numbers_and_the_background_is_last() -> None:
    boxes = [(40, 20, 60, 40), (0, 0, 20, 20)]
    assert regions_from_boxes(boxes, source(), GRID)[0] == (1, 2, 2, 2, 2, 0)
    assert regions_from_boxes([(0, 0, 30.5, 40), (30.5, 0, 60, 40)], source(), GRID)[0] == (0, 0, 1, 0, 0, 1)


@pytest.mark.parametrize("small_first", [True, False])
def test_the_smaller_of_two_boxes_is_above(small_first: bool) -> None:
    boxes = [(0, 0, 20, 20), (0, 0, 40, 40)]
    regions = regions_from_boxes(boxes if small_first else boxes[::-1], source(), GRID)[0]
    inner, outer = (0, 1) if small_first else (1, 0)
    assert regions == (inner, outer, 2, outer, outer, 2)


@pytest.mark.parametrize(
    ("boxes", "field", "message"),
    [
        ([(0, 0, 20, 20), (30, 5, 30, 9)], "boxes.1", "no area"),
        ([(0, 0, 20, 20), (70, 0, 80, 9)], "boxes.1", "most of no patch"),
        ([(0, 0, 5, 5)], "boxes.0", "too small"),
        ([(0, 0, 20)], "boxes", "four numbers"),
        ([(0, 0, 20, float("nan"))], "boxes", "four numbers"),
        ([], "boxes", "four numbers"),
    ],
)
def test_boxes_that_make_no_region_are_refused(boxes: list[tuple[float, ...]], field: str, message: str) -> None:
    with pytest.raises(InvalidParameterError, match=message) as caught:
        regions_from_boxes(boxes, source(), GRID)
    assert caught.value.field == field


@pytest.mark.parametrize("box", [(60, 0, 70, 9), (-9, 0, 0, 9), (0, 40, 9, 50), (0, -5, 9, 0)])
def test_boxes_outside_the_image_are_refused(box: tuple[float, ...]) -> None:
    with pytest.raises(InvalidParameterError, match="box 1 lies outside the image of 60 x 40 pixels") as caught:
        check_boxes([(-5, -5, 5, 5), box], image_size=SIZE)
    assert caught.value.field == "boxes.1"


def test_what_can_be_played_passes_the_checks() -> None:
    np.testing.assert_array_equal(check_boxes([(59, 39, 70, 50)], image_size=SIZE), [[59, 39, 70, 50]])
    np.testing.assert_array_equal(check_labels([[0, 1]]), [[0, 1]])


@pytest.mark.parametrize(
    ("text", "owners", "words"),
    [
        ("a red circle", (0, 1, 2), ("a", "red", "circle")),
        ("an unbelievableness, really", (0, 1, 1, 1, 2, 3), ("an", "unbelievableness", ",", "really")),
        ("don't wear t-shirts", (0, 0, 1, 2, 2, 2), ("don't", "wear", "t-shirts")),
        ("(3.5 kg)", (0, 1, 1, 1, 2, 3), ("(", "3.5", "kg", ")")),
        ("dogs!?", (0, 1), ("dogs", "!?")),
    ],
)
def test_words_are_what_white_space_and_outer_punctuation_separate(
    text: str, owners: tuple[int, ...], words: tuple[str, ...]
) -> None:
    spans = load_tokenizer(CLIP_BPE).encode(text).spans
    assert words_of(text, spans) == (owners, words)


def test_pieces_of_one_character_are_one_word() -> None:
    text = "\N{BRAIN} and \N{BRAIN}"
    spans = load_tokenizer(CLIP_BPE).encode(text).spans
    assert len(spans) > 3
    owners, words = words_of(text, spans)
    assert words == ("\N{BRAIN}", "and", "\N{BRAIN}")
    assert list(owners) == sorted(owners)
    assert owners.count(1) == 1


def test_a_piece_over_a_word_and_its_punctuation_goes_with_the_word() -> None:
    assert words_of("dog, cat", [(0, 4), (5, 8)]) == ((0, 1), ("dog", "cat"))


def test_a_piece_without_characters_goes_with_the_one_before() -> None:
    assert words_of("dog cat", [(0, 0), (0, 3), (3, 3), (4, 7)]) == ((0, 0, 0, 1), ("dog", "cat"))


def test_a_mark_of_a_word_to_come_goes_with_that_word() -> None:
    assert words_of("dog cat", [(0, 0), (0, 3), (4, 4), (4, 7)]) == ((0, 0, 1, 1), ("dog", "cat"))


def test_marks_over_letters_belong_to_the_word() -> None:
    text = "\u0939\u093f\u0928\u094d\u0926\u0940 cafe\u0301"
    assert words_of(text, [(0, 3), (3, 6), (7, 12)])[1] == tuple(text.split())


def test_units_follow_their_player() -> None:
    coalitions = np.array([[True, False], [False, True]])
    np.testing.assert_array_equal(expand(coalitions, (1, 0, 1)), [[False, True, False], [True, False, True]])
