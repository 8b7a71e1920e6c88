from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Circle, PathPatch

from fixlip_core.errors import InvalidParameterError
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import style
from fixlip_core.rendering.graph import interaction_graph_figure
from fixlip_core.types import ImageArray
from tests.support.explanations import pair_attribution, with_regions

MakeExplanation = Callable[..., Explanation]


def curves_of(figure: Figure) -> list[PathPatch]:
    """The coloured curves, weakest first, without the white ones beneath them."""
    paths = [patch for patch in figure.artists if isinstance(patch, PathPatch)]
    return paths[1::2]


def words_of(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.texts]


def sparse(make_explanation: MakeExplanation, **values: float) -> Explanation:
    """A 4x4 explanation of two tokens with the pairs ``p<i>_<j>`` at the given values, all others zero."""
    second = np.zeros((18, 18))
    for name, value in values.items():
        i, j = map(int, name[1:].split("_"))
        second[i, j] = value
    return make_explanation(second=second)


def test_width_is_magnitude_and_colour_is_sign(make_explanation: MakeExplanation, view: ImageArray) -> None:
    explanation = sparse(make_explanation, p0_16=1.0, p3_17=-1.0, p5_16=0.25)
    weak, *strong = curves_of(interaction_graph_figure(explanation, view))
    assert [curve.get_linewidth() for curve in strong] == pytest.approx([2.2, 2.2])
    assert weak.get_linewidth() == pytest.approx(0.4 + 0.25 * 1.8)
    negative, positive = (np.array(curve.get_edgecolor()[:3]) for curve in strong)
    np.testing.assert_allclose(negative, style.diverging(np.array(-1.0), 1.0))
    np.testing.assert_allclose(positive, style.diverging(np.array(1.0), 1.0))
    assert weak.get_edgecolor() == strong[1].get_edgecolor()


def test_kinds_have_strokes_of_their_own(make_explanation: MakeExplanation, view: ImageArray) -> None:
    explanation = sparse(make_explanation, p0_16=3.0, p0_5=2.0, p16_17=1.0)
    figure = interaction_graph_figure(explanation, view)
    strokes = [str(curve.get_linestyle()) for curve in curves_of(figure)]
    assert len(set(strokes)) == 3
    assert strokes[-1] in ("solid", "-")
    written = words_of(figure)
    for kind, count in (("image–text", "1 of 32"), ("image–image", "1 of 120"), ("text–text", "1 of 1")):  # noqa: RUF001 - an en dash joins the two
        assert written[written.index(kind) + 1] == count


def test_every_linked_patch_is_marked_once(make_explanation: MakeExplanation, view: ImageArray) -> None:
    figure = interaction_graph_figure(sparse(make_explanation, p0_16=1.0, p0_17=1.0, p6_16=1.0), view)
    centres = [circle.center for circle in figure.artists if isinstance(circle, Circle)]
    assert centres == [(style.MARGIN_PX + 102, style.MARGIN_PX + 102), (style.MARGIN_PX + 510, style.MARGIN_PX + 306)]


@pytest.mark.parametrize("n_pairs", [1, 7, 60])
def test_number_of_pairs(make_explanation: MakeExplanation, view: ImageArray, n_pairs: int) -> None:
    explanation = make_explanation([f"w{k}" for k in range(6)], (8, 8))
    assert len(curves_of(interaction_graph_figure(explanation, view, n_pairs=n_pairs))) == n_pairs


def test_default_number_of_pairs(make_explanation: MakeExplanation, view: ImageArray) -> None:
    assert len(curves_of(interaction_graph_figure(make_explanation(grid=(14, 14)), view))) == style.PAIRS


def test_no_pairs_are_asked_for(make_explanation: MakeExplanation, view: ImageArray) -> None:
    with pytest.raises(InvalidParameterError, match="1 or more") as caught:
        interaction_graph_figure(make_explanation(), view, n_pairs=0)
    assert caught.value.field == "n_pairs"


def test_an_explanation_of_order_1_says_that_it_has_no_pairs(
    make_explanation: MakeExplanation, view: ImageArray
) -> None:
    figure = interaction_graph_figure(make_explanation(second=np.zeros((18, 18)), order=1), view)
    assert curves_of(figure) == []
    assert "no pairs to draw" in words_of(figure)


@pytest.mark.parametrize("score", ["logit", "cosine"])
def test_the_key_has_values_and_their_unit(make_explanation: MakeExplanation, view: ImageArray, score: str) -> None:
    written = words_of(interaction_graph_figure(make_explanation(score=score, second=np.eye(18, k=1)), view))
    assert " ".join(written).count(f"interaction effect on the {score} +1 +0.5 \N{MINUS SIGN}0.5 \N{MINUS SIGN}1") == 1


def test_nothing_is_written_or_drawn_outside_the_sheet(make_explanation: MakeExplanation, view: ImageArray) -> None:
    explanation = make_explanation([f"token{k}" for k in range(40)], (14, 14), second=np.eye(236, k=3) * 1e4)
    figure = interaction_graph_figure(explanation, view, n_pairs=80)
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    for artist in (*figure.texts, *curves_of(figure)):
        box = artist.get_window_extent()
        assert -1 <= box.x0 <= box.x1 <= width + 1
        assert -1 <= box.y0 <= box.y1 <= height + 1


def test_a_curve_is_drawn_over_the_picture(make_explanation: MakeExplanation, white: ImageArray) -> None:
    figure = interaction_graph_figure(sparse(make_explanation, p0_16=1.0), white)
    figure.canvas.draw()
    pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3].astype(int)  # type: ignore[attr-defined]  # Agg has it
    x, y = style.MARGIN_PX + 102, style.MARGIN_PX + 102 + 40
    beside = pixels[y, x - 60 : x + 60]
    orange = np.abs(beside - 255 * style.diverging(np.array(1.0), 1.0)).sum(axis=1) < 8
    assert 4 <= orange.sum() <= 12


def test_regions_are_marked_and_framed_as_a_whole(view: ImageArray) -> None:
    explanation = with_regions()
    figure = interaction_graph_figure(explanation, view)
    centres = [circle.center for circle in figure.artists if isinstance(circle, Circle)]
    assert len(centres) == explanation.n_image
    lines = [len(c.get_segments()) for c in figure.artists if isinstance(c, LineCollection)]
    assert lines[1:] == [8, 6, 10]


def test_the_key_of_an_attribution_has_the_pairs_it_has(view: ImageArray) -> None:
    written = " ".join(words_of(interaction_graph_figure(pair_attribution(), view)))
    assert "attribution to pairs of the logit" in written
    assert "18 of 18" in written
    assert "text\N{EN DASH}text" not in written
