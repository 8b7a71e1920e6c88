from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fixlip_core.errors import InvalidImageError
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import style
from fixlip_core.rendering.sheet import Sheet
from fixlip_core.rendering.size import FigureSize
from fixlip_core.rendering.small_multiples import words_sheet
from fixlip_core.types import ImageArray

MakeExplanation = Callable[..., Explanation]


def texts(sheet: Sheet) -> list[str]:
    return [text.get_text() for text in sheet.figure.texts]


def lefts(sheet: Sheet, words: list[str]) -> list[int]:
    return [round(text.get_position()[0]) for text in sheet.figure.texts if text.get_text() in words]


def test_every_word_has_its_map_in_reading_order(make_explanation: MakeExplanation, view: ImageArray) -> None:
    words = ["a", "red", "circle", "and", "blue"]
    sheet = words_sheet(make_explanation(words), view)
    assert texts(sheet)[:5] == words
    assert len(set(lefts(sheet, words))) == 3
    assert "interaction effect on the logit" in texts(sheet)


def test_maps_share_one_scale_and_lie_under_their_words(make_explanation: MakeExplanation, white: ImageArray) -> None:
    second = np.zeros((18, 18))
    second[0, 16], second[15, 17] = 2.0, -1.0
    pixels = words_sheet(make_explanation(second=second), white).pixels().astype(int)
    strongest, half = (np.rint(255 * style.diverging(np.array(value), 2.0)) for value in (2.0, -1.0))
    picture = pixels[:, : style.MARGIN_PX + style.IMAGE_PX]
    orange = np.argwhere(np.abs(picture - strongest).max(axis=-1) <= 2)
    blue = np.argwhere(np.abs(picture - half).max(axis=-1) <= 2)
    # The first patch of the first word, and the last of the second word.
    assert orange.mean(axis=0)[1] < blue.mean(axis=0)[1]
    assert len(orange) == pytest.approx(len(blue), rel=0.02)


@pytest.mark.parametrize(("width", "columns"), [("column", 3), ("page", 6), (60.0, 2)])
def test_wide_figures_have_more_columns(
    make_explanation: MakeExplanation, view: ImageArray, width: float, columns: int
) -> None:
    words = [f"w{k}" for k in range(12)]
    sheet = words_sheet(make_explanation(words, (2, 2)), view, size=FigureSize.of(width))
    assert sheet.width_px == FigureSize.of(width).width_px
    assert len(set(lefts(sheet, words))) == columns


def test_of_a_long_caption_the_words_with_most_to_show_are_drawn_and_the_rest_is_told(
    make_explanation: MakeExplanation, view: ImageArray
) -> None:
    words = [f"w{k}" for k in range(30)]
    second = np.zeros((34, 34))
    second[0, [4 + k for k in range(30) if k % 5]] = -1.0
    found = texts(words_sheet(make_explanation(words, (2, 2), second=second), view))
    assert [word for word in found if word in words] == [f"w{k}" for k in range(30) if k % 5]
    assert "6 of 30 words, which share less with the image, are not shown" in found


@pytest.mark.parametrize("tokens", [(), ("x",), ("m" * 200, "\N{DOG FACE}")])
def test_any_caption_can_be_drawn(make_explanation: MakeExplanation, view: ImageArray, tokens: tuple[str]) -> None:
    pixels = words_sheet(make_explanation(tokens, (1, 1)), view).pixels()
    edges = np.concatenate([pixels[:4].reshape(-1, 3), pixels[-4:].reshape(-1, 3), pixels[:, -4:].reshape(-1, 3)])
    assert (edges == 255).all()


def test_nothing_is_drawn_over_what_is_no_image(make_explanation: MakeExplanation) -> None:
    with pytest.raises(InvalidImageError):
        words_sheet(make_explanation(), np.zeros(8, dtype=np.uint8))
