from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from fixlip_core.comparison import compare
from fixlip_core.errors import InvalidImageError, InvalidParameterError, NotComparableError
from fixlip_core.explanation import Explanation
from fixlip_core.frames import Frame
from fixlip_core.rendering import render_comparison, style
from fixlip_core.rendering.comparison import COLUMN_PX, NARROW_PX, comparison_sheet
from fixlip_core.types import FloatArray, ImageArray
from tests.support.explanations import attribution, example, pair_attribution

MakeExplanation = Callable[..., Explanation]

LEFT = style.MARGIN_PX
SECOND_LEFT = LEFT + COLUMN_PX[2] + style.GAP_PX


def texts(*explanations: Explanation, view: ImageArray) -> list[str]:
    sheet = comparison_sheet(explanations, [view] * len(explanations))
    return [text.get_text() for text in sheet.figure.texts]


def first_order(make: MakeExplanation, values: FloatArray, **fields: Any) -> Explanation:
    """Values of 16 patches and 2 tokens, and of no pairs."""
    return make(first=values, second=np.zeros((18, 18)), order=1, index="SV", **fields)


def tinted(pixels: ImageArray, value: float, limit: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """(H, W) where the colour of a value is, on white."""
    colour = np.rint(255 * style.diverging(np.array(value), limit))
    return np.asarray(np.abs(pixels.astype(int) - colour).max(axis=2) <= 1)


@pytest.mark.parametrize(
    ("n", "side_by_side", "column"),
    [(2, 2, COLUMN_PX[2]), (3, 3, COLUMN_PX[3]), (4, 4, NARROW_PX), (5, 3, COLUMN_PX[3]), (7, 4, NARROW_PX)],
)
def test_a_column_each_and_a_key(
    make_explanation: MakeExplanation, view: ImageArray, n: int, side_by_side: int, column: int
) -> None:
    explanations = [make_explanation(seed=seed) for seed in range(n)]
    sheet = comparison_sheet(explanations, [view] * n)
    assert sheet.width_px == 2 * LEFT + side_by_side * (column + style.GAP_PX) + style.COLUMN_PX
    titles = [text.get_text() for text in sheet.figure.texts if re.fullmatch(r"\d fixlip", text.get_text())]
    assert titles == [f"{number} fixlip" for number in range(1, n + 1)]
    differences = [
        text.get_text() for text in sheet.figure.texts if re.fullmatch(r"\d \N{MINUS SIGN} 1", text.get_text())
    ]
    assert differences == [f"{number} \N{MINUS SIGN} 1" for number in range(2, n + 1)]


def test_everything_lies_on_the_sheet(make_explanation: MakeExplanation, view: ImageArray) -> None:
    """A long caption of long words, a model with an endless name, and a great and a small unit."""
    tokens = [f"wor{'l' * (k % 23)}d{k}" for k in range(75)]
    known = {"model": "m" * 200}
    explanations = [make_explanation(tokens, provenance=known, score="logit"), make_explanation(tokens, seed=1)]
    small = make_explanation(tokens, first=np.full(91, 1e-9), second=np.zeros((91, 91)))
    sheet = comparison_sheet([*explanations, small], [view] * 3)
    sheet.pixels()
    for text in sheet.figure.texts:
        if text.get_text():
            box = text.get_window_extent()
            assert 0 <= box.x0 <= box.x1 <= sheet.width_px, text
            assert 0 <= box.y0 <= box.y1 <= sheet.height_px, text


def test_the_same_input_gives_the_same_bytes_and_both_files_are_whole(
    make_explanation: MakeExplanation, view: ImageArray
) -> None:
    explanations = [make_explanation(provenance={"model": "<b>"}), make_explanation(seed=1)]
    drawn, again = (render_comparison(explanations, [view, view]) for _ in range(2))
    assert drawn == again
    assert (drawn.name, drawn.title) == ("comparison", "<b> \N{MIDDLE DOT} fixlip and fixlip")
    with Image.open(io.BytesIO(drawn.png)) as image:
        image.load()
        size = image.size
    root = ElementTree.fromstring(drawn.svg)
    assert root.attrib["viewBox"] == f"0 0 {size[0]} {size[1]}"


def test_each_is_drawn_in_shares_of_its_own_greatest(make_explanation: MakeExplanation, white: ImageArray) -> None:
    values = np.zeros(18)
    values[[0, 5, 16, 17]] = 1.0, -0.5, 2.0, 1.0
    pair = [first_order(make_explanation, values), first_order(make_explanation, 1e6 * values)]
    pixels = comparison_sheet(pair, [white, white]).pixels()
    columns = pixels[:, LEFT : LEFT + COLUMN_PX[2]], pixels[:, SECOND_LEFT : SECOND_LEFT + COLUMN_PX[2]]
    patch = (COLUMN_PX[2] // 4) ** 2
    for column in columns:
        assert tinted(column, 1.0, 1.0).sum() > 0.95 * patch
        assert tinted(column, -0.5, 1.0).sum() > 0.95 * patch


def test_differences_are_drawn_on_the_second_columns_map(make_explanation: MakeExplanation, white: ImageArray) -> None:
    one, other = np.zeros(18), np.zeros(18)
    one[[0, 16]], other[[15, 16]] = 3.0, 5.0
    sheet = comparison_sheet([first_order(make_explanation, v) for v in (one, other)], [white, white])
    below = sheet.pixels()[sheet.height_px // 2 :, SECOND_LEFT : SECOND_LEFT + COLUMN_PX[2]]
    more, less = np.argwhere(tinted(below, 1.0, 1.0)), np.argwhere(tinted(below, -1.0, 1.0))
    (top, left), (bottom, right) = np.median(less, axis=0), np.median(more, axis=0)
    step = 3 * COLUMN_PX[2] // 4
    assert (bottom - top, right - left) == pytest.approx((step, step), abs=2)


def test_what_has_no_pairs_says_so(view: ImageArray) -> None:
    said = texts(example(), attribution(), pair_attribution(), view=view)
    assert said.count("no values of pairs") == 1
    assert said.count("strongest pairs") == 2
    assert "\N{EN DASH}" in said
    assert sum("different units" in line for line in said) == 1


def test_agreement_is_told_as_it_was_measured(view: ImageArray) -> None:
    explanations = [example(), example(seed=1)]
    found = {a.part: a for a in compare(explanations).agreements}
    said = texts(*explanations, view=view)
    row = said[said.index("Spearman") + 1 :][:3]
    values = [found["image"].spearman, found["text"].spearman, found["pairs"].spearman]
    assert row == [f"{value:.2f}".replace("-", "\N{MINUS SIGN}") for value in values]


def test_one_token_and_one_patch(make_explanation: MakeExplanation, view: ImageArray) -> None:
    explanations = [make_explanation(("dog",), (1, 1), seed=seed) for seed in range(2)]
    said = texts(*explanations, view=view)
    assert said.count("dog") == 3
    assert said.count("1 dog \N{EN DASH} r0c0") == 2


def test_nothing_but_zeros_can_be_drawn(make_explanation: MakeExplanation, view: ImageArray) -> None:
    zero = first_order(make_explanation, np.zeros(18))
    assert render_comparison([zero, zero], [view, view]).png


def test_only_what_all_models_saw_lies_beneath_the_differences(make_explanation: MakeExplanation) -> None:
    """The first model saw the picture whole, its left half red; the second its white right half."""
    whole = np.full((64, 128, 3), 255, dtype=np.uint8)
    whole[:, :64, 1:] = 0
    frames = Frame(0.0, 0.0, 128.0, 64.0), Frame(64.0, 0.0, 128.0, 64.0)
    explanations = [
        make_explanation(grid=grid, provenance=frame.to_provenance())
        for grid, frame in zip([(2, 4), (2, 2)], frames, strict=True)
    ]
    sheet = comparison_sheet(explanations, [whole, whole[:, 64:].copy()])
    pixels = sheet.pixels()[:, LEFT : LEFT + COLUMN_PX[2]].astype(int)
    is_red = (pixels[..., 0] > 250) & (pixels[..., 1:].max(axis=2) < 5)
    assert not is_red.any()
    assert any("lie outside" in text.get_text() for text in sheet.figure.texts)


def test_what_cannot_be_drawn(make_explanation: MakeExplanation, view: ImageArray) -> None:
    one = make_explanation()
    with pytest.raises(InvalidParameterError, match="2 views, not 1") as caught:
        render_comparison([one, one], [view])
    assert caught.value.field == "views"
    with pytest.raises(InvalidImageError):
        render_comparison([one, one], [view, view[None]])
    with pytest.raises(NotComparableError):
        render_comparison([one], [view])
    with pytest.raises(InvalidParameterError, match="finite"):
        render_comparison([one, make_explanation(first=np.full(18, np.nan))], [view, view])
