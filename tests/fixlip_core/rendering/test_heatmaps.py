from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure

from fixlip_core.errors import InvalidImageError, InvalidParameterError
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import style
from fixlip_core.rendering.backdrop import make_backdrop
from fixlip_core.rendering.heatmaps import (
    conditional_figure,
    conditional_pixels,
    conditional_sheet,
    first_order_figure,
)
from fixlip_core.types import ImageArray
from tests.support.explanations import example, pair_attribution, with_regions

MakeExplanation = Callable[..., Explanation]
GRID = (4, 4)


def pixels_of(figure: Figure) -> ImageArray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def patch_colours(figure: Figure, grid: tuple[int, int] = GRID) -> np.ndarray:
    """(rows, columns, 3) the colour in the middle of every patch of a figure over a white picture."""
    side = style.IMAGE_PX // grid[1]
    centres = [style.MARGIN_PX + side // 2 + side * k for k in range(grid[0])]
    return pixels_of(figure)[np.ix_(centres, centres)]


def expected(values: np.ndarray, limit: float) -> np.ndarray:
    return np.rint(255 * style.diverging(values, limit))


def caption_fills(figure: Figure) -> np.ndarray:
    (collection,) = (c for c in figure.artists if isinstance(c, PatchCollection))
    return np.asarray(collection.get_facecolor())[:, :3]


def words_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def test_each_patch_has_the_colour_of_its_main_effect(make_explanation: MakeExplanation, white: ImageArray) -> None:
    explanation = make_explanation(seed=3)
    effects = explanation.main_effects()
    limit = np.abs(effects).max()
    drawn = patch_colours(first_order_figure(explanation, white))
    np.testing.assert_allclose(drawn, expected(effects[:16].reshape(GRID), limit), atol=1)


def test_tokens_are_coloured_on_the_scale_of_the_patches(make_explanation: MakeExplanation, white: ImageArray) -> None:
    first = np.zeros(18)
    first[[2, 16, 17]] = 0.5, -1.0, 0.25
    figure = first_order_figure(make_explanation(first=first, second=np.zeros((18, 18))), white)
    np.testing.assert_allclose(caption_fills(figure), style.diverging(np.array([-1.0, 0.25]), 1.0))
    np.testing.assert_allclose(patch_colours(figure)[0, 2], expected(np.array(0.5), 1.0), atol=1)


def test_opposite_values_are_drawn_on_opposite_sides(make_explanation: MakeExplanation, white: ImageArray) -> None:
    explanation = make_explanation(seed=5)
    opposite = make_explanation(first=-explanation.first, second=-explanation.second)
    drawn, mirrored = (patch_colours(first_order_figure(e, white)).astype(int) for e in (explanation, opposite))
    warm = explanation.main_effects()[:16].reshape(GRID) > 0.2
    assert (drawn[warm][:, 0] > drawn[warm][:, 2]).all()
    assert (mirrored[warm][:, 0] < mirrored[warm][:, 2]).all()


def test_conditioned_maps_share_one_scale(make_explanation: MakeExplanation, white: ImageArray) -> None:
    explanation = make_explanation(("a", "red", "dot"), seed=1)
    limit = np.abs(explanation.cross).max()
    for index in range(3):
        drawn = patch_colours(conditional_figure(explanation, white, index))
        np.testing.assert_allclose(drawn, expected(explanation.conditional(index), limit), atol=1)


def test_the_conditioning_token_alone_is_highlighted(make_explanation: MakeExplanation, white: ImageArray) -> None:
    fills = caption_fills(conditional_figure(make_explanation(("a", "red", "dot")), white, 1))
    assert fills[1].max() < 0.2
    assert fills[[0, 2]].min() > 0.9


@pytest.mark.parametrize("score", ["logit", "cosine"])
def test_the_colour_bar_names_its_unit(make_explanation: MakeExplanation, view: ImageArray, score: str) -> None:
    explanation = make_explanation(score=score)
    assert words_of(first_order_figure(explanation, view)).count(f"main effect on the {score}") == 1
    assert words_of(conditional_figure(explanation, view, 0)).count(f"interaction effect on the {score}") == 1


def test_rectangular_grids_are_row_major(make_explanation: MakeExplanation) -> None:
    first = np.zeros(2 * 8 + 1)
    first[1 * 8 + 6] = 1.0
    explanation = make_explanation(("dot",), (2, 8), first=first, second=np.zeros((17, 17)))
    drawn = pixels_of(first_order_figure(explanation, np.full((32, 128, 3), 255, dtype=np.uint8)))
    margin, side = style.MARGIN_PX, style.IMAGE_PX // 8
    np.testing.assert_allclose(drawn[margin + side + 5, margin + 6 * side + 5], expected(np.array(1.0), 1.0), atol=1)
    np.testing.assert_allclose(drawn[margin + 5, margin + 6 * side + 5], expected(np.array(0.0), 1.0), atol=1)


def test_the_picture_shows_beneath_the_colours(make_explanation: MakeExplanation) -> None:
    image = np.full((64, 64, 3), 255, dtype=np.uint8)
    image[24:40, 24:40] = 0
    drawn = pixels_of(first_order_figure(make_explanation(first=np.ones(18), second=np.zeros((18, 18))), image))
    assert drawn[420, 420].astype(int).sum() < 0.7 * drawn[100, 100].astype(int).sum()


def test_everything_zero_is_drawn_neutral(make_explanation: MakeExplanation, white: ImageArray) -> None:
    explanation = make_explanation(first=np.zeros(18), second=np.zeros((18, 18)))
    np.testing.assert_allclose(
        patch_colours(first_order_figure(explanation, white)), expected(np.zeros(GRID), 1.0), atol=1
    )
    assert "no interactions" in words_of(conditional_figure(explanation, white, 0))


def test_a_long_caption_makes_the_sheet_longer(make_explanation: MakeExplanation, view: ImageArray) -> None:
    short = first_order_figure(make_explanation(), view)
    long = first_order_figure(make_explanation([f"word{k}" for k in range(75)]), view)
    assert long.get_size_inches()[0] == short.get_size_inches()[0]
    assert long.get_size_inches()[1] > short.get_size_inches()[1] + 1
    words = [text for text in long.texts if text.get_text().startswith("word")]
    canvas = FigureCanvasAgg(long)
    canvas.draw()
    width, height = canvas.get_width_height()
    for word in words:
        box = word.get_window_extent()
        assert 0 < box.x0 < box.x1 < width
        assert 0 < box.y0 < box.y1 < height


def test_figures_can_be_saved_as_vectors(make_explanation: MakeExplanation, view: ImageArray) -> None:
    import io

    stream = io.BytesIO()
    first_order_figure(make_explanation(), view).savefig(stream, format="svg")
    assert stream.getvalue().rstrip().endswith(b"</svg>")


def test_there_is_no_such_token(make_explanation: MakeExplanation, view: ImageArray) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        conditional_figure(make_explanation(), view, 2)
    assert caught.value.field == "token_index"


def test_nan_is_refused(make_explanation: MakeExplanation, view: ImageArray) -> None:
    with pytest.raises(InvalidParameterError, match="finite"):
        first_order_figure(make_explanation(first=np.full(18, np.nan)), view)


def test_a_batch_is_no_image(make_explanation: MakeExplanation, view: ImageArray) -> None:
    with pytest.raises(InvalidImageError):
        first_order_figure(make_explanation(), view[None])


def test_every_patch_has_the_colour_of_its_region(white: ImageArray) -> None:
    explanation = with_regions()
    limit = np.abs(explanation.main_effects()).max()
    drawn = pixels_of(first_order_figure(explanation, np.full((32, 64, 3), 255, dtype=np.uint8)))
    side = style.IMAGE_PX // 4
    centres = [style.MARGIN_PX + side // 2 + side * k for k in range(4)]
    effects = explanation.players.spread(explanation.main_effects()[:3])
    np.testing.assert_allclose(drawn[np.ix_(centres[:2], centres)], expected(effects, limit), atol=1)


def test_towers_attributed_one_by_one_have_scales_of_their_own(make_explanation: MakeExplanation) -> None:
    first = np.zeros(18)
    first[[2, 16, 17]] = 0.5, 8.0, 4.0
    second = np.zeros((18, 18))
    explanation = make_explanation(first=first, second=second, order=1, index="Grad-ECLIP", p=np.nan)
    figure = first_order_figure(explanation, np.full((64, 64, 3), 255, dtype=np.uint8))
    np.testing.assert_allclose(caption_fills(figure), style.diverging(np.array([8.0, 4.0]), 8.0))
    np.testing.assert_allclose(patch_colours(figure)[0, 2], expected(np.array(0.5), 0.5), atol=1)
    assert "attribution (words: own scale)" in words_of(figure)


def test_pairs_that_are_attributed_to_share_one_scale(view: ImageArray) -> None:
    explanation = pair_attribution()
    effects = explanation.main_effects()
    figure = first_order_figure(explanation, view)
    np.testing.assert_allclose(caption_fills(figure), style.diverging(effects[6:], np.abs(effects).max()))
    assert "attribution" in words_of(figure)
    assert "attribution to pairs" in words_of(conditional_figure(explanation, view, 0))


@pytest.mark.parametrize(
    "explanation", [example(), with_regions(), pair_attribution()], ids=["patches", "regions", "pairs"]
)
def test_maps_drawn_together_are_those_drawn_alone(explanation: Explanation, view: ImageArray) -> None:
    backdrop = make_backdrop(view, explanation.grid)
    indices = range(explanation.n_text)
    for index, pixels in zip(indices, conditional_pixels(explanation, backdrop, indices), strict=True):
        np.testing.assert_array_equal(pixels, conditional_sheet(explanation, backdrop, index).pixels())


def test_maps_drawn_together_say_too_that_there_is_nothing(make_explanation: MakeExplanation, view: ImageArray) -> None:
    explanation = make_explanation(second=np.zeros((18, 18)))
    backdrop = make_backdrop(view, GRID)
    (pixels,) = conditional_pixels(explanation, backdrop, [1])
    np.testing.assert_array_equal(pixels, conditional_sheet(explanation, backdrop, 1).pixels())
