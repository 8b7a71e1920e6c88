from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from fixlip_core.errors import InvalidParameterError
from fixlip_core.evaluation import Curves, Evaluation, InsertionDeletion, Score
from fixlip_core.explanation import Explanation
from fixlip_core.rendering import PaperFigure, draw_figure, render_maps, style
from fixlip_core.rendering.figures import FIGURE_KINDS
from fixlip_core.types import ImageArray
from tests.support.explanations import attribution

MakeExplanation = Callable[..., Explanation]
REMOVED = np.linspace(0.0, 1.0, 51)


def judged(*, full: float = 3.0) -> Evaluation:
    curves = Curves.of(1 - REMOVED, 1 - REMOVED**3)
    found = InsertionDeletion(REMOVED, curves, None, None, empty_value=1.0, full_value=full, flipped=full <= 1.0)
    scores = (Score("aid", "first_order", 0.25, None, higher_is_better=True),)
    return Evaluation(scores=scores, image_passes=1, text_passes=1, curves=found)


@pytest.mark.parametrize(
    ("kind", "name", "of_maps"),
    [
        ("first-order", "first-order", "first-order"),
        ("conditioned", "token-1", "token-1"),
        ("graph", "graph", "graph"),
        ("insertion-deletion", "insertion-deletion", "insertion-deletion"),
    ],
)
def test_at_column_width_it_is_what_jobs_draw(
    make_explanation: MakeExplanation, view: ImageArray, kind: str, name: str, of_maps: str
) -> None:
    explanation = make_explanation()
    drawn = draw_figure(kind, explanation, view, token=1, evaluation=judged())
    expected = render_maps(explanation, view, curves=judged().curves)[of_maps]
    assert (drawn.name, drawn.title) == (name, expected.title)
    assert drawn.encoded("png") == expected.png
    assert drawn.encoded("svg") == expected.svg


def sizes_of_type(figure: PaperFigure) -> set[float | str]:
    return {text.get_fontsize() for text in figure.sheet.figure.texts}


@pytest.mark.parametrize("kind", FIGURE_KINDS)
def test_every_kind_keeps_its_printed_type_at_every_width(
    make_explanation: MakeExplanation, view: ImageArray, kind: str
) -> None:
    explanation = make_explanation(["a", "red", "circle"], (2, 2))
    types = []
    for width, pixels in (("column", 1020), ("page", 2100), (60.0, 709)):
        drawn = draw_figure(kind, explanation, view, width=width, evaluation=judged())  # type: ignore[arg-type]
        assert drawn.sheet.width_px == pixels
        root = ElementTree.fromstring(drawn.encoded("svg"))
        assert float(root.attrib["width"].removesuffix("in")) == pytest.approx(pixels / style.DPI, rel=1e-4)
        types.append(sizes_of_type(drawn))
    assert types[0] == types[1] == types[2] <= {style.WORD_PT, style.LABEL_PT, style.SMALL_PT}


def test_files_are_made_by_their_names_endings(
    make_explanation: MakeExplanation, view: ImageArray, tmp_path: Path
) -> None:
    drawn = draw_figure("first-order", make_explanation(grid=(2, 2)), view, width=85)
    beginnings = {"png": b"\x89PNG", "svg": b"<svg", "PDF": b"%PDF"}
    for ending, beginning in beginnings.items():
        path = drawn.save(tmp_path / f"figure.{ending}")
        assert path.read_bytes().startswith(beginning)
    with Image.open(io.BytesIO((tmp_path / "figure.png").read_bytes())) as png:
        assert png.width / png.info["dpi"][0] == pytest.approx(85 / 25.4, abs=0.01)
    for name in ("figure.gif", "figure"):
        with pytest.raises(InvalidParameterError, match="format must be one of png, svg, pdf"):
            drawn.save(tmp_path / name)


def test_conditioned_is_of_the_word_that_shares_most_unless_told(
    make_explanation: MakeExplanation, view: ImageArray
) -> None:
    second = np.zeros((7, 7))
    second[0, 5] = -1.0
    explanation = make_explanation(["a", "red", "circle"], (2, 2), second=second)
    assert draw_figure("conditioned", explanation, view).title == 'Interactions with "red"'
    assert draw_figure("conditioned", explanation, view, token=2).title == 'Interactions with "circle"'


@pytest.mark.parametrize(
    ("kind", "given", "message", "field"),
    [
        ("pie", {}, "kind must be one of first-order, conditioned, words, graph", "kind"),
        ("graph", {"image": None}, "needs the image", "image"),
        ("graph", {"width": "wide"}, "width must be column, page", "width"),
        ("graph", {"n_pairs": 0}, "n_pairs must be 1 or more", "n_pairs"),
        ("conditioned", {"token": 9}, "token", "token_index"),
        ("graph", {"explanation": attribution()}, "grad_eclip explained players alone", "kind"),
        ("scores", {}, "needs an evaluation", "evaluation"),
        ("insertion-deletion", {"evaluation": judged(full=1.0)}, "v.full. is v.empty.", "evaluation"),
    ],
)
def test_what_cannot_be_drawn_is_told(
    make_explanation: MakeExplanation, view: ImageArray, kind: str, given: dict[str, Any], message: str, field: str
) -> None:
    arguments = {"explanation": make_explanation(), "image": view, **given}
    with pytest.raises(InvalidParameterError, match=message) as caught:
        draw_figure(kind, **arguments)
    assert caught.value.field == field
